"""Starts the state machine that imports large files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.imports.jobs.job_run import JobRun

if TYPE_CHECKING:
    from handlers.imports.keys import ImportJobKey
    from handlers.objects.source import ObjectInfo
    from handlers.state_machines.port import StateMachines
    from handlers.store.port import Item


class CsvMachine:
    """Starts executions of ``import-csv``."""

    def __init__(self, state_machines: StateMachines, machine_arn: str) -> None:
        self._state_machines = state_machines
        self._machine_arn = machine_arn

    def start(self, key: ImportJobKey, job: Item, info: ObjectInfo) -> None:
        """Import the pinned version of the file. An execution is not started twice. Raises TransientError."""
        run = JobRun(key, job["attempt"])
        payload = {
            "jobKey": key.id,
            "bucket": info.bucket,
            "key": info.key,
            "versionId": info.version_id,
            "tableName": job["tableName"],
            "tenantCode": job["tenantCode"],
            "attempt": run.attempt,
        }
        self._state_machines.start(self._machine_arn, run.execution_name, payload)
