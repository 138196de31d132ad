"""``Imports`` by the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cli.doors.by_api import Api
from cli.doors.failures import error_of
from cqrs_client import models
from cqrs_client.imports import Imports
from handlers.imports.jobs.model import SHARD_COUNTERS, Counts, ImportJob, Reason
from handlers.imports.keys import ImportJobKey
from handlers.imports.zip.finalize import ImportedFile


class ApiImports:
    """See ``cli.doors.port.Imports``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def latest(self, tenant: str, table: str | None, limit: int, *, archives: bool) -> list[ImportJob]:
        """See ``Imports``."""
        jobs = self._api.of(tenant).imports.list(table=table, archives=archives, page=limit)
        return [_job(one) for one in islice(jobs, limit)]

    def tables(self, tenant: str) -> Sequence[str]:
        """See ``Imports``."""
        return self._api.of(tenant).operations.catalogue().import_tables

    def begin(self, tenant: str, file: Path, table: str | None, *, encoding: str | None, mode: str | None) -> ImportJob:
        """See ``Imports``."""
        imports = self._api.of(tenant).imports
        return _job(imports.create(imports.upload(file), table, encoding=encoding, mode=mode))

    def job(self, import_id: str) -> ImportJob:
        """See ``Imports``."""
        return _job(self._of(import_id).get(import_id))

    def files(self, import_id: str) -> Sequence[ImportedFile]:
        """See ``Imports``."""
        return [
            ImportedFile(
                name=one.name,
                table=one.table,
                status=one.status,
                counts=_counts(one.counts),
                job=one.id,
                error=error_of(one.error),
                report=one.report,
                encoding=one.encoding,
            )
            for one in self._of(import_id).files(import_id)
        ]

    def report(self, job: ImportJob) -> Iterator[str]:
        """See ``Imports``."""
        for part in self._of(job.id).report(job.id):
            yield part.decode("utf-8-sig")

    def retry(self, import_id: str) -> ImportJob:
        """See ``Imports``."""
        return _job(self._of(import_id).retry(import_id))

    def cancel(self, import_id: str) -> ImportJob:
        """See ``Imports``."""
        return _job(self._of(import_id).cancel(import_id))

    def _of(self, import_id: str) -> Imports:
        return self._api.of(ImportJobKey.parse_id(import_id).tenant_code).imports


def _counts(one: models.Counts) -> Counts:
    return Counts(one.total, **{name: getattr(one, name) for name in SHARD_COUNTERS})


def _job(one: models.Import) -> ImportJob:
    return ImportJob(
        id=one.id,
        table=one.table,
        status=one.status,
        attempt=one.attempt,
        mode=one.mode,
        bucket=one.bucket,
        object_key=one.key,
        counts=_counts(one.counts),
        created_at=one.created_at,
        created_by=one.created_by,
        updated_at=one.updated_at,
        error=error_of(one.error),
        report_urls=one.report,
        reasons=tuple(Reason(r.code, r.rows, r.row, r.line, r.message) for r in one.reasons),
        is_cancelling=one.is_cancelling,
        started_at=one.started_at,
        encoding=one.encoding,
        ignored=one.ignored_rows,
        files=one.files,
        failed_files=one.failed_files,
        parent=one.parent,
        file=one.file,
    )
