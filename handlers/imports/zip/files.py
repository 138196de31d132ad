"""Imports one file of an archive at a time: creates its job, waits for it, and cancels it after a timeout."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from handlers.core.error_text import error_of
from handlers.core.errors import TransientConflict, ValidationError, WrongStatus
from handlers.core.log import log_step
from handlers.imports.jobs import status
from handlers.imports.jobs.cancel import request_cancel
from handlers.imports.zip.repository import ArchiveRepository, FileNotOpened, Wait

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.imports.zip.callbacks import Callbacks
    from handlers.store.port import Item

TIMEOUT = "Timeout"
CANCELLED = "Cancelled"
#: How long a cancelled file may take to end (rows whose commands are already running) before the next one starts.
GRACE_SECONDS = 1_800
SHORTEST_WAIT_SECONDS = 10
LONGEST_WAIT_SECONDS = 300


class ZipFiles:
    """``trigger_single_csv`` and ``cancel_single_csv``. Repeated and late calls change nothing."""

    def __init__(
        self, repository: ImportRepository, files: ArchiveRepository, callbacks: Callbacks, clock: Clock
    ) -> None:
        self._repository = repository
        self._files = files
        self._callbacks = callbacks
        self._clock = clock

    def trigger(self, run: JobRun, position: int, wait: Wait) -> None:
        """Start the import of a file; the state with the token continues when it has ended.

        The token is completed at once if the file can't be imported, has already ended, or the archive is cancelled.

        Raises:
            TransientError: retry, possibly with another token.
        """
        archive, file = self._of(run, position)
        if "status" in file:
            child = self._job_of(run.key, file)
            if child is None:
                self._callbacks.skip(wait.token, file["status"])
                return
        child_key = child_of(run.key, file)
        try:
            self._files.open_job(archive, file, child_key, wait)
        except FileNotOpened as refused:
            if refused.is_there:
                self._take_over(child_key, wait)
                return
            if refused.cancelled:
                message = "the import of the archive was cancelled before this file had its turn"
                self._files.end_file(run.key, position, status.CANCELLED, error_of(CANCELLED, message))
            _, file = self._of(run, position)
            self._callbacks.skip(wait.token, file["status"])

    def cancel(self, run: JobRun, position: int, error: dict[str, str]) -> dict[str, Any]:
        """The wait for a file ended without a result: cancel the file, unless it has ended.

        Returns ``{result: ended}``, or ``{result: wait, waitSeconds}`` while its rows run, within ``GRACE_SECONDS``.
        """
        _, file = self._of(run, position)
        child = self._job_of(run.key, file)
        if child is None or not status.is_terminal(child):
            # First, so that a late trigger can't open a job from now on.
            self._files.end_file(run.key, position, status.FAILED, error)
            _, file = self._of(run, position)
            child = self._cancelled(run.key, file)
        if child is None:
            return {"result": "ended"}
        self._files.forget_token(child)
        waited = int(self._clock.now()) - file.get("endedAt", 0)
        if status.is_terminal(child) or waited >= GRACE_SECONDS:
            return {"result": "ended"}
        log_step("file is still running", level=logging.WARNING, pk=child["pk"], sk=child["sk"], waited=waited)
        seconds = min(max(waited, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
        return {"result": "wait", "waitSeconds": seconds}

    def _cancelled(self, archive: ImportJobKey, file: Item) -> Item | None:
        """Request cancellation of the file's job, and return the job."""
        if self._job_of(archive, file) is None:
            return None
        with suppress(WrongStatus):  # it ended meanwhile
            request_cancel(self._repository, child_of(archive, file))
        return self._job_of(archive, file)

    def _take_over(self, child_key: ImportJobKey, wait: Wait) -> None:
        """The job exists: from an earlier try of the state, whose token is void, or from a duplicate of this call."""
        if self._files.wait_for(child_key, wait):
            return
        child = self._repository.job(child_key)
        if child is not None and status.is_terminal(child):
            self._callbacks.send_result(wait.token, child)

    def _of(self, run: JobRun, position: int) -> tuple[Item, Item]:
        archive, file = self._repository.job(run.key), self._files.file(run.key, position)
        if archive is None or file is None or archive["attempt"] != run.attempt:
            raise ValidationError("input.position", position, f"the position of a file of {run.key}")
        return archive, file

    def _job_of(self, archive: ImportJobKey, file: Item) -> Item | None:
        return None if "tableName" not in file else self._repository.job(child_of(archive, file))


def child_of(archive: ImportJobKey, file: Item) -> ImportJobKey:
    """The job that imports a file."""
    return archive.child(file["tableName"], file["position"])


class ZipCanceller:
    """Cancels the file that is being imported when its archive is cancelled; later files then don't start."""

    def __init__(self, repository: ImportRepository, files: ArchiveRepository) -> None:
        self._repository = repository
        self._files = files

    def __call__(self, key: ImportJobKey) -> str | None:
        """Cancel the file; returns the archive's status, None if there is no such job. Raises TransientConflict."""
        archive = self._repository.job(key)
        if archive is None or status.is_terminal(archive) or "current" not in archive:
            return None if archive is None else str(archive["status"])
        file = self._files.file(key, archive["current"])
        if file is None:
            raise TransientConflict(f"{key}: file {archive['current']} is not there yet")
        with suppress(WrongStatus):  # it has ended
            request_cancel(self._repository, child_of(key, file))
        return str(archive["status"])
