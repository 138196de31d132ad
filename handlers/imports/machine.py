"""The machine that imports large files: which attempt of which job an execution works on, and how it is started."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from handlers.keys import ImportJobKey, check_version_number
from handlers.objects.source import ObjectInfo
from handlers.store.port import Item
from handlers.workflows.port import Workflows
from handlers.workflows.state_payload import check_fields


@dataclass(frozen=True, slots=True)
class CsvRun:
    """One attempt of a job."""

    key: ImportJobKey
    attempt: int

    @classmethod
    def parse(cls, given: Any) -> CsvRun:
        """From the execution's input, or from what each of its children gets. Raises ValidationError."""
        fields = check_fields(given, ("jobKey", "attempt"))
        attempt = check_version_number("Execution.Input.attempt", fields["attempt"])
        return cls(ImportJobKey.parse_id(fields["jobKey"]), attempt)

    @property
    def execution_name(self) -> str:
        """A pure function of the attempt, so that a repeated start finds the execution that is there."""
        return hashlib.sha256("\0".join((self.key.id, str(self.attempt))).encode()).hexdigest()


class CsvMachine:
    """Starts executions of ``import-csv``."""

    def __init__(self, workflows: Workflows, machine_arn: str) -> None:
        self._workflows = workflows
        self._machine_arn = machine_arn

    def start(self, key: ImportJobKey, job: Item, info: ObjectInfo) -> None:
        """Import the file as it is pinned. One that has been started is not started again. Raises TransientError."""
        run = CsvRun(key, job["attempt"])
        payload = {
            "jobKey": key.id,
            "bucket": info.bucket,
            "key": info.key,
            "versionId": info.version_id,
            "tableName": job["tableName"],
            "tenantCode": job["tenantCode"],
            "attempt": run.attempt,
        }
        self._workflows.start(self._machine_arn, run.execution_name, payload)
