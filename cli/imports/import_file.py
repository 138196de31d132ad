"""``./cqrs import``: uploads a CSV or JSON Lines file, or an archive, to the stack's bucket and imports it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.doors.port import Imports
from cli.errors import CommandError
from cli.imports.jobs import reading
from cli.imports.stack_imports import ARCHIVE, on_imports
from cli.operate.arguments import add_stack
from cli.output import Progress, as_json, table
from cli.terminal import show
from contract.work_status import COMPLETED, SKIPPED
from contract.work_status import IMPORT_TERMINAL as TERMINAL
from handlers.imports.encodings.catalogue import check_utf_8, encoding_named
from handlers.imports.files.formats import JSON_LINES, format_of
from handlers.imports.jobs.model import MODES, ImportJob, Reason
from handlers.imports.strategy import unknown_table
from handlers.imports.zip.finalize import ImportedFile
from handlers.operations.key_text import pasteable

POLL_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs import``."""
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="a CSV or JSON Lines file (.jsonl, .ndjson), or a ZIP archive of such files",
    )
    parser.add_argument(
        "--table", help="the import strategy's table; for an archive only if its file names don't contain it"
    )
    parser.add_argument("--tenant", required=True, help="tenant that the rows belong to")
    parser.add_argument("--encoding", help="encoding, if it can't be detected: CP932, CP1252, GB18030, ISO-8859-2, ...")
    parser.add_argument(
        "--mode",
        choices=MODES,
        help="DIRECT: in one function call; STEP_FUNCTION: by the import-csv machine; default: by the number of rows",
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait until every row has its outcome; exit code 1 if some failed"
    )
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Upload and import. Raises CommandError."""
    return on_imports(options, lambda imports: import_file(imports, options))


def import_file(imports: Imports, options: argparse.Namespace, sleep: Callable[[float], None] = time.sleep) -> int:
    """See ``run``."""
    file: Path = options.file
    is_archive = file.suffix.lower() == ARCHIVE
    if options.encoding is not None:
        encoding_named(options.encoding)
        if format_of(file.name) is JSON_LINES:
            check_utf_8(options.encoding)
    if is_archive and options.mode is not None:
        raise CommandError("--mode is for a single file; for the files of an archive their number of rows decides")
    tables = imports.tables(options.tenant)
    if options.table is None and not is_archive:
        raise CommandError(f"--table is needed for a single file: {', '.join(tables)}")
    if options.table not in (None, *tables):  # before anything is uploaded
        raise unknown_table(options.table, tables)
    try:
        file.open("rb").close()
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}") from error
    job = imports.begin(options.tenant, file, options.table, encoding=options.encoding, mode=options.mode)
    if options.wait:
        job = _wait(imports, job, sleep)
    files = imports.files(job.id) if is_archive else []
    show(as_json(plain(job, files)) if options.json else rendered(job, files))
    return 0 if not options.wait or job.status == COMPLETED else 1


def _wait(imports: Imports, job: ImportJob, sleep: Callable[[float], None]) -> ImportJob:
    progress = Progress("import", job.counts.total)
    while job.status not in TERMINAL:
        sleep(POLL_SECONDS)
        job = imports.job(job.id)
        progress.show(job.counts.processed, total=job.counts.total)
    progress.end()
    return job


def plain(job: ImportJob, files: Sequence[ImportedFile] = ()) -> dict[str, Any]:
    """The result as JSON."""
    result = {
        "id": job.id,
        "status": job.status,
        "mode": job.mode,
        "counts": asdict(job.counts),
        "ignoredRows": job.ignored,
        "encoding": job.encoding,
        "error": job.error,
        "reasons": [asdict(reason) for reason in job.reasons],
        "report": list(job.report_urls),
    }
    return {**result, "files": [asdict(file) for file in files]} if files else result


def rendered(job: ImportJob, files: Sequence[ImportedFile] = ()) -> str:
    """The result as a table."""
    rows: list[tuple[str, object]] = [("status", job.status)]
    if job.mode is not None:
        rows.append(("mode", job.mode))
    if job.counts.total is not None:
        rows += [(name, number) for name, number in asdict(job.counts).items() if number or name == "total"]
    rows += reading(job)
    if job.error is not None:
        rows.append(("error", f"{job.error['type']}: {job.error['message']}"))
    rows += [("report", url) for url in job.report_urls]
    rows += [("reason", _reason(reason)) for reason in job.reasons]
    if job.reasons:
        rows.append(("failed rows", f"./cqrs imports report {pasteable(job.id)}"))
    rows += [(file.name, _outcome(file)) for file in files]
    return table(pasteable(job.id), rows)


def _reason(reason: Reason) -> str:
    return f"{reason.code}: {reason.rows} rows, the first is row {reason.row} (line {reason.line}): {reason.message}"


def _outcome(file: ImportedFile) -> str:
    error = "" if file.error is None else f", {file.error['type']}: {file.error['message']}"
    rows = "" if file.counts.total is None or file.status == SKIPPED else f", {file.counts.total} rows"
    return "".join((file.status, rows, error, *(f", {url}" for url in file.report)))
