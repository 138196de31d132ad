"""The states of ``import-zip``: name to step; and the handler of executions that ended without an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import CANCEL_SINGLE_CSV, FINALIZE_ZIP_JOB, TRIGGER_SINGLE_CSV, ZIP_LOADER
from handlers.commands.failure import Failure
from handlers.core.error_text import error_of
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.zip.files import TIMEOUT, ZipFiles
from handlers.imports.zip.repository import Wait
from handlers.state_machines.ended_execution import EndedExecution
from handlers.state_machines.state_payload import StatePayload, token_of, whole_number

if TYPE_CHECKING:
    from handlers.imports.jobs.job_states import JobStep
    from handlers.imports.zip.finalize import ZipFinalizer
    from handlers.imports.zip.loader import ZipLoader

MACHINE_FAILED = "MachineFailed"


def loader_steps(unpack: ZipLoader, finalize: ZipFinalizer) -> dict[str, JobStep]:
    """The states of the ``loader`` function."""

    def end(run: JobRun, payload: StatePayload) -> dict[str, Any]:
        error = payload.input.get("error") if isinstance(payload.input, dict) else None
        return {"status": finalize(run, None if error is None else _why(error))}

    return {ZIP_LOADER: lambda run, payload: unpack(run), FINALIZE_ZIP_JOB: end}


def imports_steps(files: ZipFiles) -> dict[str, JobStep]:
    """The states of the ``imports`` function."""

    def trigger(run: JobRun, payload: StatePayload) -> dict[str, Any]:
        wait = Wait(token_of(payload), payload.retries)
        files.trigger(run, whole_number(payload, "position"), wait)
        return {}

    def cancel(run: JobRun, payload: StatePayload) -> dict[str, Any]:
        return files.cancel(run, whole_number(payload, "position"), _why(payload.input["error"]))

    return {TRIGGER_SINGLE_CSV: trigger, CANCEL_SINGLE_CSV: cancel}


class ZipExecutionEndedHandler:
    """Ends a job whose execution failed, timed out or was aborted."""

    def __init__(self, finalize: ZipFinalizer) -> None:
        self._finalize = finalize

    def __call__(self, event: dict[str, Any]) -> dict[str, str | None]:
        """Handle one event. Raises ValidationError: it isn't about this state machine."""
        ended = EndedExecution.parse(event)
        return {"status": self._finalize(JobRun.parse(ended.input), error_of(MACHINE_FAILED, ended.message))}


def _why(error: Mapping[str, Any]) -> dict[str, str]:
    failure = Failure.from_state_input(error)
    if failure.type == "States.Timeout":
        return error_of(TIMEOUT, "it did not end within its time (importTimeoutHours)")
    return error_of(failure.type, failure.message)
