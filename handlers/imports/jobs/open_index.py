"""Fields of jobs and of single rows for the ``open`` index, where the sweeper finds those without an outcome."""

from __future__ import annotations

from typing import Any

from contract.rows import RESTART
from handlers.core.clock import iso
from handlers.core.keys import open_shard

#: Seconds between the sweeper's checks of a job or row: as long as a loader may work.
LOOK_SECONDS = 900
#: Removed with the outcome.
MARKS = ("openShard", "dueAt")
#: The task token with which the state machine waits, and the entry of the state that it came from.
WAIT_MARKS = ("waitToken", "waitEntry")
#: Fields that checks have left on a job; removed by its next attempt.
LOOK_MARKS = (RESTART, "lookedAt", "cursor", "closing", "lastChance")


def opened(pk: str, sk: str, now: float) -> dict[str, Any]:
    """The fields of a new attempt: its index keys, and when it began."""
    return {"openShard": open_shard(pk, sk), "dueAt": int(now) + LOOK_SECONDS, "startedAt": iso(now)}
