"""Time as a collaborator, so that tests and the local runtime can replace it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def now(self) -> float:
        """Seconds since 1970, with fractions."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()


def seconds_of(text: str) -> float:
    """Seconds since 1970 of a stored timestamp."""
    return datetime.fromisoformat(text).timestamp()


def iso(seconds: float) -> str:
    """``2026-01-31T09:00:00.123Z``: the form of all stored timestamps; sorts as text."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
