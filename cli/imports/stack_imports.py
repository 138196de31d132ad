"""What ``./cqrs imports`` works with: the stack itself, or its HTTP API."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from cli.doors.port import Imports
from cli.imports.report import MAX_PART_BYTES
from cli.operate.stack import Stack, on_stack
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.imports.jobs.model import ImportJob
from handlers.imports.keys import ImportJobKey
from handlers.imports.service import ImportService
from handlers.imports.zip.finalize import ImportedFile
from handlers.objects.s3 import S3Objects

OPERATOR = "operator"


class StackImports:
    """See ``cli.doors.port.Imports``: on the stack's tables and objects, with our credentials."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._service = ImportService(stack.store, SystemClock(), (), ())  # creates none: no table needs to be known

    def latest(self, tenant: str, table: str | None, limit: int, *, archives: bool) -> list[ImportJob]:
        """See ``Imports``."""
        context = InvokeContext(OPERATOR, tenant)
        return self._service.list_imports(context, table=table, limit=limit, archives=archives)

    def job(self, import_id: str) -> ImportJob:
        """See ``Imports``."""
        return self._service.get_import(import_id, _context(import_id))

    def files(self, import_id: str) -> Sequence[ImportedFile]:
        """See ``Imports``."""
        return self._service.list_files(import_id, _context(import_id))

    def report(self, job: ImportJob) -> Iterator[str]:
        """See ``Imports``."""
        for url in job.report_urls:
            bucket, _, key = url.removeprefix("s3://").partition("/")  # keys hold what would end a path in other URLs
            objects = S3Objects(lambda: self._stack.client("s3"), bucket)
            yield objects.get(key, max_bytes=MAX_PART_BYTES).decode("utf-8-sig")

    def retry(self, import_id: str) -> ImportJob:
        """See ``Imports``."""
        return self._service.retry_failed_rows(import_id, _context(import_id))

    def cancel(self, import_id: str) -> ImportJob:
        """See ``Imports``."""
        return self._service.cancel_import(import_id, _context(import_id))


def _context(import_id: str) -> InvokeContext:
    return InvokeContext(OPERATOR, ImportJobKey.parse_id(import_id).tenant_code)


def on_imports(options: argparse.Namespace, work: Callable[[Imports], int]) -> int:
    """Run a command on what its options name. Returns its exit code. Raises CommandError."""
    if options.api is None:
        return on_stack(options, lambda stack: work(StackImports(stack)))
    from cli.doors.by_api import on_api  # with the client: only where it is asked for
    from cli.doors.imports import ApiImports

    return on_api(options, lambda api: work(ApiImports(api)))
