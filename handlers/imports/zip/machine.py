"""Starts the state machine that imports the files of an archive one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.imports.jobs import status
from handlers.imports.jobs.job_run import JobRun

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportJobKey
    from handlers.state_machines.port import StateMachines


class ZipMachine:
    """Starts executions of ``import-zip``."""

    def __init__(self, repository: ImportRepository, state_machines: StateMachines, machine_arn: str) -> None:
        self._repository = repository
        self._state_machines = state_machines
        self._machine_arn = machine_arn

    def __call__(self, key: ImportJobKey) -> None:
        """Import an archive, unless it was already started or has ended. Raises TransientError."""
        job = self._repository.job(key)
        if job is None or status.is_terminal(job):
            return
        run = JobRun(key, job["attempt"])
        payload = {"jobKey": key.id, "tenantCode": key.tenant_code, "attempt": run.attempt}
        self._state_machines.start(self._machine_arn, run.execution_name, payload)
