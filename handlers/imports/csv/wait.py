"""``wait_rows``: the state machine waits with a task token for the outcome of a large file's last row.

In this order: the state stores its token, then reads the counters; a row's outcome is counted, then the token is read.
So at least one of the two sees the other, in any order. A lost wake-up only delays until the state's timeout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.rows import LEFT
from handlers.core.clock import seconds_of
from handlers.core.log import log_step
from handlers.imports.jobs import status
from handlers.imports.jobs.open_index import WAIT_MARKS
from handlers.imports.keys import ImportJobKey
from handlers.store.conditions import absent, at_most, equals
from handlers.store.port import Change, Item
from handlers.store.values import item_from_dynamo

if TYPE_CHECKING:
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.state_machines.port import StateMachines

TOKEN, ENTRY = WAIT_MARKS
#: More than the number of retries of a state, so that an entry's number can include the retry.
MOST_TRIES = 100


class RowsWait:
    """The state and its wake-up. Both may be repeated or late."""

    def __init__(self, repository: ImportRepository, state_machines: StateMachines) -> None:
        self._repository = repository
        self._state_machines = state_machines

    def wait(self, run: JobRun, token: str, entered_at: str, retry: int) -> dict[str, Any]:
        """Wait, or continue at once if there is nothing to wait for.

        ``entered_at`` and ``retry`` order the entries: a late call never replaces the token of a later one.

        Raises:
            TransientError: retry, which provides another token.
        """
        entry = round(seconds_of(entered_at) * 1000) * MOST_TRIES + min(retry, MOST_TRIES - 1)
        waits = equals("attempt", run.attempt) & status.may_become(status.JOB, status.PROCESSING)
        newer = absent(ENTRY) | at_most(ENTRY, entry)
        self._repository.update_job(run.key, Change(set={TOKEN: token, ENTRY: entry}), waits & newer)
        found = self._repository.job_and_counts(run.key)
        if found is None or found[0]["attempt"] != run.attempt or found[0].get(TOKEN) is None:
            self._state_machines.resume(token, {})  # the job has its outcome or a newer attempt
            return {"waiting": False}
        job, counts = found
        if counts.is_complete and job[TOKEN] == token:
            self._answer(run.key, job)
            return {"waiting": False}
        return {"waiting": True}

    def wake(self, key: ImportJobKey) -> None:
        """Resume the waiting execution if the last row has its outcome. Raises TransientError."""
        found = self._repository.job_and_counts(key)
        if found is not None and TOKEN in found[0] and found[1].is_complete:
            self._answer(key, found[0])

    def _answer(self, key: ImportJobKey, job: Item) -> None:
        answered = self._state_machines.resume(job[TOKEN], {})
        log_step("execution continues" if answered else "no execution waits for the rows", pk=key.pk, sk=key.sk)
        self._repository.update_job(key, Change(remove=WAIT_MARKS), equals(TOKEN, job[TOKEN]))


def counted_all(record: Mapping[str, Any]) -> ImportJobKey | None:
    """The job of a counter that has just counted its last row; None for all other records of the stream."""
    change = record.get("dynamodb", {})
    new, old = change.get("NewImage", {}), change.get("OldImage", {})
    counter = item_from_dynamo({name: new[name] for name in ("kind", "jobId", LEFT) if name in new})
    if counter.get("kind") != status.COUNTERS or counter.get(LEFT) != 0 or new.get(LEFT) == old.get(LEFT):
        return None
    return ImportJobKey.parse_id(counter["jobId"])
