"""``finalize_zip_job``: sets the archive's outcome from those of its files, by one conditional write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.core.error_text import error_of
from handlers.core.light_dataclasses import dataclass
from handlers.imports.jobs import status
from handlers.imports.jobs.model import Counts, report_urls
from handlers.imports.keys import ImportJobKey
from handlers.imports.zip.files import child_of
from handlers.imports.zip.report import write_files_report

if TYPE_CHECKING:
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.zip.repository import ArchiveRepository
    from handlers.objects.port import Objects
    from handlers.store.port import Item

FILES_FAILED = "FilesFailed"
NO_ROWS = Counts(0)


@dataclass(frozen=True)
class ImportedFile:
    """A file of an archive. ``job``: the id of its own import; ``report``: URLs of that import's report; ``encoding``:
    in which it was read; ``table``: if known. Other entries are SKIPPED; their ``error`` has the reason.
    """

    name: str
    table: str | None
    status: str
    counts: Counts
    job: str | None = None
    error: Mapping[str, str] | None = None
    report: tuple[str, ...] = ()
    encoding: str | None = None


class ZipFinalizer:
    """Also used for executions that died; repeatable."""

    def __init__(self, repository: ImportRepository, files: ArchiveRepository, objects: Objects) -> None:
        self._repository = repository
        self._files = files
        self._objects = objects

    def __call__(self, run: JobRun, error: Mapping[str, str] | None = None) -> str | None:
        """Set the job's outcome; returns its status, None if there is no such job.

        ``error``: why not all files were processed. The report names each file with its outcome.
        """
        job = self._repository.job(run.key)
        if job is None or job["attempt"] != run.attempt or status.is_terminal(job):
            return None if job is None else str(job["status"])
        files = imported_files(self._repository, self._files, run.key)
        counts = sum((file.counts for file in files), NO_ROWS)
        skipped = [file for file in files if file.status == status.SKIPPED]
        failed = [file for file in files if file.status not in (status.COMPLETED, status.CANCELLED, status.SKIPPED)]
        new = _outcome(files, error, failed)
        total = len(files) - len(skipped)
        fields: dict[str, object] = {**counts.stored(), "totalFiles": total, "failedFiles": len(failed)}
        if skipped or (new != status.COMPLETED and files):
            fields["report"] = [write_files_report(self._objects, run.key, run.attempt, files)]
            fields["reportBucket"] = self._objects.bucket
        if new == status.FAILED:
            fields["error"] = dict(error) if error is not None else _files_failed(failed, total)
        self._repository.change_job(run.key, run.attempt, new, **fields)
        return new


def imported_files(repository: ImportRepository, files: ArchiveRepository, key: ImportJobKey) -> list[ImportedFile]:
    """The files of an archive in order, each with its outcome so far, followed by skipped entries."""
    found = list(files.files(key))
    keys = [child_of(key, file) for file in found if "tableName" in file]
    jobs = dict(zip(keys, files.jobs(keys), strict=True))
    return [_file(repository, file, jobs.get(child_of(key, file)) if "tableName" in file else None) for file in found]


def counts_so_far(files: Sequence[ImportedFile]) -> Counts:
    """The sum of the files' counters; the total is None as long as a file is unread."""
    counts = sum((file.counts for file in files), NO_ROWS)
    unread = any(file.counts.total is None and file.status not in status.TERMINAL for file in files)
    return replace(counts, total=None) if unread or not files else counts


def _file(repository: ImportRepository, file: Item, job: Item | None) -> ImportedFile:
    name, table = file["name"], file.get("tableName")
    if job is None:
        rows = NO_ROWS if "status" in file else Counts(None)
        return ImportedFile(name, table, file.get("status", status.CREATED), rows, error=file.get("error"))
    counts = Counts.from_stored(job)
    if counts is None:
        live = repository.job_and_counts(ImportJobKey.parse_id(job["id"]))
        counts = Counts(None) if live is None else live[1]
    # A file that was given up after a timeout is reported as such, unless it has ended nevertheless.
    given_up = "status" in file and job["status"] not in (status.COMPLETED, status.FAILED)
    shown = file if given_up else job
    report = report_urls(job)
    return ImportedFile(
        name, table, shown["status"], counts, job["id"], shown.get("error"), report, job.get("fileEncoding")
    )


def _outcome(files: list[ImportedFile], error: Mapping[str, str] | None, failed: list[ImportedFile]) -> str:
    if error is not None or failed:
        return status.FAILED
    return status.CANCELLED if any(file.status == status.CANCELLED for file in files) else status.COMPLETED


def _files_failed(failed: list[ImportedFile], total: int) -> dict[str, str]:
    first = failed[0]
    why = "" if first.error is None else f" ({first.error['type']})"
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    return error_of(FILES_FAILED, f"{len(failed)} of {total} files failed: {first.name}{why}{more}; see the report")
