"""The caller, as the authorisers of HTTP APIs pass it to the function.

On the laptop nobody is refused for want of a permission, and nobody logs in: what a request says of its caller is
believed, for only requests of this machine come so far (``local.aws.http.guard``).

- AWS_IAM: a request signed with credentials that STS issued for a role is from that role's session; other signed
requests
  are the account's own. Unsigned ones, of a browser or curl, are the IAM user that the header
  ``X-Local-User`` names, without it ``LOCAL_OPERATOR``; AWS refuses those. ``apiTenants`` says what each may do.
- JWT: AWS checks signatures by keys that it fetches from the issuer. Nothing is fetched here, so every token is
  refused, unless the runtime was given a secret: then tokens signed with it by HS256 are taken, which AWS never takes.
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
#: Of tokens that are signed with it.
ALGORITHM = "HS256"
#: "A key of the same size as the hash output [...] or larger MUST be used" (RFC 7518, section 3.2).
MIN_SECRET_BYTES = 32
#: Says which IAM user an unsigned request is taken for.
USER_HEADER = "x-local-user"
#: Those that the console offers; ``Pulumi.dev.yaml`` lets the first do everything, the others what they are named for.
LOCAL_USERS = ("local", *ROLES)
#: The IAM user that unsigned requests are taken for.
LOCAL_OPERATOR = f"arn:aws:iam::{ACCOUNT_ID}:user/{LOCAL_USERS[0]}"
#: IAM User Guide, "IAM and AWS STS quotas, name requirements, and character limits".
_USER = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/")


class Refused(Exception):
    """Not let in. The text is for the log, never for the caller."""


class Unauthorised(Refused):
    """No valid token."""


class Forbidden(Refused):
    """Something else than a signature."""


def authorizer_of(request: WebRequest, route: Route, *, partition: str, secret: str | None, now: float) -> Any:
    """The event's ``authorizer``, None where a route has none.

    Raises:
        Refused: the route wants a token, and this is none for it; or a signature, and this is something else.
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
        raise Forbidden("an Authorization header that is no signature; leave it out to call as the local operator")
    key = found[1] if found else None
    role = _session(key, partition) if key is not None else None
    if role is not None:
        arn, user = role
    elif key is not None:
        arn, user = f"arn:{partition}:iam::{ACCOUNT_ID}:root", ACCOUNT_ID
    else:
        user = request.header(USER_HEADER) or LOCAL_USERS[0]
        if not _USER.fullmatch(user):
            raise Forbidden(f"{USER_HEADER}: {user!r} is no name of an IAM user")
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

    Developer Guide, "Control access to HTTP APIs with JWT authorizers": ``client_id`` counts only without ``aud``; a
    token without ``exp`` has none that is after the current time.
    """
    token = authorization.removeprefix("Bearer ").strip()
    if not token:
        raise Unauthorised("no token")
    if secret is None:
        raise Unauthorised(
            f"tokens of {tokens.issuer} can't be checked on this machine; start with a secret of your own for tokens"
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
    """Claims come as text, lists as ``[a b]`` (seen on AWS: sam-cli and Powertools issues on ``cognito:groups``)."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(_text(one) for one in value)}]"
    return json.dumps(value)
