"""Statuses of a command and their order: the one place that knows what comes after what.

A status is ``<state>:<phase>``. Its rank is a number that only grows: attempt first, then the state's
place in the pipeline, then STARTED before FINISHED. A write carries the condition that the stored rank
is lower, so late and repeated writes are skipped (G5).
"""

from __future__ import annotations

from typing import Any

from contract.command_status import (
    ACCEPTED,
    ATTEMPT_RANK,
    CHECK_VERSION,
    DONE,
    FAILED,
    FAILED_RANK,
    FAILED_SUFFIX,
    FINISH,
    FINISHED,
    HISTORY_COPY,
    PUBLISH,
    RECORD_FAILURE,
    SET_TTL_COMMAND,
    SKIPPED,
    SKIPPED_RANK,
    STARTED,
    STATE_RANKS,
    SYNC,
    SYNC_DATA,
    TRANSFORM_DATA,
    WAIT_PREV_COMMAND,
)
from contract.rows import SYNC_MODE

__all__ = (
    "ACCEPTED",
    "APPLIED_STATUSES",
    "CHECK_VERSION",
    "DONE_STATUSES",
    "FAILED",
    "FINISH",
    "FINISHED",
    "HISTORY_COPY",
    "PUBLISH",
    "RECORD_FAILURE",
    "SET_TTL_COMMAND",
    "SKIPPED",
    "STARTED",
    "STATES",
    "SYNC",
    "SYNC_DATA",
    "TRANSFORM_DATA",
    "WAIT_PREV_COMMAND",
    "is_done",
    "is_failed",
    "is_open_sync",
    "is_terminal",
    "is_waiting",
    "rank_of",
    "skipped_rank",
    "state_in",
    "status_of",
    "tail_is_missing",
)

STATES = frozenset(STATE_RANKS) - {PUBLISH}
APPLIED_STATUSES = (f"{FINISH}:{STARTED}", DONE)
DONE_STATUSES = (*APPLIED_STATUSES, SKIPPED)


def status_of(state: str, phase: str) -> str:
    """``history_copy:STARTED`` and the like."""
    return f"{state}:{phase}"


def rank_of(attempt: int, state: str, phase: str) -> int:
    """The rank of a status within an attempt (1 for the first)."""
    if phase == FAILED:
        return attempt * ATTEMPT_RANK + FAILED_RANK
    return attempt * ATTEMPT_RANK + STATE_RANKS[state] + (1 if phase == FINISHED else 0)


def skipped_rank(attempt: int) -> int:
    """The rank of ``skipped``."""
    return attempt * ATTEMPT_RANK + SKIPPED_RANK


def is_done(row: dict[str, Any] | None) -> bool:
    """Applied (or skipped): successors may go on. Never left again."""
    return row is not None and row["status"] in DONE_STATUSES


def is_failed(row: dict[str, Any] | None) -> bool:
    """Failed in its current attempt."""
    return row is not None and row["status"].endswith(FAILED_SUFFIX)


def is_open_sync(row: dict[str, Any]) -> bool:
    """Of a synchronous publish that did not come to its end."""
    return SYNC_MODE in row and not is_done(row) and not is_failed(row)


def is_terminal(status: str) -> bool:
    """The attempt's outcome, which is published: the last status of a DONE command, or FAILED."""
    return status in (DONE, SKIPPED) or status.endswith(FAILED_SUFFIX)


def is_waiting(row: dict[str, Any]) -> bool:
    """From the first wait until it proceeds."""
    return bool(row["status"] == status_of(WAIT_PREV_COMMAND, STARTED))


def tail_is_missing(row: dict[str, Any]) -> bool:
    """DONE, but the successor was perhaps not woken."""
    return bool(row["status"] == status_of(FINISH, STARTED) or (row["status"] == SKIPPED and "openShard" in row))


def state_in(row: dict[str, Any]) -> str:
    """The state that the command was last seen in; where none was recorded, the first one."""
    state = row.get("runState") or row["status"].partition(":")[0]
    return state if state in STATES else CHECK_VERSION
