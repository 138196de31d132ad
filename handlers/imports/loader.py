"""The loader: reads a job's file and writes its rows (DIRECT)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, BinaryIO

from handlers.errors import BucketMissing, ObjectChanged, ObjectMissing, ValidationError
from handlers.imports import status
from handlers.imports.book import ImportBook, error_of
from handlers.imports.cancel import CANCEL_REQUESTED
from handlers.imports.errors import TOO_MANY_ROWS, ImportRefused
from handlers.imports.finalise import Finaliser
from handlers.imports.inspection import Inspection, inspect, records_of
from handlers.imports.limits import CsvLimits
from handlers.imports.model import DIRECT
from handlers.imports.rows import row_of
from handlers.imports.strategy import ImportTables, Layout
from handlers.keys import ImportJobKey
from handlers.log import log_step
from handlers.objects.source import ObjectInfo, ObjectSource
from handlers.store.port import Item

#: What is wrong with the file or the request, as opposed to what a later try may find right.
_REFUSALS = (BucketMissing, ObjectMissing, ObjectChanged, ImportRefused, ValidationError)
#: Rows that are written between two looks at whether the job is to be cancelled.
ROWS_PER_LOOK = 100


class Loader:
    """May be called again for the same job: after a crash, or because the call was delivered twice."""

    def __init__(
        self,
        book: ImportBook,
        source: ObjectSource,
        tables: ImportTables,
        finalise: Finaliser,
        *,
        direct_rows: int,
        limits: CsvLimits | None = None,
    ) -> None:
        self._book = book
        self._source = source
        self._tables = tables
        self._finalise = finalise
        self._direct_rows = direct_rows
        self._limits = limits or CsvLimits()

    def load(self, key: ImportJobKey) -> str | None:
        """Write the rows of a job's file; answers the job's status then, None if there is no such job.

        A file that can't be imported makes the job FAILED, and no row is written; one in a bucket without versions that
        is replaced while it is read leaves the rows that were.

        Raises:
            TransientError: worth another call.
        """
        job = self._book.job(key)
        if job is None or status.is_terminal(job) or "totalRows" in job:
            return None if job is None else self._finalise(key)
        try:
            layout = self._tables.of(job["tableName"]).layout
            info = self._pinned(key, job)
            if info is None:
                return self._finalise(key)
            found = self._inspected(job, info, layout)
            self._write_rows(key, job, self._opener(info), layout, found)
        except _REFUSALS as error:
            code = error.code if isinstance(error, ImportRefused) else type(error).__name__
            log_step("file refused", level=logging.WARNING, pk=key.pk, sk=key.sk, code=code)
            self._book.change_job(key, job["attempt"], status.FAILED, error=error_of(code, str(error)))
            return status.FAILED
        self._book.change_job(key, job["attempt"], status.PROCESSING, totalRows=found.rows, mode=DIRECT)
        return self._finalise(key)

    def _pinned(self, key: ImportJobKey, job: Item) -> ObjectInfo | None:
        """The object as the first call found it; later calls read the same. None: the job was cancelled before."""
        pinned: dict[str, Any] | None = job.get("object")
        if pinned is None:
            info = self._source.find(job["bucket"], job["key"])
            pinned = {"size": info.size, "etag": info.etag, "versionId": info.version_id}
            self._book.open_shards(key)
            self._book.begin(key, job["attempt"], pinned)
            # Another call may have been faster, or whoever cancelled the job.
            pinned = (self._book.job(key) or job).get("object")
            if pinned is None:
                return None
        return ObjectInfo(job["bucket"], job["key"], pinned["size"], pinned["etag"], pinned["versionId"])

    def _inspected(self, job: Item, info: ObjectInfo, layout: Layout) -> Inspection:
        found = inspect(
            self._opener(info),
            layout,
            versioned=info.version_id is not None,
            encoding=job.get("encoding"),
            limits=self._limits,
        )
        if found.rows > self._direct_rows:
            raise ImportRefused(
                TOO_MANY_ROWS,
                f"the file has {found.rows} rows; at most {self._direct_rows} are imported directly (importDirectRows)",
            )
        return found

    def _write_rows(
        self, key: ImportJobKey, job: Item, open_: Callable[[], BinaryIO], layout: Layout, found: Inspection
    ) -> None:
        cancelled = False
        for record, winner in records_of(open_, layout, found, limits=self._limits):
            if record.index % ROWS_PER_LOOK == 0:
                cancelled = CANCEL_REQUESTED in (self._book.job(key) or {})
            row_key = key.row(record.index)
            end = record.problem if record.problem is not None else winner
            if 6 * sum(map(len, record.values)) > self._limits.row_bytes and record.problem is not None:
                values = {}  # it can't be stored, so the report tells of its line only
            elif len(record.values) == len(found.header):
                values = row_of(found.header, record.values, layout)
            else:
                values = _shown(record.values)
            if end is None and not cancelled:
                self._book.add(job, row_key, record.number, record.line, values)
            else:
                self._book.add_ended(job, row_key, record.number, record.line, values, end=end)

    def _opener(self, info: ObjectInfo) -> Callable[[], BinaryIO]:
        return lambda: self._source.open(info)


def _shown(values: list[str]) -> dict[str, str]:
    """The values of a record that has no columns, for the report."""
    return {str(number): value for number, value in enumerate(values, start=1)}
