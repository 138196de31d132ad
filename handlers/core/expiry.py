"""Rows that DynamoDB removes by their ``ttl`` (Developer Guide, "Using time to live")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SECONDS_PER_DAY = 86_400


def is_expired(row: Mapping[str, Any], now: float) -> bool:
    """A row past its ttl counts as absent, though DynamoDB removes it days later."""
    ttl = row.get("ttl")
    return ttl is not None and ttl <= now
