"""The caller of a request, as the authorizers of HTTP APIs pass it to the function.

Locally there are no IAM permissions and no login: the request's claim about its caller is trusted, since only requests
from this machine get here (``local.aws.http.guard``).

- AWS_IAM: a request signed with credentials that STS issued for a role comes from that role's session; other signed
  requests come from the account's root. Unsigned ones, as from a browser or curl, come from the IAM user in the header
  ``X-Local-User``, by default ``LOCAL_OPERATOR``; AWS would refuse them. ``apiTenants`` defines their permissions.
- JWT: AWS verifies signatures with keys that it fetches from the issuer. Nothing is fetched here, so every token is
  refused, unless the runtime has a secret: then it accepts tokens signed with it by HS256, which AWS never does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from contract.api import ROLES
from local.aws.http.model import WebRequest
from local.aws.model import ACCOUNT_ID
from local.aws.services import backends
from local.gateway.model import Route, Tokens

#: The environment variable with that secret, for ``./cqrs serve``.
SECRET_VARIABLE = "CQRS_TOKEN_SECRET"
#: The signature algorithm of tokens.
ALGORITHM = "HS256"
#: "A key of the same size as the hash output [...] or larger MUST be used" (RFC 7518, section 3.2).
MIN_SECRET_BYTES = 32
#: Header with the IAM user of an unsigned request.
USER_HEADER = "x-local-user"
#: Users that the console offers; by ``Pulumi.dev.yaml``, the first has all permissions, the others the role they are
#: named after.
LOCAL_USERS = ("local", *ROLES)
#: The default IAM user of unsigned requests.
LOCAL_OPERATOR = f"arn:aws:iam::{ACCOUNT_ID}:user/{LOCAL_USERS[0]}"
#: IAM User Guide, "IAM and AWS STS quotas, name requirements, and character limits".
_USER = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/")


class Refused(Exception):
    """The request is refused. The text is only for the log, not for the caller."""


class Unauthorised(Refused):
    """There is no valid token."""


class Forbidden(Refused):
    """The authorization isn't a signature, or names no valid user."""


def authorizer_of(request: WebRequest, route: Route, *, partition: str, secret: str | None, now: float) -> Any:
    """The event's ``authorizer``; None if the route has none.

    Raises:
        Refused: the route needs a token or signature that the request lacks.
    """
    if route.tokens is not None:
        claims = _claims(request.header("authorization") or "", route.tokens, secret, now)
        scopes = str(claims.get("scope") or claims.get("scp") or "").split()
        if route.scopes and not set(route.scopes) & set(scopes):
            raise Unauthorised(f"none of the scopes {', '.join(route.scopes)}")
        return {
            "jwt": {
                "claims": {name: _text(value) for name, value in claims.items()},
                "scopes": scopes if route.scopes else None,
            }
        }
    return {"iam": _iam(request, partition)} if route.authorisation == "AWS_IAM" else None


def _iam(request: WebRequest, partition: str) -> dict[str, Any]:
    authorization = request.header("authorization") or ""
    found = _CREDENTIAL.search(authorization)
    if authorization and found is None:
        raise Forbidden("an Authorization header that is not a signature; omit it to call as the local operator")
    key = found[1] if found else None
    role = _session(key, partition) if key is not None else None
    if role is not None:
        arn, user = role
    elif key is not None:
        arn, user = f"arn:{partition}:iam::{ACCOUNT_ID}:root", ACCOUNT_ID
    else:
        user = request.header(USER_HEADER) or LOCAL_USERS[0]
        if not _USER.fullmatch(user):
            raise Forbidden(f"{USER_HEADER}: {user!r} is not a name of an IAM user")
        arn = f"arn:{partition}:iam::{ACCOUNT_ID}:user/{user}"
    return {
        "accessKey": key or "",
        "accountId": ACCOUNT_ID,
        "callerId": user,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": arn,
        "userId": user,
    }


def _session(key: str, partition: str) -> tuple[str, str] | None:
    of_account = backends("sts")[ACCOUNT_ID]
    role = next(
        (one for backend in list(of_account.values()) if (one := backend.get_assumed_role_from_access_key(key))), None
    )
    return None if role is None else (str(role.arn), str(role.user_id))


def _claims(authorization: str, tokens: Tokens, secret: str | None, now: float) -> Mapping[str, Any]:
    """The claims of a valid token.

    Developer Guide, "Control access to HTTP APIs with JWT authorizers": ``client_id`` only counts without ``aud``;
    ``exp`` must be after the current time, so a token without it is refused.
    """
    token = authorization.removeprefix("Bearer ").strip()
    if not token:
        raise Unauthorised("no token")
    if secret is None:
        raise Unauthorised(
            f"tokens of {tokens.issuer} can't be verified on this machine; set {SECRET_VARIABLE} to use your own tokens"
        )
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    try:
        claims = jwt.decode(token, OctKey.import_key(secret), algorithms=[ALGORITHM]).claims
        audience = "client_id" if "aud" not in claims and "client_id" in claims else "aud"
        wanted: dict[str, Any] = {
            "iss": {"essential": True, "value": tokens.issuer},
            "exp": {"essential": True},
            audience: {"essential": True, "values": list(tokens.audiences)},
        }
        jwt.JWTClaimsRegistry(now=int(now), **wanted).validate(claims)
    except (JoseError, ValueError) as error:
        raise Unauthorised(f"the token is not accepted: {error}") from None
    return claims


def _text(value: Any) -> str:
    """A claim as text; lists become ``[a b]`` (seen on AWS: sam-cli and Powertools issues on ``cognito:groups``)."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(_text(one) for one in value)}]"
    return json.dumps(value)
