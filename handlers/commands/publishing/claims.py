"""Commands that are accepted with a claim by their publisher, which applies them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.rows import SYNC_MODE
from handlers.commands import status
from handlers.commands.model import pipeline_fields
from handlers.commands.pipeline.run import Run
from handlers.commands.starter import START_GRACE_SECONDS

if TYPE_CHECKING:
    from handlers.commands.keys import VersionKey

SYNC_RUN = "sync"


def claimed_fields(key: VersionKey, row_id: str, now: float, lease_seconds: int) -> dict[str, Any]:
    """The pipeline's fields of a new row. The sweeper takes over once the lease has expired."""
    rank = status.rank_of(1, status.PUBLISH, status.STARTED)
    fields = pipeline_fields(key, status.SYNC, rank, int(now) + START_GRACE_SECONDS)
    return {**fields, SYNC_MODE: True, "runId": _run_id(row_id), "leaseUntil": int(now) + lease_seconds}


def own_run(key: VersionKey, row_id: str, attempt: int) -> Run:
    """The publisher's run: the same for every repetition of the call, which continues with its own claim."""
    return Run(key, row_id, attempt, _run_id(row_id))


def _run_id(row_id: str) -> str:
    return f"{SYNC_RUN}:{row_id}"
