"""Statuses of a command and their order; only this module knows the order.

A status is ``<state>:<phase>``. Its rank only ever increases: by attempt, then by the state's position in the pipeline,
then STARTED before FINISHED. A write is conditional on the stored rank being lower, so late and repeated writes are
skipped (G5).
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
    """Such as ``history_copy:STARTED``."""
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
    """Applied or skipped: successors may proceed. This is final."""
    return row is not None and row["status"] in DONE_STATUSES


def is_failed(row: dict[str, Any] | None) -> bool:
    """Failed in its current attempt."""
    return row is not None and row["status"].endswith(FAILED_SUFFIX)


def is_open_sync(row: dict[str, Any]) -> bool:
    """A synchronous publish that has not finished."""
    return SYNC_MODE in row and not is_done(row) and not is_failed(row)


def is_terminal(status: str) -> bool:
    """The outcome of an attempt, which is published: the last status of a DONE command, or FAILED."""
    return status in (DONE, SKIPPED) or status.endswith(FAILED_SUFFIX)


def is_waiting(row: dict[str, Any]) -> bool:
    """Whether the command is waiting for its predecessor."""
    return bool(row["status"] == status_of(WAIT_PREV_COMMAND, STARTED))


def tail_is_missing(row: dict[str, Any]) -> bool:
    """DONE, but the successor may not have been woken."""
    return bool(row["status"] == status_of(FINISH, STARTED) or (row["status"] == SKIPPED and "openShard" in row))


def state_in(row: dict[str, Any]) -> str:
    """The state that was last recorded for the command, or the first one if none was."""
    state = row.get("runState") or row["status"].partition(":")[0]
    return state if state in STATES else CHECK_VERSION
