"""``./cqrs imports report``: print the failed rows of an import, or the files of an archive, from their report."""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from cli.doors.port import Imports
from cli.errors import CommandError
from cli.operate.arguments import positive
from cli.output import as_json, table
from cli.terminal import complain, show, write
from contract.work_status import FAILED
from contract.work_status import IMPORT_TERMINAL as TERMINAL
from handlers.imports.files.layout import REPORT_COLUMNS
from handlers.imports.files.spreadsheet import BYTE_ORDER_MARK, restored
from handlers.imports.jobs.model import ImportJob
from handlers.imports.keys import ZIP_IMPORT_KIND
from handlers.operations.key_text import pasteable

SHOWN_ROWS = 50
SHOWN_CHARS = 60
#: Far above the size of a part (``handlers.imports.jobs.report.PART_BYTES``); an archive's files are in one part.
MAX_PART_BYTES = 256 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs imports report``, except those of all actions."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--csv", action="store_true", help="print the report itself, to be corrected and imported")
    forms.add_argument(
        "--path", action="store_true", help="print only its location: s3://bucket/key, one line per part"
    )
    parser.add_argument(
        "--limit", type=positive, default=SHOWN_ROWS, help=f"maximum number of rows in the table (default {SHOWN_ROWS})"
    )


def report(imports: Imports, job: ImportJob, options: argparse.Namespace) -> int:
    """Print the report of a job in the form that the options ask for.

    Raises:
        CommandError: the job has no report yet, or was refused before a row was read.
        CqrsError: the report no longer exists, or access to it is denied.
    """
    if job.status not in TERMINAL:
        raise CommandError(f"{job.id}: {job.status}; the report is written when the import ends")
    if not job.report_urls:
        if job.status == FAILED:
            why = "" if job.error is None else f": {job.error['type']}: {job.error['message']}"
            raise CommandError(f"{job.id}: there is no report, because no row was read{why}")
        complain(f"{job.id}: {job.status}, nothing failed; there is no report")
        return 0
    if options.path:
        show("\n".join(job.report_urls))
        return 0
    csv.field_size_limit(MAX_PART_BYTES)  # the module's default is below the maximum of a row
    parts = imports.report(job)
    if options.csv:
        _print_csv(parts)
        return 0
    header, lines = _lines_of(parts)
    show(as_json(_plain(job, header, lines)) if options.json else _rendered(job, header, lines, options.limit))
    return 0


def _print_csv(parts: Iterator[str]) -> None:
    """Print all parts as one file, byte for byte; on a terminal, control characters are escaped."""
    for number, part in enumerate(parts):
        lines = iter(io.StringIO(part, newline=""))
        if number:
            next(csv.reader(lines))
        text = "".join(lines)
        if sys.stdout.isatty():
            show(text.replace("\r\n", "\n").removesuffix("\n"))
        else:
            write(sys.stdout, text if number else BYTE_ORDER_MARK + text)


def _lines_of(parts: Iterator[str]) -> tuple[list[str], Iterator[list[str]]]:
    """The header, and the lines of all parts with their original values."""
    readers = (csv.reader(io.StringIO(part, newline="")) for part in parts)
    first = next(readers)
    header = list(map(restored, next(first)))
    others = (line for reader in readers for line in itertools.islice(reader, 1, None))
    return header, (list(map(restored, line)) for line in itertools.chain(first, others))


def _plain(job: ImportJob, header: Sequence[str], lines: Iterator[list[str]]) -> dict[str, Any]:
    result = {"id": job.id, "status": job.status, "encoding": job.encoding, "report": list(job.report_urls)}
    if job.key.kind == ZIP_IMPORT_KIND:
        return {**result, "files": [dict(zip(header, line, strict=True)) for line in lines]}
    front = len(REPORT_COLUMNS)
    rows = []
    for line in lines:
        number, physical, code, message = line[:front]
        row = {"row": int(number), "line": int(physical), "code": code, "message": message}
        row["values"] = dict(zip(header[front:], line[front:], strict=False))
        rows.append({**row, "beyond": line[len(header) :]} if len(line) > len(header) else row)
    return {**result, "rows": rows}


def _rendered(job: ImportJob, header: Sequence[str], lines: Iterator[list[str]], limit: int) -> str:
    shown = list(itertools.islice(lines, limit))
    more = sum(1 for _ in lines)
    if job.key.kind == ZIP_IMPORT_KIND:
        text = table(f"Files of {pasteable(job.id)}", shown, header=header)
    else:
        front = len(REPORT_COLUMNS)
        rows = [
            (int(number), int(physical), code, message, _cut(",".join(values)))
            for number, physical, code, message, *values in shown
        ]
        text = table(f"Failed rows of {pasteable(job.id)}", rows, header=[*header[:front], "values"])
    left = f"\n\n{more:,} more; --limit N shows more, --csv all of them" if more else ""
    encoding = () if job.encoding is None else (f"encoding of the file: {job.encoding}",)
    return "\n".join((f"{text}{left}\n", *encoding, *(f"report: {url}" for url in job.report_urls)))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 3]}..."
