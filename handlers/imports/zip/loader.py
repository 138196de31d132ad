"""``zip_loader``: unpacks the files of an archive into the stack's bucket, with one row in ``import_tmp`` each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from contract.objects import ZIP
from handlers.core.error_text import error_of
from handlers.core.errors import ValidationError
from handlers.core.log import log_step
from handlers.imports.errors import NO_TABLE, UNKNOWN_TABLE, ImportRefused
from handlers.imports.files.formats import format_of
from handlers.imports.jobs import status
from handlers.imports.jobs.job_file import check_place, refusal_of
from handlers.imports.zip.archive import UNREADABLE_ENTRY, Archive, CsvEntry, ZipLimits
from handlers.imports.zip.object_ranges import ObjectRanges
from handlers.objects.source import ObjectInfo, ObjectSource

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.imports.strategy import ImportTables
    from handlers.imports.zip.repository import ArchiveRepository
    from handlers.objects.port import Objects
    from handlers.store.port import Item

#: The next step of the archive's job: there are files to import, more to unpack, or nothing to do.
READY, MORE, ENDED = "ready", "more", "ended"
#: How long one call starts unpacking files, which leaves two thirds of the function's time to the last one.
UNPACK_SECONDS = 300


class ZipLoader:
    """May be called again for the same job: it continues with the files that aren't unpacked yet."""

    def __init__(
        self,
        repository: ImportRepository,
        files: ArchiveRepository,
        source: ObjectSource,
        objects: Objects,
        tables: ImportTables,
        clock: Clock,
        limits: ZipLimits,
        *,
        own_bucket: str | None = None,
    ) -> None:
        """``own_bucket``: the stack's, see ``check_place``."""
        self._repository = repository
        self._files = files
        self._source = source
        self._objects = objects
        self._tables = tables
        self._clock = clock
        self._limits = limits
        self._own_bucket = own_bucket

    def __call__(self, run: JobRun) -> dict[str, Any]:
        """Unpack for ``UNPACK_SECONDS``, but at least one file; returns ``{result}``, READY with ``positions``.

        An archive that can't be imported makes the job FAILED; none of its files is started.

        Raises:
            TransientError: retry. An error of unknown nature is caught by the state machine, which makes the job
                FAILED.
        """
        job = self._repository.job(run.key)
        if job is None or job["attempt"] != run.attempt or status.is_terminal(job):
            return {"result": ENDED}
        if "totalFiles" in job:
            return _ready(job["totalFiles"])
        try:
            info = self._pinned(run.key, job)
            if info is None:
                return {"result": ENDED}
            archive = Archive(ObjectRanges(self._source, info), self._limits, job.get("table"))
            if not self._unpack(run, archive):
                return {"result": MORE}
        except Exception as error:
            refused = refusal_of(run.key, error)
            if refused is None:
                raise
            self._repository.change_job(run.key, run.attempt, status.FAILED, error=refused)
            return {"result": ENDED}
        total = len(archive.files)
        numbers = {"totalFiles": total, "skippedFiles": len(archive.skipped)}
        self._repository.change_job(run.key, run.attempt, status.PROCESSING, **numbers)
        return _ready(total)

    def _pinned(self, key: ImportJobKey, job: Item) -> ObjectInfo | None:
        """The archive as found by the first call; later calls read the same. None: the job was already cancelled."""
        pinned: dict[str, Any] | None = job.get("object")
        if pinned is None:
            check_place(job, self._own_bucket)
            info = self._source.find(job["bucket"], job["key"])
            self._repository.begin(
                key, job["attempt"], {"size": info.size, "etag": info.etag, "versionId": info.version_id}
            )
            # Another call may have been faster, or the job was cancelled.
            pinned = (self._repository.job(key) or job).get("object")
            if pinned is None:
                return None
        return ObjectInfo(job["bucket"], job["key"], pinned["size"], pinned["etag"], pinned["versionId"])

    def _unpack(self, run: JobRun, archive: Archive) -> bool:
        """Unpack files. Returns whether all are unpacked and skipped entries are recorded."""
        started = self._clock.now()
        done = {file["position"] for file in self._files.files(run.key)}
        left = [entry for entry in archive.files if entry.position not in done]
        for number, entry in enumerate(left):
            if number and self._clock.now() - started >= UNPACK_SECONDS:
                return False
            self._one(run, archive, entry)
        for skipped in archive.skipped:
            if skipped.position not in done:
                self._files.add_skipped(run.key, skipped)
        return True

    def _one(self, run: JobRun, archive: Archive, entry: CsvEntry) -> None:
        problem = self._problem_of(entry)
        if problem is None:
            key = f"{ZIP}{run.key.tenant_code}/{run.key.ulid}/{run.attempt}/{entry.key_part}"
            try:
                size = self._objects.write(key, archive.content(entry), content_type=format_of(key).content_type)
            except ImportRefused as error:
                if error.code != UNREADABLE_ENTRY:
                    raise
                problem = error_of(error.code, str(error))
            else:
                self._files.add_file(run.key, entry, bucket=self._objects.bucket, key=key, bytes=size)
                return
        log_step("file refused", level=logging.WARNING, pk=run.key.pk, sk=run.key.sk, code=problem["type"])
        self._files.add_file(run.key, entry, status=status.FAILED, error=problem)

    def _problem_of(self, entry: CsvEntry) -> dict[str, str] | None:
        if entry.table is None:
            message = "the name has no table; expected <14 digits>-<table>.csv, or a table given for all files"
            return error_of(NO_TABLE, message)
        try:
            self._tables.of(entry.table)
        except ValidationError as error:
            return error_of(UNKNOWN_TABLE, str(error))
        return None


def _ready(total: int) -> dict[str, Any]:
    return {"result": READY, "positions": list(range(total))}
