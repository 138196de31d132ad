"""Routes the states of ``import-csv`` to their steps, and answers as the machine expects: ``[[output]]``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from handlers.consumers.failure_policy import named_for_retry
from handlers.core.clock import Clock
from handlers.core.errors import ValidationError
from handlers.core.log import log_step
from handlers.imports.csv.loader import CsvLoader
from handlers.imports.csv.progress import CsvProgress
from handlers.imports.csv.rows_handler import RowsHandler, parsed
from handlers.imports.csv.wait import RowsWait
from handlers.imports.jobs.job_run import JobRun
from handlers.state_machines.state_payload import StatePayload

CSV_LOADER = "csv_loader"
ROWS_HANDLER = "csv_rows_handler"
WAIT_ROWS = "wait_rows"
CHECK_ROWS = "check_rows"
FINALIZE = "finalize_parent_job"

#: Which run of which job, and the state's payload with what the retry counter says.
Step = Callable[[JobRun, StatePayload, int], Any]


class CsvStates:
    """The handler of the states that one function has: state to the step."""

    def __init__(self, steps: Mapping[str, Step], clock: Clock, run_of: Callable[[StatePayload], JobRun]) -> None:
        self._steps = steps
        self._clock = clock
        self._run_of = run_of

    def __call__(self, event: dict[str, Any]) -> list[list[Any]]:
        """Run the step. Raises what it raises: the machine's Retry and Catch decide."""
        payload = StatePayload.parse(event)
        step = self._steps.get(payload.state)
        if step is None:
            raise ValidationError("State.Name", payload.state, f"one of {', '.join(self._steps)}")
        run = self._run_of(payload)
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
            tenant=run.key.tenant_code,
            attempt=run.attempt,
            durationMs=round((self._clock.now() - started) * 1000),
        )


def loader_states(loader: CsvLoader, progress: CsvProgress, clock: Clock) -> CsvStates:
    """The states of the function ``loader``: the work's key is in the execution's input."""
    steps: dict[str, Step] = {
        CSV_LOADER: lambda run, payload, retry: loader(run),
        CHECK_ROWS: lambda run, payload, retry: progress.check_rows(run, payload.input),
        FINALIZE: lambda run, payload, retry: progress.finalize_parent_job(run, payload.input),
    }
    return CsvStates(steps, clock, lambda payload: JobRun.parse(payload.execution_input))


def rows_states(handler: RowsHandler, rows: RowsWait, clock: Clock) -> CsvStates:
    """The states of the function ``imports``. In the Map's children the work's key is in the batch."""

    def wait(run: JobRun, payload: StatePayload, retry: int) -> dict[str, Any]:
        if payload.task_token is None:
            raise ValidationError("taskToken", None, "the token of a state that waits")
        return rows.wait(run, payload.task_token, payload.entered_at, retry)

    def run_of(payload: StatePayload) -> JobRun:
        return parsed(payload.input)[0] if payload.state == ROWS_HANDLER else JobRun.parse(payload.execution_input)

    steps: dict[str, Step] = {ROWS_HANDLER: lambda run, payload, retry: handler(payload.input), WAIT_ROWS: wait}
    return CsvStates(steps, clock, run_of)


class CsvExecutionEndedHandler:
    """Brings a job to its outcome whose execution failed, timed out or was aborted (EventBridge status event)."""

    def __init__(self, progress: CsvProgress) -> None:
        self._progress = progress

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Handle one event. Raises ValidationError if it is not one of the machine."""
        detail = event.get("detail", {})
        try:
            execution_input = json.loads(detail["input"])
        except (KeyError, TypeError, ValueError):
            raise ValidationError("detail.input", detail.get("input"), "JSON with jobKey, attempt") from None
        message = f"execution {detail['name']} ended as {detail['status']}"
        return self._progress.machine_ended(JobRun.parse(execution_input), message)
