"""Statuses of a command and their order: the one place that knows what comes after what.

A status is ``<state>:<phase>``. Its rank is a number that only grows: attempt first, then the state's
place in the pipeline, then STARTED before FINISHED. A write carries the condition that the stored rank
is lower, so late and repeated writes are skipped (G5).
"""

from __future__ import annotations

from typing import Any

ACCEPTED = "publish:ACCEPTED"
#: Written by publish_sync: the stream doesn't start it (the event source's filter names ACCEPTED).
SYNC = "publish:SYNC"
SKIPPED = "skipped"

CHECK_VERSION = "check_version"
WAIT_PREV_COMMAND = "wait_prev_command"
SET_TTL_COMMAND = "set_ttl_command"
HISTORY_COPY = "history_copy"
TRANSFORM_DATA = "transform_data"
SYNC_DATA = "sync_data"
FINISH = "finish"
RECORD_FAILURE = "record_failure"

STARTED = "STARTED"
FINISHED = "FINISHED"
FAILED = "FAILED"

_ORDER = ("publish", CHECK_VERSION, WAIT_PREV_COMMAND, SET_TTL_COMMAND, HISTORY_COPY, TRANSFORM_DATA, SYNC_DATA, FINISH)
STATES = frozenset(_ORDER[1:])
APPLIED_STATUSES = (f"{FINISH}:{STARTED}", f"{FINISH}:{FINISHED}")
DONE_STATUSES = (*APPLIED_STATUSES, SKIPPED)

_ATTEMPT = 1000
_STATE = 10
#: Above every state of the attempt, so that nothing but a new attempt follows.
_FAILED = 900
_SKIPPED = 990


def status_of(state: str, phase: str) -> str:
    """``history_copy:STARTED`` and the like."""
    return f"{state}:{phase}"


def rank_of(attempt: int, state: str, phase: str) -> int:
    """The rank of a status within an attempt (1 for the first)."""
    if phase == FAILED:
        return attempt * _ATTEMPT + _FAILED
    return attempt * _ATTEMPT + _ORDER.index(state) * _STATE + (1 if phase == FINISHED else 0)


def skipped_rank(attempt: int) -> int:
    """The rank of ``skipped``."""
    return attempt * _ATTEMPT + _SKIPPED


def is_done(row: dict[str, Any] | None) -> bool:
    """Applied (or skipped): successors may go on. Never left again."""
    return row is not None and row["status"] in DONE_STATUSES


def is_failed(row: dict[str, Any] | None) -> bool:
    """Failed in its current attempt."""
    return row is not None and row["status"].endswith(f":{FAILED}")


def is_open_sync(row: dict[str, Any]) -> bool:
    """Of a synchronous publish that did not come to its end."""
    return "syncMode" in row and not is_done(row) and not is_failed(row)


def is_terminal(status: str) -> bool:
    """The attempt's outcome, of which others are told: the last status of a DONE command, or FAILED."""
    return status in (status_of(FINISH, FINISHED), SKIPPED) or status.endswith(f":{FAILED}")


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
