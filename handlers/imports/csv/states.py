"""The states of ``import-csv``: name to step; and the handler of executions that ended without an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.state_machines import (
    CHECK_ROWS,
    CSV_LOADER,
    CSV_ROWS_HANDLER,
    FINALIZE_PARENT_JOB,
    JSONL_ROWS_HANDLER,
    WAIT_ROWS,
)
from handlers.imports.jobs.job_run import JobRun
from handlers.state_machines.ended_execution import EndedExecution
from handlers.state_machines.state_payload import StatePayload, token_of

if TYPE_CHECKING:
    from handlers.imports.csv.loader import CsvLoader
    from handlers.imports.csv.progress import CsvProgress
    from handlers.imports.csv.rows_handler import RowsHandler
    from handlers.imports.csv.wait import RowsWait
    from handlers.imports.jobs.job_states import JobStep


def loader_steps(loader: CsvLoader, progress: CsvProgress) -> dict[str, JobStep]:
    """The states of the ``loader`` function."""
    return {
        CSV_LOADER: lambda run, payload: loader(run),
        CHECK_ROWS: lambda run, payload: progress.check_rows(run, payload.input),
        FINALIZE_PARENT_JOB: lambda run, payload: progress.finalize_parent_job(run, payload.input),
    }


def rows_steps(handler: RowsHandler, rows: RowsWait) -> dict[str, JobStep]:
    """The states of the ``imports`` function."""

    def wait(run: JobRun, payload: StatePayload) -> dict[str, Any]:
        return rows.wait(run, token_of(payload), payload.entered_at, payload.retries)

    def write(run: JobRun, payload: StatePayload) -> dict[str, Any]:
        return handler(payload.input)

    return {CSV_ROWS_HANDLER: write, JSONL_ROWS_HANDLER: write, WAIT_ROWS: wait}


class CsvExecutionEndedHandler:
    """Ends a job whose execution failed, timed out or was aborted."""

    def __init__(self, progress: CsvProgress) -> None:
        self._progress = progress

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """Handle one event. Raises ValidationError: it isn't about this state machine."""
        ended = EndedExecution.parse(event)
        return self._progress.machine_ended(JobRun.parse(ended.input), ended.message)
