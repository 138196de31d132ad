"""Request and response models of ``/imports``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from handlers.api.http.models import Failure, Given, Shown, failure_of
from handlers.imports.jobs.model import Counts, ImportJob
from handlers.store.port import Item


class GivenUpload(Given):
    """``fileName``: its suffix determines the file's type. The key ends with this name, with '-' in place of characters
    other than letters, digits, '.' and '_'.
    """

    file_name: str = Field(min_length=1, max_length=200, description="Such as airports.csv")


class GivenImport(Given):
    """``key``: a file (``.csv``, ``.jsonl``, ``.ndjson``, ``.zip``) below the tenant's prefix. ``table`` is optional
    for an archive whose file names contain it.
    """

    key: str
    table: str | None = None
    bucket: str | None = Field(None, description="One of `importBuckets`; default: the stack's own bucket")
    encoding: str | None = None
    mode: Literal["DIRECT", "STEP_FUNCTION"] | None = Field(None, description="Default: depends on the number of rows")


class GivenRow(Given):
    """One row: column name to text."""

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
    """How many rows failed with one error code, and the first of them."""

    code: str
    rows: int
    row: int
    line: int
    message: str


class ShownImport(Shown):
    """The import of a file, or of an archive with ``files`` files. ``report``: the locations of its parts,
    ``s3://bucket/key``; ``startedAt``: of this attempt; ``ignoredRows``: rows without values, once the file is read.
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
    """Jobs by table, newest first. ``cursor``: pass it in the next request; null on the last page."""

    items: list[ShownImport]
    cursor: str | None


class AcceptedRow(Shown):
    """The id of a single row."""

    id: str


class ShownFile(Shown):
    """A file of an archive. ``report``: the locations of the parts of the file's own report."""

    name: str
    table: str | None
    status: str
    counts: ShownCounts
    id: str | None
    error: Failure | None
    report: list[str]
    encoding: str | None


class FileList(Shown):
    """The files of an archive in import order."""

    items: list[ShownFile]


class ShownRow(Shown):
    """One row of a file and its outcome. ``line``: its line in the file."""

    number: int
    line: int
    status: str
    row: dict[str, Any]
    result: str | None
    error: Failure | None
    superseded_by: int | None


class RowPage(Shown):
    """Rows in the order of the file. A page may be empty without being the last: only there ``cursor`` is null."""

    items: list[ShownRow]
    cursor: str | None


class ReportPart(Shown):
    """A CSV file with failed rows; the link is valid for 15 minutes."""

    key: str
    url: str


class Report(Shown):
    """The report of the failed rows."""

    parts: list[ReportPart]


def shown_counts(counts: Counts) -> ShownCounts:
    """Convert counters to their response model."""
    return ShownCounts(**{name: getattr(counts, name) for name in ShownCounts.model_fields})


def shown_import(job: ImportJob) -> ShownImport:
    """Convert a job to its response model."""
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
    """Convert a row to its response model."""
    return ShownRow(
        number=row["number"],
        line=row["line"],
        status=row["status"],
        row=row["row"],
        result=row.get("result"),
        error=failure_of(row.get("error")),
        superseded_by=row.get("supersededBy"),
    )
