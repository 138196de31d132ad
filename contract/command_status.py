"""Statuses of a command, ``<state>:<phase>``, and their ranks.

A rank is stored with its status, and a write is conditional on the stored rank being lower. The numbers are fixed,
since old rows contain them. A new state takes a number in a gap (decision record 0180).
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
#: Records the failure as ``<failed state>:FAILED``; it has no status of its own.
RECORD_FAILURE = "record_failure"

STARTED = "STARTED"
FINISHED = "FINISHED"
FAILED = "FAILED"

ACCEPTED = "publish:ACCEPTED"
#: Written by publish_sync: the stream doesn't start the pipeline for it (the event source's filter names ACCEPTED).
SYNC = "publish:SYNC"
#: The final status of an applied command.
DONE = "finish:FINISHED"
SKIPPED = "skipped"
#: Suffix of the status of a failed command, whichever state failed.
FAILED_SUFFIX = ":FAILED"

#: An attempt's ranks start at its number (1 for the first) times this.
ATTEMPT_RANK = 1000
#: State to the rank of its STARTED within an attempt; the rank of FINISHED is one higher.
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
#: Every status of a failed command: event source filters list them one by one. Publishing isn't a state of an
#: execution, so nothing fails in it.
FAILED_STATUSES = tuple(f"{state}{FAILED_SUFFIX}" for state in STATE_RANKS if state != PUBLISH)
#: Above every state of the attempt, so that only a new attempt can follow.
FAILED_RANK = 900
SKIPPED_RANK = 990
