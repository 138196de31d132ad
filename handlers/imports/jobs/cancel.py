"""Cancels the import of a file: rows without a command become CANCELLED, the others complete normally."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.rows import CANCEL_REQUESTED
from handlers.core.errors import NotFound, TransientConflict, WrongStatus
from handlers.imports.jobs import status
from handlers.imports.jobs.open_index import MARKS
from handlers.imports.keys import IMPORT_SHARDS, ImportJobKey
from handlers.store.conditions import equals, one_of
from handlers.store.port import IMPORT_TMP, Change, Item, TableStore

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository

MAX_ROUNDS = 20
#: Page size; a page has at most 1 MB in any case (API reference, Query), and all rows of the file are read.
PAGE = 1_000


def request_cancel(repository: ImportRepository, key: ImportJobKey) -> None:
    """Set CANCELLED at once if the file wasn't read yet; else request the ``Canceller`` through the stream.

    Raises:
        NotFound: there is no such job.
        WrongStatus: it has another outcome.
        TransientConflict: others kept changing it, or it was retried at the same moment: the new attempt continues
            unless it is cancelled again.
    """
    attempt = None
    for _ in range(MAX_ROUNDS):
        job = repository.job(key)
        if job is None:
            raise NotFound(f"{key}: there is no such import")
        attempt = attempt or job["attempt"]
        if job["attempt"] != attempt:
            raise TransientConflict(f"{key}: attempt {job['attempt']} began at this moment; call again")
        if job["status"] == status.CANCELLED or _is_asked(job):
            return
        if status.is_terminal(job):
            raise WrongStatus(f"{key}: {job['status']}; only an import without outcome is cancelled")
        if job["status"] == status.PROCESSING or job["attempt"] > 1:
            # A retry that hasn't begun becomes FAILED again: its failed rows may be retried later.
            change = Change(set={CANCEL_REQUESTED: True})
            allowed = one_of("status", (status.CREATED, status.QUEUED, status.PROCESSING))
        else:
            change = Change(set=repository.becomes(status.CANCELLED), remove=MARKS)
            allowed = one_of("status", (status.CREATED, status.QUEUED))
        if repository.update_job(key, change, equals("attempt", job["attempt"]) & allowed):
            return
    raise TransientConflict(f"{key}: others kept changing it; call again")


class Canceller:
    """Called for a job that is to be cancelled, and again after each change of its row.

    Rows that are written concurrently are found by a later call: the job changes once all rows are written.
    """

    def __init__(self, store: TableStore, repository: ImportRepository) -> None:
        self._store = store
        self._repository = repository

    def __call__(self, key: ImportJobKey) -> None:
        """Cancel the job's waiting rows; their outcomes end the job like others.

        An interrupted call is repeated and continues with the remaining rows.
        """
        job = self._repository.job(key)
        if job is None or status.is_terminal(job) or not _is_asked(job):
            return
        for number in range(IMPORT_SHARDS):
            self._partition(key.shard(number)[0])

    def _partition(self, pk: str) -> None:
        start: Item | None = None
        while True:
            page = self._store.query(IMPORT_TMP, pk, limit=PAGE, start=start)
            waiting = [row for row in page.items if row.get("status") == status.CREATED]
            self._repository.end_rows(waiting, status.CANCELLED)
            if page.next_key is None:
                return
            start = page.next_key


def _is_asked(job: Item) -> bool:
    return bool(job.get(CANCEL_REQUESTED, False))
