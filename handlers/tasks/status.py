"""Statuses of tasks and items, and their allowed transitions.

Every status write has the condition ``may_become``, so late and repeated messages change nothing, and only an explicit
retry, which starts a new attempt, leaves a terminal status (G5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.rows import BATCH, ITEM, TASK
from contract.work_status import CANCELLED, COMPLETED, CREATED, FAILED, PROCESSING, QUEUED
from contract.work_status import TASK_STATUSES as STATUSES
from contract.work_status import TASK_TERMINAL as TERMINAL
from handlers.store.conditions import Condition, one_of

__all__ = (
    "BATCH",
    "CANCELLED",
    "COMPLETED",
    "CREATED",
    "FAILED",
    "ITEM",
    "PROCESSING",
    "QUEUED",
    "QUEUED_KINDS",
    "STATUSES",
    "TASK",
    "TERMINAL",
    "is_terminal",
    "may_be_retried",
    "may_become",
    "sources",
)

#: Rows that go to the queue; items never do (defect T2).
QUEUED_KINDS = (TASK, BATCH)

#: New status to those that it may follow within an attempt. PROCESSING follows itself when a dead run is taken over or
#: a step is repeated.
_TASK_SOURCES: Mapping[str, tuple[str, ...]] = {
    QUEUED: (CREATED,),
    PROCESSING: (QUEUED, PROCESSING),
    COMPLETED: (PROCESSING,),
    FAILED: (CREATED, QUEUED, PROCESSING),
    CANCELLED: (CREATED, QUEUED, PROCESSING),
}
_ITEM_SOURCES: Mapping[str, tuple[str, ...]] = {
    PROCESSING: (CREATED, PROCESSING),
    COMPLETED: (PROCESSING,),
    FAILED: (CREATED, PROCESSING),
    CANCELLED: (CREATED,),
}
#: Statuses that a retry resets to CREATED, in the next attempt.
_RETRIED: Mapping[str, tuple[str, ...]] = {TASK: (FAILED,), BATCH: (FAILED,), ITEM: (FAILED, CANCELLED)}


def sources(kind: str, new: str) -> tuple[str, ...]:
    """The statuses that ``new`` may follow within an attempt; none for CREATED."""
    return (_ITEM_SOURCES if kind == ITEM else _TASK_SOURCES).get(new, ())


def may_become(kind: str, new: str) -> Condition:
    """The stored status allows ``new``. Raises ValueError: no status may become it."""
    allowed = sources(kind, new)
    if not allowed:
        raise ValueError(f"no {kind} becomes {new} within an attempt")
    return one_of("status", allowed)


def may_be_retried(kind: str) -> Condition:
    """The stored status may go back to CREATED, in a new attempt."""
    return one_of("status", _RETRIED[kind])


def is_terminal(row: Mapping[str, Any]) -> bool:
    """Whether the attempt has an outcome."""
    return row["status"] in TERMINAL
