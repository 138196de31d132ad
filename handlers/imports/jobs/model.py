"""Import jobs and rows as callers see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from contract.rows import CANCEL_REQUESTED
from handlers.core.light_dataclasses import dataclass
from handlers.imports.jobs import status
from handlers.imports.keys import CSV_IMPORT_KIND, ImportJobKey, ImportRowKey

if TYPE_CHECKING:
    from handlers.store.port import Item

DIRECT = "DIRECT"
STEP_FUNCTION = "STEP_FUNCTION"
MODES = (DIRECT, STEP_FUNCTION)

#: Result of a completed row: a new version was applied, or there was nothing to do.
APPLIED = "APPLIED"
UNCHANGED = "UNCHANGED"

#: The numbers in a shard; each row counts in one of them.
SHARD_COUNTERS = ("applied", "unchanged", "failed", "superseded", "cancelled")


@dataclass(frozen=True)
class Counts:
    """Rows by outcome. ``total`` is None until the file has been read."""

    total: int | None
    applied: int = 0
    unchanged: int = 0
    failed: int = 0
    superseded: int = 0
    cancelled: int = 0

    @property
    def succeeded(self) -> int:
        """Rows whose content is stored."""
        return self.applied + self.unchanged

    @property
    def processed(self) -> int:
        """Rows that have an outcome."""
        return self.succeeded + self.failed + self.superseded + self.cancelled

    @property
    def is_complete(self) -> bool:
        """Every row of the file has an outcome."""
        return self.total is not None and self.processed == self.total

    def stored(self) -> dict[str, int]:
        """The fields that the job's row stores at its end."""
        names = {"totalRows": self.total, "processedRows": self.processed, "succeededRows": self.succeeded}
        named = {name: number for name, number in names.items() if number is not None}
        return {**named, **{f"{name}Rows": getattr(self, name) for name in SHARD_COUNTERS}}

    @classmethod
    def from_stored(cls, job: Item) -> Counts | None:
        """From the fields of ``stored``; None as long as the job has no outcome."""
        if "processedRows" not in job or not status.is_terminal(job):
            return None
        return cls(job.get("totalRows"), **{name: job[f"{name}Rows"] for name in SHARD_COUNTERS})

    def __add__(self, other: Counts) -> Counts:
        """The sum of two files; a file that could not be read has no rows."""
        total = (self.total or 0) + (other.total or 0)
        return Counts(total, **{name: getattr(self, name) + getattr(other, name) for name in SHARD_COUNTERS})

    @classmethod
    def of(cls, job: Item, shards: Iterable[Item | None]) -> Counts:
        """The sum of a job's shards."""
        found = [shard for shard in shards if shard is not None]
        sums = {name: sum(shard.get(name, 0) for shard in found) for name in SHARD_COUNTERS}
        return cls(job.get("totalRows"), **sums)


@dataclass(frozen=True)
class Reason:
    """How many rows failed with one code, and the first of them: its row and line as in the report, and its message."""

    code: str
    rows: int
    row: int
    line: int
    message: str


@dataclass(frozen=True)
class ImportJob:
    """The import of a file. ``report``: keys of objects in the stack's bucket, ``report_urls``: the same as
    ``s3://bucket/key``; ``reasons``: why rows failed, the most frequent first; ``mode`` is None until it is decided.
    """

    id: str
    table: str
    status: str
    attempt: int
    mode: str | None
    bucket: str
    object_key: str
    counts: Counts
    created_at: str
    created_by: str
    updated_at: str
    error: Mapping[str, str] | None = None
    report: tuple[str, ...] = ()
    report_urls: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    is_cancelling: bool = False
    #: When this attempt began.
    started_at: str = ""
    #: The file's encoding, and the number of blank rows, once it was read.
    encoding: str | None = None
    ignored: int | None = None
    #: Of an archive: the number of its files and of other entries, once known, and of failed files, at the end.
    files: int | None = None
    skipped_files: int | None = None
    failed_files: int | None = None
    #: Of a file of an archive: the id of the archive's import, and the file's name there.
    parent: str | None = None
    file: str | None = None

    @property
    def key(self) -> ImportJobKey:
        """The key of the job's row."""
        return ImportJobKey.parse_id(self.id)

    @classmethod
    def from_rows(cls, job: Item, counts: Counts) -> ImportJob:
        """From the job's row and its counters."""
        return cls(
            id=job["id"],
            table=job["tableName"],
            status=job["status"],
            attempt=job["attempt"],
            mode=job.get("mode"),
            bucket=job["bucket"],
            object_key=job["key"],
            counts=counts,
            created_at=job.get("createdAt", ""),
            created_by=job.get("createdBy", ""),
            updated_at=job.get("updatedAt", ""),
            started_at=str(job.get("startedAt") or job.get("createdAt", "")),
            error=job.get("error"),
            report=tuple(job.get("report", ())),
            report_urls=report_urls(job),
            reasons=tuple(Reason(**reason) for reason in job.get("reasons", ())),
            is_cancelling=CANCEL_REQUESTED in job and not status.is_terminal(job),
            encoding=job.get("fileEncoding"),
            ignored=job.get("ignoredRows"),
            files=job.get("totalFiles"),
            skipped_files=job.get("skippedFiles"),
            failed_files=job.get("failedFiles"),
            parent=job.get("parent"),
            file=job.get("file"),
        )


def report_urls(job: Item) -> tuple[str, ...]:
    """The parts of the report that a job's row names, ``s3://bucket/key``."""
    return tuple(f"s3://{job['reportBucket']}/{key}" for key in job.get("report", ()))


def job_key_of(row: Item) -> ImportJobKey | None:
    """The job of a row; None for a row on its own."""
    key = ImportRowKey.parse(row["pk"], row["sk"])
    if key.index is None:
        return None
    ulid = key.name.partition("#")[0]
    return ImportJobKey(row.get("jobKind", CSV_IMPORT_KIND), key.tenant_code, row["tableName"], ulid)


def outcome_of(counts: Counts) -> str:
    """The status of a job whose rows all have an outcome."""
    if counts.failed:
        return status.FAILED
    return status.CANCELLED if counts.cancelled else status.COMPLETED
