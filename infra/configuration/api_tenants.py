"""Who may call the API for which tenants: the value of ``apiTenants``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contract.api import ANY, ROLES, ROLES_OF_TENANTS, TENANTS

#: ARN pattern of a role, a user or the account itself; '*' matches any text (IAM User Guide, "IAM ARNs").
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|\*):(role|user|root|\*)(/[A-Za-z0-9+=,.@_*/-]+)?")
_TENANT = re.compile(r"[^#@\s]([^#@]{0,198}[^#@\s])?")
_FORM = f"an object of ARN patterns of IAM roles and users to {{{TENANTS}: [...], {ROLES_OF_TENANTS}: [...]}}"


def parse_claim(value: Any) -> str:
    """The name of a token's claim. Raises ValueError: what is allowed."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,100}", value):
        raise ValueError("the name of a claim: 1 to 100 letters, digits, '_', '.', ':', '/' and '-'")
    return value


def parse_tenants(value: Any) -> dict[str, dict[str, list[str]]]:
    """Pattern to tenants and roles. Raises ValueError naming the entry."""
    if not isinstance(value, Mapping):
        raise ValueError(_FORM)
    for pattern, entry in value.items():
        if not isinstance(pattern, str) or not _PRINCIPAL.fullmatch(pattern):
            raise ValueError(
                f"{_FORM}; {pattern!r} is not arn:aws:iam::<account>:role/<name>; for a session, give "
                "the ARN of its role without the path"
            )
        if not isinstance(entry, Mapping) or set(entry) != {TENANTS, ROLES_OF_TENANTS}:
            raise ValueError(f"{_FORM}; {pattern!r} has {entry!r}")
        if not _texts(entry[TENANTS]) or not all(one == ANY or _TENANT.fullmatch(one) for one in entry[TENANTS]):
            raise ValueError(f"tenants as a list of codes, or '*' for any; {pattern!r} has {entry[TENANTS]!r}")
        if not _texts(entry[ROLES_OF_TENANTS]) or not set(entry[ROLES_OF_TENANTS]) <= set(ROLES):
            raise ValueError(f"roles as a list of {', '.join(ROLES)}; {pattern!r} has {entry[ROLES_OF_TENANTS]!r}")
    return {str(pattern): {name: list(texts) for name, texts in entry.items()} for pattern, entry in value.items()}


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str) for one in value)
