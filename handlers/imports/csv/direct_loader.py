"""The loader: reads a new job's file and writes its rows (DIRECT), or starts the state machine (STEP_FUNCTION)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.rows import CANCEL_REQUESTED
from handlers.core.errors import TransientConflict
from handlers.imports.errors import TOO_MANY_ROWS, ImportRefused
from handlers.imports.files.limits import DIRECT_ROW_BYTES
from handlers.imports.jobs import status
from handlers.imports.jobs.job_file import JobFiles, refusal_of
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION
from handlers.imports.rows.row_batches import RowBatches

if TYPE_CHECKING:
    from handlers.imports.csv.machine import CsvMachine
    from handlers.imports.files.inspection import Inspection
    from handlers.imports.files.layout import Layout
    from handlers.imports.jobs.finalize import Finalizer
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.imports.strategy import ImportTables
    from handlers.objects.source import ObjectInfo
    from handlers.store.port import Item

#: Rows that are written between two checks for cancellation.
ROWS_PER_LOOK = 100


class Loader:
    """May be called again for the same job, after a crash or a duplicate delivery."""

    def __init__(
        self,
        repository: ImportRepository,
        files: JobFiles,
        tables: ImportTables,
        finalize: Finalizer,
        machine: CsvMachine,
        *,
        direct_rows: int,
    ) -> None:
        self._repository = repository
        self._files = files
        self._batches = RowBatches(repository)
        self._tables = tables
        self._finalize = finalize
        self._machine = machine
        self._direct_rows = direct_rows

    def load(self, key: ImportJobKey) -> str | None:
        """Write the rows of a job's file; returns the job's status afterwards, None if there is no such job.

        A file that can't be imported makes the job FAILED without writing rows. If a file in an unversioned bucket is
        replaced while it is read, the rows that were already written stay.

        Raises:
            TransientError, and other errors that a retry may fix.
        """
        job = self._repository.job(key)
        if job is None or status.is_terminal(job) or "totalRows" in job:
            # A state machine that died unnoticed may have left open a job whose rows have all ended.
            reached = None if job is None else self._finalize(key)
            if job is None or reached in status.TERMINAL or job["mode"] == DIRECT:
                return reached
        try:
            layout = self._tables.of(job["tableName"]).layout
            info = self._files.pinned(key, job)
            if info is None:
                return self._finalize(key)
            found = self._found_for_direct(job, info, layout)
            mode = DIRECT if found is not None else STEP_FUNCTION
            decided = self._repository.decide(key, job["attempt"], mode)
            if decided is None:
                return self._finalize(key)
            if decided != mode:
                raise TransientConflict(f"{key}: another call has decided for {decided}")
            if found is None:
                self._machine.start(key, job, info)
                # All rows may have ended although the execution is gone; it isn't started twice, so finalize here.
                return self._finalize(key)
            self._write_rows(key, job, info, layout, found)
        except Exception as error:
            refused = refusal_of(key, error)
            if refused is None:
                raise
            self._repository.change_job(key, job["attempt"], status.FAILED, error=refused)
            return status.FAILED
        self._repository.change_job(key, job["attempt"], status.PROCESSING, **found.stored())
        return self._finalize(key)

    def _found_for_direct(self, job: Item, info: ObjectInfo, layout: Layout) -> Inspection | None:
        """Inspect the file. None: the state machine imports it, by the caller's choice or because it is large."""
        mode = job.get("mode")
        if mode == STEP_FUNCTION or (mode is None and info.size > self._direct_rows * DIRECT_ROW_BYTES):
            return None
        found = self._files.inspected(job, info, layout)
        if found.rows <= self._direct_rows:
            return found
        if mode is None:
            return None
        raise ImportRefused(
            TOO_MANY_ROWS,
            f"the file has {found.rows} rows; at most {self._direct_rows} are imported directly (importDirectRows)",
        )

    def _write_rows(self, key: ImportJobKey, job: Item, info: ObjectInfo, layout: Layout, found: Inspection) -> None:
        cancelled = False
        for row in self._files.rows(info, layout, found):
            record, row_key = row.record, key.row(row.record.index)
            if record.index % ROWS_PER_LOOK == 0:
                cancelled = CANCEL_REQUESTED in (self._repository.job(key) or {})
            if row.end is None and not cancelled:
                self._repository.add(job, row_key, record.number, record.line, row.values)
            else:
                ended = self._repository.ended(job, row_key, record.number, record.line, row.values, row.end)
                self._batches.write([ended])
