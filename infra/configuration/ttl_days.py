"""The configuration key ``ttlDays``: how long rows are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from contract.tables import WITH_TTL_POLICIES

MAX_TTL_DAYS = 36_500


def _is_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_TTL_DAYS


def parse_ttl_days(value: Any) -> dict[str, dict[str, Any]]:
    """The value of ``ttlDays``: table to its default and overrides. Raises ValueError: what is allowed."""
    days = f"days from 1 to {MAX_TTL_DAYS}"
    allowed = (
        f"an object of {', '.join(WITH_TTL_POLICIES)}, each {days} or {{default: {days}, <tenant>/<TYPE>, */<TYPE>, "
        f"<tenant>/*: {days}}}"
    )
    if not isinstance(value, Mapping) or set(value) - set(WITH_TTL_POLICIES):
        raise ValueError(allowed)
    policies: dict[str, dict[str, Any]] = {}
    for table, policy in value.items():
        parts = dict(policy) if isinstance(policy, Mapping) else {"default": policy}
        default = parts.pop("default", None)
        names_are_good = all(re.fullmatch(r"[^/#@]+/[^/#@]+", name) and name != "*/*" for name in parts)
        if not names_are_good or not all(map(_is_days, parts.values())) or not (default is None or _is_days(default)):
            raise ValueError(allowed)
        policies[str(table)] = {"default": default, "overrides": parts}
    return policies
