"""A job's file: pinned when it is first found, inspected, and read row by row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from contract.objects import IMPORTS
from handlers.consumers.failure_policy import Consumer, Outcome, outcome_of
from handlers.core.error_text import error_of, message_of, type_of
from handlers.core.errors import BucketMissing, ObjectChanged, ObjectMissing, ValidationError, shown
from handlers.core.log import log_step, without_text
from handlers.imports.errors import WRONG_PLACE, ImportRefused
from handlers.imports.files.formats import format_of
from handlers.imports.files.limits import CsvLimits
from handlers.imports.files.reader import reader_of
from handlers.objects.source import ObjectInfo, ObjectSource

if TYPE_CHECKING:
    from handlers.imports.files.inspection import Inspection
    from handlers.imports.files.layout import Layout
    from handlers.imports.files.reader import FileRow
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.store.port import Item

#: Errors of the file or the request.
REFUSALS = (BucketMissing, ObjectMissing, ObjectChanged, ImportRefused, ValidationError)


class JobFiles:
    """Reads the files of jobs; repeatable, with the same content."""

    def __init__(
        self,
        repository: ImportRepository,
        source: ObjectSource,
        *,
        limits: CsvLimits | None = None,
        own_bucket: str | None = None,
    ) -> None:
        """``own_bucket``: the stack's, see ``check_place``."""
        self._repository = repository
        self._source = source
        self._own_bucket = own_bucket
        self._limits = limits or CsvLimits()

    def pinned(self, key: ImportJobKey, job: Item) -> ObjectInfo | None:
        """The object as found by the first call; the job then has its counters and is PROCESSING. None: the job was
        already cancelled. Raises REFUSALS.
        """
        pinned: dict[str, Any] | None = job.get("object")
        if pinned is None:
            check_place(job, self._own_bucket)
            info = self._source.find(job["bucket"], job["key"])
            pinned = {"size": info.size, "etag": info.etag, "versionId": info.version_id}
            self._repository.open_shards(key)
            self._repository.begin(key, job["attempt"], pinned)
            # Another call may have been faster, or the job was cancelled.
            pinned = (self._repository.job(key) or job).get("object")
            if pinned is None:
                return None
        return ObjectInfo(job["bucket"], job["key"], pinned["size"], pinned["etag"], pinned["versionId"])

    def inspected(self, job: Item, info: ObjectInfo, layout: Layout) -> Inspection:
        """Inspect the file. Raises REFUSALS."""
        return reader_of(format_of(info.key)).inspect(
            self._opener(info),
            layout,
            versioned=info.version_id is not None,
            encoding=job.get("encoding"),
            limits=self._limits,
        )

    def rows(self, info: ObjectInfo, layout: Layout, found: Inspection) -> Iterator[FileRow]:
        """The rows of an inspected file in order. Raises REFUSALS."""
        return reader_of(format_of(info.key)).rows(self._opener(info), layout, found, self._limits)

    def _opener(self, info: ObjectInfo) -> Callable[[], BinaryIO]:
        return lambda: self._source.open(info)


def check_place(job: Item, own_bucket: str | None) -> None:
    """In the stack's own bucket, only uploaded files may be imported: copies and unpacked archives may belong to other
    tenants. Files of an archive are named by its state machine (``parent``). Raises ImportRefused.
    """
    if job["bucket"] == own_bucket and "parent" not in job and not job["key"].startswith(IMPORTS):
        raise ImportRefused(WRONG_PLACE, f"key {shown(job['key'])}: files in bucket {own_bucket} lie under {IMPORTS}")


def refusal_of(key: ImportJobKey, error: Exception) -> dict[str, str] | None:
    """Why a job's file or archive can't be imported, as the job reports it: one of ``REFUSALS`` or a permanent error.
    It is logged. None: a retry may succeed, or the nature is unknown; then the caller raises the error.
    """
    is_refusal = isinstance(error, REFUSALS)
    if not is_refusal and outcome_of(error, Consumer.IMPORT_JOB) is not Outcome.FAILED:
        return None
    refused = error_of(error.code if isinstance(error, ImportRefused) else type_of(error), message_of(error))
    level = logging.WARNING if is_refusal else logging.ERROR
    where = {} if is_refusal else without_text(error)
    log_step("file refused", level=level, pk=key.pk, sk=key.sk, code=refused["type"], **where)
    return refused
