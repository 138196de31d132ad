"""The machine that imports the files of an archive one after the other: which job it works on, and how it starts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from handlers.imports import status
from handlers.imports.book import ImportBook
from handlers.keys import ImportJobKey, check_version_number
from handlers.workflows.port import Workflows
from handlers.workflows.state_payload import check_fields


@dataclass(frozen=True, slots=True)
class ZipRun:
    """One attempt of a job."""

    key: ImportJobKey
    attempt: int

    @classmethod
    def parse(cls, given: Any) -> ZipRun:
        """From the execution's input. Raises ValidationError."""
        fields = check_fields(given, ("jobKey", "attempt"))
        attempt = check_version_number("Execution.Input.attempt", fields["attempt"])
        return cls(ImportJobKey.parse_id(fields["jobKey"]), attempt)

    @property
    def execution_name(self) -> str:
        """A pure function of the attempt, so that a repeated start finds the execution that is there."""
        return hashlib.sha256("\0".join((self.key.id, str(self.attempt))).encode()).hexdigest()


class ZipMachine:
    """Starts executions of ``import-zip``."""

    def __init__(self, book: ImportBook, workflows: Workflows, machine_arn: str) -> None:
        self._book = book
        self._workflows = workflows
        self._machine_arn = machine_arn

    def __call__(self, key: ImportJobKey) -> None:
        """Import an archive; one that has been started, or is over, is not started again. Raises TransientError."""
        job = self._book.job(key)
        if job is None or status.is_terminal(job):
            return
        run = ZipRun(key, job["attempt"])
        payload = {"jobKey": key.id, "tenantCode": key.tenant_code, "attempt": run.attempt}
        self._workflows.start(self._machine_arn, run.execution_name, payload)
