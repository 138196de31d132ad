"""Notifies an archive's state machine when the job of one of its files has ended.

The job's outcome is stored before the token is read here; ``trigger_single_csv`` stores its token on condition that
there is no outcome, and completes it itself if there is one. So one of the two sees both, in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.core.log import log_step
from handlers.imports.jobs import status
from handlers.imports.jobs.model import Counts
from handlers.imports.zip.repository import TOKEN, ArchiveRepository

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.state_machines.port import StateMachines
    from handlers.store.port import Item


class Callbacks:
    """Sends a file's outcome to the state machine, as data and never as a failure; repeatable."""

    def __init__(self, repository: ImportRepository, files: ArchiveRepository, state_machines: StateMachines) -> None:
        self._repository = repository
        self._files = files
        self._state_machines = state_machines

    def __call__(self, key: ImportJobKey) -> None:
        """Resume the state machine that waits for an ended job, if any. Raises TransientError."""
        job = self._repository.job(key)
        if job is not None and status.is_terminal(job):
            self.answer(job)

    def answer(self, job: Item) -> None:
        """Send a job's current outcome, then remove its token. A used or expired token counts as completed."""
        if TOKEN not in job:
            return
        self.send_result(job[TOKEN], job)
        self._files.forget_token(job)

    def send_result(self, token: str, job: Item) -> None:
        """Complete a token with a job's current outcome."""
        answered = self._state_machines.resume(token, outcome_of_file(job["status"], Counts.from_stored(job)))
        log_step("file answered" if answered else "no execution waits for the file", pk=job["pk"], sk=job["sk"])

    def skip(self, token: str, job_status: str) -> None:
        """Complete the token of a state whose file has no job."""
        self._state_machines.resume(token, outcome_of_file(job_status, None))


def outcome_of_file(job_status: str, counts: Counts | None) -> dict[str, Any]:
    """The state machine's input about a file; small, whatever the file."""
    return {"status": job_status, "counts": {} if counts is None else counts.stored()}
