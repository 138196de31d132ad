"""``./cqrs imports list | show | report | retry | cancel``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cli.doors.port import Imports
from cli.imports import report as import_report
from cli.imports.details import details
from cli.imports.stack_imports import on_imports
from cli.operate.arguments import add_stack, positive
from cli.output import as_json, table
from cli.pace import pace_words
from cli.terminal import show
from contract.work_status import PROCESSING
from handlers.core.clock import SystemClock, seconds_of
from handlers.imports.jobs.model import ImportJob
from handlers.imports.keys import ZIP_IMPORT_KIND, ImportJobKey
from handlers.imports.service import MAX_LISTED
from handlers.imports.zip.finalize import ImportedFile
from handlers.operations.key_text import pasteable

ID_HELP = "CSV_IMPORT#<tenant>#<table>#<ulid> or ZIP_IMPORT#...: the id of an alarm, of `import` or of `list`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs imports``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the latest imports of a tenant")
    listing.add_argument("--tenant", required=True, help="whose imports")
    listing.add_argument("--table", help="only imports of this table")
    listing.add_argument("--archives", action="store_true", help="list archives instead of single files")
    listing.add_argument(
        "--limit", type=positive, default=20, help=f"maximum number of imports (default 20, up to {MAX_LISTED})"
    )
    show = actions.add_parser("show", help="show one import: its status, counters, errors by reason, files and report")
    report = actions.add_parser("report", help="print the failed rows of an import, or the files of an archive")
    import_report.add_arguments(report)
    retry = actions.add_parser(
        "retry", help="retry the failed rows of a FAILED import, and rows that were never loaded"
    )
    cancel = actions.add_parser(
        "cancel", help="import no further rows; rows whose command is published complete normally"
    )
    for one in (show, report, retry, cancel):
        one.add_argument("id", metavar="ID", help=ID_HELP)
    for one in (listing, show, report, retry, cancel):
        add_stack(one)


def run(options: argparse.Namespace) -> int:
    """Run the action. Raises CommandError."""
    return on_imports(options, lambda imports: run_on(imports, options))


def run_on(service: Imports, options: argparse.Namespace) -> int:
    """See ``run``. ``service``: the stack or its API."""
    if options.action == "list":
        jobs = service.latest(options.tenant, options.table, options.limit, archives=options.archives)
        show(as_json([_entry(one) for one in jobs]) if options.json else _listed(jobs, options.tenant))
        return 0
    key = ImportJobKey.parse_id(options.id)
    if options.action == "report":
        return import_report.report(service, service.job(options.id), options)
    actions = {"show": service.job, "retry": service.retry, "cancel": service.cancel}
    job = actions[options.action](options.id)
    files = service.files(job.id) if key.kind == ZIP_IMPORT_KIND else []
    show(as_json(_entry(job, files)) if options.json else _shown(job, files, SystemClock().now()))
    return 0


def _entry(job: ImportJob, files: Sequence[ImportedFile] = ()) -> dict[str, Any]:
    given = {
        "id": job.id,
        "status": job.status,
        "attempt": job.attempt,
        "counts": asdict(job.counts),
        "ignoredRows": job.ignored,
        "encoding": job.encoding,
        "isCancelling": job.is_cancelling,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "createdBy": job.created_by,
        "error": job.error,
        "reasons": list(job.reasons) or None,
        "report": list(job.report_urls),
        "files": list(files) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _listed(jobs: list[ImportJob], tenant: str) -> str:
    if not jobs:
        return f"no imports of tenant {tenant}"
    rows = [(pasteable(one.id), _status(one), one.attempt, _progress(one), one.created_at) for one in jobs]
    return table("Imports", rows, header=("import", "status", "attempt", "rows", "created"))


def _shown(job: ImportJob, files: Sequence[ImportedFile], now: float) -> str:
    rows: list[tuple[str, object]] = [
        ("status", _status(job)),
        ("attempt", job.attempt),
        ("file", f"s3://{job.bucket}/{job.object_key}"),
        ("created", f"{job.created_at} by {job.created_by}"),
        ("updated", job.updated_at),
        ("rows", _progress(job)),
        *(("pace", words) for words in [pace_of(job, now)] if words),
        *reading(job),
    ]
    if job.error is not None:
        rows.append(("error", f"{job.error['type']}: {job.error['message']}"))
    rows += (("report", url) for url in job.report_urls)
    return "\n\n".join([table(pasteable(job.id), rows), *details(job, files)])


def reading(job: ImportJob) -> list[tuple[str, object]]:
    """How the file was read, once it has been."""
    rows: list[tuple[str, object]] = [] if job.encoding is None else [("encoding", job.encoding)]
    return [*rows, ("ignored", f"{job.ignored} rows without values")] if job.ignored else rows


def _status(job: ImportJob) -> str:
    return f"{job.status} (cancelling)" if job.is_cancelling else job.status


def pace_of(job: ImportJob, now: float) -> str:
    """The mean rate of a running job since it started, and the remaining time. Empty for later attempts, for which it
    would be misleading: they start with the rows that are already done.
    """
    counts = job.counts
    if job.status != PROCESSING or job.attempt > 1 or counts.total is None or not job.started_at:
        return ""
    seconds = now - seconds_of(job.started_at)
    if seconds <= 0:
        return ""
    return pace_words(counts.processed / seconds, counts.total - counts.processed)


def _progress(job: ImportJob) -> str:
    counts = job.counts
    if counts.total is None:
        return "not read yet"
    parts = {"failed": counts.failed, "superseded": counts.superseded, "cancelled": counts.cancelled}
    others = "".join(f", {number} {name}" for name, number in parts.items() if number)
    return f"{counts.succeeded} of {counts.total} done{others}"
