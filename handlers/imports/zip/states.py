"""Routes a state's payload of the archive machine to its step, and answers as the machine expects: ``[[output]]``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from handlers.commands.pipeline.failure import Failure
from handlers.consumers.failure_policy import named_for_retry
from handlers.core.clock import Clock
from handlers.core.error_text import error_of
from handlers.core.errors import ValidationError
from handlers.core.log import log_step
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.zip.files import TIMEOUT, ZipFiles
from handlers.imports.zip.finalize import ZipFinalizer
from handlers.imports.zip.loader import ZipLoader
from handlers.imports.zip.repository import Wait
from handlers.state_machines.state_payload import StatePayload

ZIP_LOADER = "zip_loader"
TRIGGER_SINGLE_CSV = "trigger_single_csv"
CANCEL_SINGLE_CSV = "cancel_single_csv"
FINALIZE_ZIP_JOB = "finalize_zip_job"
MACHINE_FAILED = "MachineFailed"

#: Which run of which job, and the state's payload with what the retry counter says.
Step = Callable[[JobRun, StatePayload, int], Any]


class ZipStates:
    """The handler of some states of the machine: those that run in one function."""

    def __init__(self, steps: Mapping[str, Step], clock: Clock) -> None:
        self._steps = dict(steps)
        self._clock = clock

    @property
    def names(self) -> tuple[str, ...]:
        """The states that are handled."""
        return tuple(self._steps)

    def __call__(self, event: dict[str, Any]) -> list[list[Any]]:
        """Run the step. Raises what it raises: the machine's Retry and Catch decide."""
        payload = StatePayload.parse(event)
        step = self._steps.get(payload.state)
        if step is None:
            raise ValidationError("State.Name", payload.state, f"one of {', '.join(self._steps)}")
        run = JobRun.parse(payload.execution_input)
        started = self._clock.now()
        try:
            with named_for_retry():
                output = step(run, payload, event["context"]["State"]["RetryCount"])
        except Exception as error:
            self._log("failed", payload, run, started, error)
            raise
        self._log("done", payload, run, started)
        return [[output]]

    def _log(
        self, outcome: str, payload: StatePayload, run: JobRun, started: float, error: Exception | None = None
    ) -> None:
        log_step(
            outcome,
            level=logging.INFO if error is None else logging.ERROR,
            error=error,
            executionName=payload.execution_name,
            state=payload.state,
            pk=run.key.pk,
            sk=run.key.sk,
            position=payload.input.get("position") if isinstance(payload.input, dict) else None,
            tenant=run.key.tenant_code,
            attempt=run.attempt,
            durationMs=round((self._clock.now() - started) * 1000),
        )


def loader_steps(unpack: ZipLoader, finalize: ZipFinalizer) -> dict[str, Step]:
    """The states of the ``loader`` function."""

    def end(run: JobRun, payload: StatePayload, retries: int) -> dict[str, Any]:
        error = payload.input.get("error") if isinstance(payload.input, dict) else None
        return {"status": finalize(run, None if error is None else _why(error))}

    return {ZIP_LOADER: lambda run, payload, retries: unpack(run), FINALIZE_ZIP_JOB: end}


def imports_steps(files: ZipFiles) -> dict[str, Step]:
    """The states of the ``imports`` function."""

    def trigger(run: JobRun, payload: StatePayload, retries: int) -> dict[str, Any]:
        if payload.task_token is None:
            raise ValidationError("taskToken", None, "the token of a state that waits")
        files.trigger(run, _position(payload), Wait(payload.task_token, retries))
        return {}

    def cancel(run: JobRun, payload: StatePayload, retries: int) -> dict[str, Any]:
        return files.cancel(run, _position(payload), _why(payload.input["error"]))

    return {TRIGGER_SINGLE_CSV: trigger, CANCEL_SINGLE_CSV: cancel}


class ZipExecutionEndedHandler:
    """Brings a job to its outcome whose execution failed, timed out or was aborted (EventBridge status event)."""

    def __init__(self, finalize: ZipFinalizer) -> None:
        self._finalize = finalize

    def __call__(self, event: dict[str, Any]) -> dict[str, str | None]:
        """Handle one event. Raises ValidationError if it is not one of the machine."""
        detail = event.get("detail", {})
        try:
            execution_input = json.loads(detail["input"])
        except (KeyError, TypeError, ValueError):
            raise ValidationError("detail.input", detail.get("input"), "JSON with jobKey, attempt") from None
        message = f"execution {detail['name']} ended as {detail['status']}"
        return {"status": self._finalize(JobRun.parse(execution_input), error_of(MACHINE_FAILED, message))}


def _position(payload: StatePayload) -> int:
    position = payload.input.get("position") if isinstance(payload.input, dict) else None
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise ValidationError("input.position", position, "a whole number of at least 0")
    return position


def _why(error: Mapping[str, Any]) -> dict[str, str]:
    failure = Failure.from_state_input(error)
    if failure.type == "States.Timeout":
        return error_of(TIMEOUT, "it did not end within its time (importTimeoutHours)")
    return error_of(failure.type, failure.message)
