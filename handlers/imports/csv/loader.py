"""``csv_loader``: the first state inspects the file, and copies it if the Distributed Map can't read it.

Rows whose outcome is known from the start (unreadable, or superseded by a later row) are recorded here, so that the Map
processes only the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from contract.objects import NORMALISED
from handlers.imports.files.formats import format_of
from handlers.imports.files.reader import FileRow, reader_of
from handlers.imports.jobs import status
from handlers.imports.jobs.job_file import JobFiles, refusal_of
from handlers.imports.keys import ImportRowKey
from handlers.imports.rows.row_batches import MOST_ROWS, RowBatches

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.imports.files.inspection import Inspection
    from handlers.imports.files.layout import Layout
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.strategy import ImportTables
    from handlers.objects.port import Objects
    from handlers.objects.source import ObjectInfo, ObjectSource
    from handlers.store.port import Item

SECONDS_PER_HOUR = 3_600


class CsvLoader:
    """May run again for the same attempt; it then writes the same."""

    def __init__(
        self,
        repository: ImportRepository,
        files: JobFiles,
        source: ObjectSource,
        objects: Objects,
        tables: ImportTables,
        clock: Clock,
        *,
        timeout_hours: int,
    ) -> None:
        self._repository = repository
        self._files = files
        self._source = source
        self._objects = objects
        self._tables = tables
        self._clock = clock
        self._batches = RowBatches(repository)
        self._timeout = timeout_hours * SECONDS_PER_HOUR

    def __call__(self, run: JobRun) -> dict[str, Any]:
        """Returns the file for the Map to read, its ``format``, and ``rows``: their number; 0 if there is nothing to
        read.

        Raises:
            TransientError: retry. An error of unknown nature is caught by the state machine, and the job is then FAILED
            with it as ``MachineFailed``.
        """
        answer = {
            "jobKey": run.key.id,
            "attempt": run.attempt,
            "deadline": int(self._clock.now()) + self._timeout,
            "rows": 0,
        }
        job = self._repository.job(run.key)
        if job is None or job["attempt"] != run.attempt or status.is_terminal(job) or "rowsWritten" in job:
            return answer
        try:
            layout = self._tables.of(job["tableName"]).layout
            info = self._files.pinned(run.key, job)
            if info is None:
                return answer
            found = self._files.inspected(job, info, layout)
            if found.is_direct:
                rows = found.rows
            else:
                info, rows = self._copied(run, job, info, layout, found)
        except Exception as error:
            refused = refusal_of(run.key, error)
            if refused is None:
                raise
            self._repository.change_job(run.key, run.attempt, status.FAILED, error=refused)
            return answer
        self._repository.expect(run.key, found.rows)
        self._repository.change_job(run.key, run.attempt, status.PROCESSING, **found.stored())
        file = {"bucket": info.bucket, "key": info.key, "versionId": info.version_id}
        return {**answer, **file, "format": format_of(info.key).input_type, "rows": rows}

    def _copied(
        self, run: JobRun, job: Item, info: ObjectInfo, layout: Layout, found: Inspection
    ) -> tuple[ObjectInfo, int]:
        """The normalised copy, and how many rows it has."""
        copied = 0
        again = True

        def write(ended: list[Item]) -> None:
            """An earlier call may have been interrupted. Rows are written in order, so an existing row means that all
            rows before it exist: this call skips them and gets further.
            """
            nonlocal again
            again = (
                again
                and bool(ended)
                and self._repository.row(ImportRowKey.parse(ended[-1]["pk"], ended[-1]["sk"])) is not None
            )
            if not again:
                self._batches.write(ended)

        def kept() -> Iterator[FileRow]:
            nonlocal copied
            ended: list[Item] = []
            for row in self._files.rows(info, layout, found):
                if row.end is None:
                    copied += 1
                    yield row
                    continue
                key = run.key.row(row.record.index)
                ended.append(self._repository.ended(job, key, row.record.number, row.record.line, row.values, row.end))
                if len(ended) == MOST_ROWS:
                    write(ended)
                    ended.clear()
            write(ended)

        kind = format_of(info.key)
        key = f"{NORMALISED}{run.key.tenant_code}/{run.key.ulid}/{run.attempt}{kind.suffixes[0]}"
        self._objects.write(key, reader_of(kind).copied(found, kept()), content_type=kind.content_type)
        return self._source.find(self._objects.bucket, key), copied
