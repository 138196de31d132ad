"""The place of jobs and of rows on their own in the ``open`` index, where the sweeper finds those without outcome."""

from __future__ import annotations

from typing import Any

from contract.rows import RESTART
from handlers.core.clock import iso
from handlers.core.keys import open_shard

#: The sweeper looks at a job or row after this many seconds, and then again and again: as long as a loader may work.
LOOK_SECONDS = 900
#: Gone when it has its outcome.
MARKS = ("openShard", "dueAt")
#: The task token with which the machine of a large file waits, and the entry of the state that it came from.
WAIT_MARKS = ("waitToken", "waitEntry")
#: What looks have left on a job; gone in its next attempt.
LOOK_MARKS = (RESTART, "lookedAt", "cursor", "closing", "lastChance")


def opened(pk: str, sk: str, now: float) -> dict[str, Any]:
    """What a new attempt has: its place, and when it began."""
    return {"openShard": open_shard(pk, sk), "dueAt": int(now) + LOOK_SECONDS, "startedAt": iso(now)}
