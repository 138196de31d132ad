"""Ends a job once every row has an outcome, by one conditional write."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from handlers.core.error_text import error_of
from handlers.imports.jobs import status
from handlers.imports.jobs.model import outcome_of
from handlers.imports.jobs.report import write_report

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.objects.port import Objects
    from handlers.store.port import TableStore

ROWS_FAILED = "RowsFailed"


class Finalizer:
    """Called whenever a row has an outcome, and when a file has been read; any number of times."""

    def __init__(self, store: TableStore, repository: ImportRepository, objects: Objects) -> None:
        self._store = store
        self._repository = repository
        self._objects = objects

    def __call__(self, key: ImportJobKey) -> str | None:
        """End the job if it is complete; returns its status, None if there is no such job.

        The last row is counted before this is called, and so is the number of rows stored: whichever call is last sees
        both.
        """
        found = self._repository.job_and_counts(key)
        if found is None:
            return None
        job, counts = found
        if status.is_terminal(job) or not counts.is_complete:
            return str(job["status"])
        new = outcome_of(counts)
        fields: dict[str, object] = {**counts.stored()}
        if counts.failed:
            report = write_report(self._store, self._objects, key, job["attempt"], job["columns"])
            fields["report"] = report.keys
            fields["reportBucket"] = self._objects.bucket
            fields["reasons"] = [asdict(one) for one in report.reasons]
            fields["error"] = error_of(ROWS_FAILED, f"{counts.failed} of {counts.total} rows failed; see the report")
        self._repository.change_job(key, job["attempt"], new, **fields)
        return new
