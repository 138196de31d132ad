"""Access of ``./cqrs import`` and ``./cqrs imports`` to the stack itself, or the choice of its HTTP API."""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from cli.doors.port import Imports
from cli.imports.report import MAX_PART_BYTES
from cli.operate.collaborators import collaborators_of
from cli.operate.stack import Stack, on_stack
from contract.functions import LOADER
from contract.objects import IMPORTS
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.entrypoints.wiring.settings import LoaderSettings
from handlers.imports.files.formats import format_of
from handlers.imports.jobs.model import ImportJob
from handlers.imports.keys import ImportJobKey
from handlers.imports.service import ImportService
from handlers.imports.strategy import load_import_tables
from handlers.imports.zip.finalize import ImportedFile
from handlers.objects.s3 import S3Objects

OPERATOR = "operator"
ARCHIVE = ".zip"
ZIP_TYPE = "application/zip"


class StackImports:
    """``cli.doors.port.Imports`` on the stack's tables and objects, with the user's credentials."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._service = ImportService(stack.store, SystemClock(), (), ())  # creates no imports, so it needs no tables

    @cached_property
    def _loader(self) -> LoaderSettings:
        return LoaderSettings(self._stack.environment_of(LOADER))

    @cached_property
    def _tables(self) -> Sequence[str]:
        """Every strategy is instantiated, so that a faulty one is reported before anything is uploaded."""
        settings = self._loader
        return load_import_tables(settings.handler_modules, collaborators_of(self._stack, settings)).names

    def tables(self, tenant: str) -> Sequence[str]:
        """See ``Imports``."""
        return self._tables

    def begin(self, tenant: str, file: Path, table: str | None, *, encoding: str | None, mode: str | None) -> ImportJob:
        """See ``Imports``."""
        settings, context = self._loader, InvokeContext(OPERATOR, tenant).checked()
        service = ImportService(self._stack.store, SystemClock(), self._tables, settings.import_buckets)
        is_archive = file.suffix.lower() == ARCHIVE
        key = self._upload(file, tenant, ZIP_TYPE if is_archive else format_of(file.name).content_type)
        if table is None or is_archive:
            return service.create_zip_import(settings.bucket, key, context, table=table, encoding=encoding)
        return service.create_csv_import(table, settings.bucket, key, context, mode=mode, encoding=encoding)

    def _upload(self, path: Path, tenant: str, content_type: str) -> str:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            name = re.sub(r"[^A-Za-z0-9._-]", "_", path.name)[-100:]
            key = f"{IMPORTS}{tenant}/{digest[:16]}/{name}"
            bucket = self._loader.bucket
            self._stack.client("s3").put_object(Bucket=bucket, Key=key, Body=file, ContentType=content_type)
        return key

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
            bucket, _, key = url.removeprefix("s3://").partition("/")  # keys may contain '?' and '#'
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
    """Run a command on the stack or API that its options name. Returns its exit code. Raises CommandError."""
    if options.api is None:
        return on_stack(options, lambda stack: work(StackImports(stack)))
    from cli.doors.by_api import on_api  # imports the client, which is only needed here
    from cli.doors.imports import ApiImports

    return on_api(options, lambda api: work(ApiImports(api)))
