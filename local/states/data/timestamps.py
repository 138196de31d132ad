"""Timestamps as ASL writes and compares them: RFC 3339 with an uppercase T and Z or a numeric offset.

Source: Amazon States Language specification, "Timestamps"; Developer Guide, "Choice workflow state".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def parse_timestamp(text: object) -> float | None:
    """Epoch seconds, or None when ``text`` isn't a timestamp."""
    if not isinstance(text, str) or not _PATTERN.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def format_timestamp(at: float) -> str:
    """Milliseconds and Z, as in the context object's StartTime: ``2019-03-26T20:14:13.192Z``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000 + 1e-4) % 1000:03d}Z"
