"""Statuses of a command, ``<state>:<phase>``, and their ranks.

A rank is stored with its status, and a write carries the condition that the stored one is lower. So the numbers are
fixed: rows of years ago carry them. A new state takes a number in a gap (decision record 0180).
"""

from __future__ import annotations

PUBLISH = "publish"
CHECK_VERSION = "check_version"
WAIT_PREV_COMMAND = "wait_prev_command"
SET_TTL_COMMAND = "set_ttl_command"
HISTORY_COPY = "history_copy"
TRANSFORM_DATA = "transform_data"
SYNC_DATA = "sync_data"
FINISH = "finish"
#: Records FAILED in the state that failed; it has no status of its own.
RECORD_FAILURE = "record_failure"

STARTED = "STARTED"
FINISHED = "FINISHED"
FAILED = "FAILED"

ACCEPTED = "publish:ACCEPTED"
#: Written by publish_sync: the stream doesn't start it (the event source's filter names ACCEPTED).
SYNC = "publish:SYNC"
#: The last status of a command that was applied.
DONE = "finish:FINISHED"
SKIPPED = "skipped"
#: How the status ends of a command that failed, in whatever state.
FAILED_SUFFIX = ":FAILED"

#: Each attempt's ranks begin at its number (1 for the first) times this.
ATTEMPT_RANK = 1000
#: State to the rank of its STARTED within an attempt; FINISHED is one more.
STATE_RANKS = {
    PUBLISH: 0,
    CHECK_VERSION: 10,
    WAIT_PREV_COMMAND: 20,
    SET_TTL_COMMAND: 30,
    HISTORY_COPY: 40,
    TRANSFORM_DATA: 50,
    SYNC_DATA: 60,
    FINISH: 70,
}
#: Every status of a command that failed: filters of event sources name them one by one. Publishing is no state of a
#: run, so nothing fails in it.
FAILED_STATUSES = tuple(f"{state}{FAILED_SUFFIX}" for state in STATE_RANKS if state != PUBLISH)
#: Above every state of the attempt, so that nothing but a new attempt follows.
FAILED_RANK = 900
SKIPPED_RANK = 990
