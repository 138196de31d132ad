"""The caller's identity, from the event's authoriser context and never from the request itself. Determines the
tenant and the roles.

A JWT's claims name the tenant and the roles; for IAM principals ``apiTenants`` does. If an identity allows several
tenants, the header ``X-Cqrs-Tenant`` selects one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from contract.api import ANY, INCLUDED, ROLES, ROLES_OF_TENANTS, TENANT_HEADER, TENANTS
from handlers.api.http.problems import Forbidden, Unauthenticated
from handlers.core.context import InvokeContext
from handlers.core.errors import SettingsError, ValidationError
from handlers.core.key_parts import check_new_part
from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.api.http.requests import Request

#: ``arn:aws:sts::111122223333:assumed-role/NAME/SESSION``: the ARN of a role's session. It doesn't contain the role's
#: path (IAM User Guide, "IAM identifiers").
_SESSION = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")
#: An array among a token's claims arrives as "[a b]" (API Gateway's HTTP API, JWT authorisers: claims are text).
_LIST = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class Caller:
    """A caller acting for one tenant. ``roles`` includes implied roles."""

    tenant: str
    user: str
    roles: frozenset[str]
    source_ip: str

    def must_be(self, role: str) -> None:
        """Raises Forbidden: the caller does not have the role."""
        if role not in self.roles:
            raise Forbidden(f"the role {role!r} is needed for this")

    def context(self, request_id: str | None = None) -> InvokeContext:
        """The context that the services take."""
        return InvokeContext(self.user, self.tenant, self.source_ip, request_id)


@dataclass(frozen=True)
class Grant:
    """An entry of ``apiTenants``."""

    pattern: re.Pattern[str]
    tenants: tuple[str, ...]
    roles: tuple[str, ...]


class Identities:
    """Reads callers from events."""

    def __init__(self, tenant_claim: str, role_claim: str, grants: tuple[Grant, ...]) -> None:
        self._tenant_claim = tenant_claim
        self._role_claim = role_claim
        self._grants = grants

    def caller(self, request: Request) -> Caller:
        """The caller and the tenant of a request.

        Raises:
            Unauthenticated: the event names no caller.
            Forbidden: the caller has no tenant, or not the one that the header names.
        """
        authorizer = request.context.get("authorizer") or {}
        claims = (authorizer.get("jwt") or {}).get("claims")
        principal = (authorizer.get("iam") or {}).get("userArn")
        if isinstance(claims, Mapping):
            user, roles_of = self._of_token(claims)
        elif isinstance(principal, str) and principal:
            user, roles_of = principal, self._of_principal(principal)
        else:
            raise Unauthenticated("no credentials: sign the request (AWS Signature Version 4), or send a bearer token")
        tenant = _chosen(request.headers.get(TENANT_HEADER), roles_of)
        roles = roles_of.get(tenant, frozenset()) | roles_of.get(ANY, frozenset())
        return Caller(tenant, user, roles, str((request.context.get("http") or {}).get("sourceIp", "")))

    def _of_token(self, claims: Mapping[str, Any]) -> tuple[str, dict[str, frozenset[str]]]:
        user = next((str(claims[name]) for name in ("sub", "username", "client_id") if claims.get(name)), "")
        roles = _with_included(_texts(claims.get(self._role_claim)))
        # A token can't claim all tenants: only configuration can grant that.
        return user, {tenant: roles for tenant in _texts(claims.get(self._tenant_claim)) if tenant != ANY}

    def _of_principal(self, arn: str) -> dict[str, frozenset[str]]:
        session = _SESSION.fullmatch(arn)
        named = f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn
        found: dict[str, frozenset[str]] = {}
        for grant in self._grants:
            if grant.pattern.fullmatch(named):
                for tenant in grant.tenants:
                    found[tenant] = found.get(tenant, frozenset()) | _with_included(grant.roles)
        return found


def grants_of(text: str) -> tuple[Grant, ...]:
    """Parse the variable ``API_TENANTS``: ``{pattern: {tenants: [...], roles: [...]}}``. Raises SettingsError."""
    try:
        given = json.loads(text)
        return tuple(
            Grant(_pattern(arn), tuple(entry[TENANTS]), tuple(entry[ROLES_OF_TENANTS])) for arn, entry in given.items()
        )
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise SettingsError(f"environment variable API_TENANTS: {type(error).__name__}: {error}") from None


def _pattern(arn: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, arn.split(ANY))), re.DOTALL)


def _with_included(roles: tuple[str, ...]) -> frozenset[str]:
    known = [one for one in roles if one in ROLES]
    return frozenset([*known, *(more for one in known for more in INCLUDED[one])])


def _texts(claim: Any) -> tuple[str, ...]:
    """A claim's values: a list, or the text into which API Gateway converts one."""
    if isinstance(claim, list | tuple):
        return tuple(str(one) for one in claim)
    if not isinstance(claim, str):
        return ()
    if claim.startswith("[") and claim.endswith("]"):
        return tuple(_parts(claim[1:-1]))
    return (claim,) if claim else ()


def _parts(text: str) -> Iterator[str]:
    return (part.strip('"') for part in _LIST.split(text) if part)


def _chosen(wanted: str | None, roles_of: Mapping[str, frozenset[str]]) -> str:
    if not roles_of:
        raise Forbidden("this identity has no tenant here (apiTenants, or the token's claims)")
    tenants = sorted(set(roles_of) - {ANY})
    if wanted is None:
        if len(tenants) != 1:
            raise Forbidden("this identity has several tenants: select one with the header X-Cqrs-Tenant")
        wanted = tenants[0]
    elif wanted not in roles_of and ANY not in roles_of:
        raise Forbidden("the tenant of the header X-Cqrs-Tenant is not one of this identity's")
    try:
        return check_new_part("tenant", wanted)
    except ValidationError:
        raise Forbidden("the tenant is not allowed in keys") from None
