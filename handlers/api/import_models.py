"""What ``/imports`` takes and answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from handlers.api.http.models import Failure, Given, Shown, failure_of
from handlers.imports.jobs.model import Counts, ImportJob
from handlers.store.port import Item


class GivenUpload(Given):
    """``fileName``: its suffix says what the file is; the key ends in it, with '-' for what is no letter, digit, '.' or
    '_'.
    """

    file_name: str = Field(min_length=1, max_length=200, description="Such as airports.csv")


class GivenImport(Given):
    """``key``: a file (``.csv``, ``.jsonl``, ``.ndjson``, ``.zip``) below the tenant's prefix. ``table`` may be left
    out for an archive whose file names contain it.
    """

    key: str
    table: str | None = None
    bucket: str | None = Field(None, description="One of `importBuckets`; default: the stack's own bucket")
    encoding: str | None = None
    mode: Literal["DIRECT", "STEP_FUNCTION"] | None = Field(None, description="Default: depends on the number of rows")


class GivenRow(Given):
    """One row: text by column name."""

    table: str
    row: dict[str, str]


class ShownCounts(Shown):
    """Rows by outcome. ``total`` is null until the file has been read."""

    total: int | None
    processed: int
    succeeded: int
    applied: int
    unchanged: int
    failed: int
    superseded: int
    cancelled: int


class ShownReason(Shown):
    """How many rows failed with one code, and the first of them."""

    code: str
    rows: int
    row: int
    line: int
    message: str


class ShownImport(Shown):
    """The import of a file, or of an archive (``files`` of them). ``report``: where its parts lie, ``s3://bucket/key``;
    ``startedAt``: of this attempt; ``ignoredRows``: rows without values, once the file was read.
    """

    id: str
    table: str
    status: str
    attempt: int
    mode: str | None
    bucket: str
    key: str
    counts: ShownCounts
    error: Failure | None
    reasons: list[ShownReason]
    has_report: bool
    report: list[str]
    is_cancelling: bool
    encoding: str | None
    ignored_rows: int | None
    files: int | None
    failed_files: int | None
    parent: str | None
    file: str | None
    created_at: str
    created_by: str
    started_at: str
    updated_at: str


class ImportPage(Shown):
    """Jobs by table, the latest first. ``cursor`` goes into the next request; null at the end."""

    items: list[ShownImport]
    cursor: str | None


class AcceptedRow(Shown):
    """The id of a single row."""

    id: str


class ShownFile(Shown):
    """A file of an archive. ``report``: where the parts of its own lie."""

    name: str
    table: str | None
    status: str
    counts: ShownCounts
    id: str | None
    error: Failure | None
    report: list[str]
    encoding: str | None


class FileList(Shown):
    """The files of an archive in the order of their import."""

    items: list[ShownFile]


class ShownRow(Shown):
    """One row of a file and what became of it. ``line``: where it is in the file."""

    number: int
    line: int
    status: str
    row: dict[str, Any]
    result: str | None
    error: Failure | None
    superseded_by: int | None


class RowPage(Shown):
    """Rows in the order of the file. A page may be empty and not be the last: ``cursor`` is null at the end."""

    items: list[ShownRow]
    cursor: str | None


class ReportPart(Shown):
    """A CSV file with failed rows; the link is good for a quarter of an hour."""

    key: str
    url: str


class Report(Shown):
    """The report of the failed rows."""

    parts: list[ReportPart]


def shown_counts(counts: Counts) -> ShownCounts:
    """Counters as they are shown."""
    return ShownCounts(**{name: getattr(counts, name) for name in ShownCounts.model_fields})


def shown_import(job: ImportJob) -> ShownImport:
    """A job as it is shown."""
    return ShownImport(
        id=job.id,
        table=job.table,
        status=job.status,
        attempt=job.attempt,
        mode=job.mode,
        bucket=job.bucket,
        key=job.object_key,
        counts=shown_counts(job.counts),
        error=failure_of(job.error),
        reasons=[ShownReason(**{name: getattr(one, name) for name in ShownReason.model_fields}) for one in job.reasons],
        has_report=bool(job.report),
        report=list(job.report_urls),
        is_cancelling=job.is_cancelling,
        encoding=job.encoding,
        ignored_rows=job.ignored,
        files=job.files,
        failed_files=job.failed_files,
        parent=job.parent,
        file=job.file,
        created_at=job.created_at,
        created_by=job.created_by,
        started_at=job.started_at,
        updated_at=job.updated_at,
    )


def shown_row(row: Item) -> ShownRow:
    """A row as it is shown."""
    return ShownRow(
        number=row["number"],
        line=row["line"],
        status=row["status"],
        row=row["row"],
        result=row.get("result"),
        error=failure_of(row.get("error")),
        superseded_by=row.get("supersededBy"),
    )
