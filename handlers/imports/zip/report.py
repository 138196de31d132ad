"""The report of an archive: a CSV file with one line per file, which names that file's own report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contract.objects import REPORTS
from handlers.imports.files.spreadsheet import BYTE_ORDER_MARK, line_of, neutralised
from handlers.imports.jobs.report import CSV_TYPE

if TYPE_CHECKING:
    from handlers.imports.keys import ImportJobKey
    from handlers.imports.zip.finalize import ImportedFile
    from handlers.objects.port import Objects

COLUMNS = ("file", "table", "status", "code", "message", "rows", "succeeded", "failed", "encoding", "job", "report")


def write_files_report(objects: Objects, key: ImportJobKey, attempt: int, files: Sequence[ImportedFile]) -> str:
    """Write the report; returns the object's key. A repeated call writes the same."""
    name = f"{REPORTS}{key.tenant_code}/{key.ulid}/{attempt}/files.csv"
    objects.put(name, files_report(files), content_type=CSV_TYPE)
    return name


def files_report(files: Sequence[ImportedFile]) -> bytes:
    """The report's bytes, safe for spreadsheets like the report of rows."""
    lines = [line_of(COLUMNS)]
    for file in files:
        error = file.error or {}
        counts = file.counts
        leading = (file.name, file.table or "", file.status, error.get("type", ""), error.get("message", ""))
        numbers = (counts.total or 0, counts.succeeded, counts.failed)
        others = (file.encoding or "", file.job or "", " ".join(file.report))
        lines.append(line_of(map(neutralised, (*leading, *numbers, *others))))
    return (BYTE_ORDER_MARK + "".join(lines)).encode()
