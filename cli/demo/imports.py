"""The demo's imports: part of the airports file, a changed copy of it, and an archive of both, with progress."""

from __future__ import annotations

import io
import itertools
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from cli.develop.errors import CommandError
from cli.output import Progress, table
from cli.samples import airports
from contract.outputs import BUCKET_NAME, TABLE_NAME
from contract.tables import IMPORT_TMP
from contract.work_status import COMPLETED
from contract.work_status import IMPORT_TERMINAL as TERMINAL
from handlers.core.aws import clients as aws
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.imports.jobs.model import ImportJob
from handlers.imports.service import ImportService
from handlers.store.dynamodb import DynamoTableStore
from local.runtime import LocalRuntime

TABLE = "airports"
#: A separate tenant, for whom all airports are new.
CONTEXT = InvokeContext(user_id="demo", tenant_code="demo-import")
MOST_ROWS = 100
#: Every fifth row is changed in the copy.
CHANGED = 5
POLL_SECONDS = 0.2
#: Far longer than an import takes, so that a hanging demo fails.
MOST_SECONDS = 300.0


@dataclass(frozen=True)
class Imported:
    """The outcome of one import. ``applied`` and ``rows``: the expected counters."""

    title: str
    job: ImportJob
    rows: int
    applied: int
    seconds: float

    def problems(self) -> list[str]:
        """What isn't as expected."""
        counts = self.job.counts
        found = (self.job.status, counts.total, counts.processed, counts.applied, counts.unchanged)
        if found == (COMPLETED, self.rows, self.rows, self.applied, self.rows - self.applied):
            return []
        error = "" if self.job.error is None else f", {self.job.error['type']}: {self.job.error['message']}"
        return [
            f"import of {self.title}: {self.job.status}{error}; of {self.rows:,} rows {counts.total or 0:,} were "
            f"counted, {counts.processed:,} have ended, {counts.applied:,} were applied, {counts.unchanged:,} equal"
        ]


@dataclass(frozen=True)
class ImportsOutcome:
    """All imports of the demo."""

    imports: list[Imported]

    def problems(self) -> list[str]:
        """What isn't as expected; empty if all is well."""
        return [problem for one in self.imports for problem in one.problems()]

    def report(self) -> str:
        """The outcome as a table."""
        rows = [
            (
                one.title,
                one.job.status,
                one.job.counts.total or 0,
                one.job.counts.applied,
                one.job.counts.unchanged,
                one.job.counts.failed,
                f"{one.seconds:.1f} s",
            )
            for one in self.imports
        ]
        header = ("file", "status", "rows", "changed, applied", "equal", "failed", "wall time")
        return table("Imports: rows of a file become commands", rows, header=header)


def run_imports(runtime: LocalRuntime, rows: int) -> ImportsOutcome:
    """Import the first ``rows`` airports (at most MOST_ROWS), a changed copy, and both as an archive.

    Raises:
        CommandError: the file can't be read.
    """
    return _Imports(runtime).run(*files(min(rows, MOST_ROWS)))


def files(rows: int) -> tuple[bytes, bytes, int, int]:
    """The file with the first airports, a changed copy, the number of rows and of changed rows."""
    try:
        with airports.AIRPORTS.open("rb") as file:
            header, *lines = itertools.islice(file, rows + 1)
    except OSError as error:
        raise CommandError(f"{airports.AIRPORTS.name} can't be read: {error.strerror}") from error
    changed = [_renamed(line) if number % CHANGED == 0 else line for number, line in enumerate(lines)]
    content, copy = b"".join([header, *lines]), b"".join([header, *changed])
    return content, copy, len(lines), sum(one != other for one, other in zip(lines, changed, strict=True))


def _renamed(line: bytes) -> bytes:
    """A line with another name, which is its third value; all text is in quotes."""
    icao, iata, rest = line.split(b",", 2)
    return b",".join([icao, iata, b'"New ' + rest.removeprefix(b'"')])


class _Imports:
    def __init__(self, runtime: LocalRuntime) -> None:
        store = DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: runtime.outputs[TABLE_NAME[IMPORT_TMP]]})
        self._bucket: str = runtime.outputs[BUCKET_NAME]
        self._service = ImportService(store, SystemClock(), [TABLE], [self._bucket])

    def run(self, content: bytes, copy: bytes, rows: int, changed: int) -> ImportsOutcome:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("20260101000000-airports.csv", content)
            zipped.writestr("20260102000000-airports.csv", copy)
        # The archive's first file reverts the changes, its second one makes them again.
        return ImportsOutcome(
            [
                self._import("airports.csv", content, self._csv, rows, rows),
                self._import("a changed copy", copy, self._csv, rows, changed),
                self._import("both in a ZIP", archive.getvalue(), self._zip, 2 * rows, 2 * changed),
            ]
        )

    def _csv(self, key: str) -> ImportJob:
        return self._service.create_csv_import(TABLE, self._bucket, key, CONTEXT)

    def _zip(self, key: str) -> ImportJob:
        return self._service.create_zip_import(self._bucket, key, CONTEXT)

    def _import(
        self, title: str, content: bytes, create: Callable[[str], ImportJob], rows: int, applied: int
    ) -> Imported:
        key = f"imports/demo/{title}"
        aws.s3().put_object(Bucket=self._bucket, Key=key, Body=content)
        begin = time.monotonic()
        job = create(key)
        progress = Progress(f"import {title}", rows)
        while job.status not in TERMINAL and time.monotonic() - begin < MOST_SECONDS:
            progress.show(job.counts.processed)
            time.sleep(POLL_SECONDS)
            job = self._service.get_import(job.id, CONTEXT)
        progress.show(job.counts.processed, last=True)
        progress.end()
        return Imported(title, job, rows, applied, time.monotonic() - begin)
