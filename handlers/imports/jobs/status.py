"""Statuses of import jobs and rows, and their allowed transitions.

Every status write has the condition ``may_become``, so late and repeated messages change nothing, and only an explicit
retry, which starts a new attempt, leaves a terminal status (G5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.rows import COUNTERS, FILE, JOB, ROW
from contract.work_status import (
    CANCELLED,
    COMPLETED,
    CREATED,
    FAILED,
    PROCESSING,
    QUEUED,
    SKIPPED,
    SUPERSEDED,
)
from contract.work_status import IMPORT_STATUSES as STATUSES
from contract.work_status import IMPORT_TERMINAL as TERMINAL
from handlers.store.conditions import Condition, one_of

__all__ = (
    "CANCELLED",
    "COMPLETED",
    "COUNTERS",
    "CREATED",
    "FAILED",
    "FILE",
    "JOB",
    "PROCESSING",
    "QUEUED",
    "ROW",
    "SKIPPED",
    "STATUSES",
    "SUPERSEDED",
    "TERMINAL",
    "is_terminal",
    "may_be_retried",
    "may_become",
    "sources",
)

#: New status to those that it may follow within an attempt. A row's command may end before the consumer has recorded
#: its publication. Rows are SUPERSEDED from the start or never; rows that the loader rejects are FAILED from the start.
_SOURCES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    JOB: {
        QUEUED: (CREATED,),
        PROCESSING: (CREATED, QUEUED, PROCESSING),
        COMPLETED: (PROCESSING,),
        FAILED: (CREATED, QUEUED, PROCESSING),
        CANCELLED: (CREATED, QUEUED, PROCESSING),
    },
    ROW: {
        PROCESSING: (CREATED, PROCESSING),
        COMPLETED: (CREATED, PROCESSING),
        FAILED: (CREATED, PROCESSING),
        CANCELLED: (CREATED,),
    },
}


def sources(kind: str, new: str) -> tuple[str, ...]:
    """The statuses that ``new`` may follow within an attempt."""
    return _SOURCES[kind].get(new, ())


def may_become(kind: str, new: str) -> Condition:
    """The stored status allows ``new``. Raises ValueError: no status may become it."""
    allowed = sources(kind, new)
    if not allowed:
        raise ValueError(f"no {kind} becomes {new} within an attempt")
    return one_of("status", allowed)


def may_be_retried() -> Condition:
    """The stored status allows a new attempt."""
    return one_of("status", (FAILED,))


def is_terminal(row: Mapping[str, Any]) -> bool:
    """Whether the attempt has an outcome."""
    return row["status"] in TERMINAL
