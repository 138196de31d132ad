"""Details of an import for the commands: why rows failed, and the outcome of an archive's files."""

from __future__ import annotations

from collections.abc import Sequence

from cli.output import table
from contract.work_status import SKIPPED
from handlers.imports.jobs.model import ImportJob
from handlers.imports.zip.finalize import ImportedFile
from handlers.operations.key_text import pasteable


def details(job: ImportJob, files: Sequence[ImportedFile] = ()) -> list[str]:
    """The tables of a job: failed rows by code, files in import order, and skipped entries."""
    imported = [file for file in files if file.status != SKIPPED]
    skipped = [
        (file.name, file.error["message"]) for file in files if file.status == SKIPPED and file.error is not None
    ]
    tables = []
    if job.reasons:
        rows = [(one.code, one.rows, one.row, one.line, one.message) for one in job.reasons]
        header = ("code", "rows", "first row", "line", "message")
        tables.append(
            table(
                f"Why rows failed (to see all of them: ./cqrs imports report {pasteable(job.id)})", rows, header=header
            )
        )
    if imported:
        rows_of_files = [_file(file) for file in imported]
        tables.append(table("Files", rows_of_files, header=("file", "status", "rows", "failed", "error", "report")))
    if skipped:
        tables.append(table("Skipped", skipped, header=("entry", "reason")))
    return tables


def _file(file: ImportedFile) -> tuple[object, ...]:
    error = "" if file.error is None else f"{file.error['type']}: {file.error['message']}"
    total = "" if file.counts.total is None else file.counts.total
    return file.name, file.status, total, file.counts.failed, error, " ".join(file.report)
