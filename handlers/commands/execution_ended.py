"""Executions that ended without recording their outcome: failed in ``fail_unrecorded``, timed out, aborted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.rows import RESTART
from handlers.commands import status
from handlers.commands.failure import Failure
from handlers.commands.pipeline.run import Run, parse_run
from handlers.commands.starter import execution_name
from handlers.core.errors import NotRunning
from handlers.state_machines.ended_execution import TIMED_OUT, EndedExecution

if TYPE_CHECKING:
    from handlers.commands.pipeline.failure import FailureRecorder
    from handlers.commands.repository import CommandRepository
    from handlers.store.port import Item


class CommandExecutionEndedHandler:
    """Writes FAILED (NotRunning) for a command whose execution has ended, unless an outcome is already stored.

    A waiting command may outlive the time limit of its execution: a redrive of its predecessor restarts the wait limit,
    not the execution's timeout. It stays open, and the sweeper restarts it or expires its wait (decision record 0048).
    The end of an execution that the sweeper has already replaced is ignored, too.
    """

    def __init__(self, recorder: FailureRecorder, repository: CommandRepository) -> None:
        self._recorder = recorder
        self._repository = repository

    def __call__(self, event: dict[str, Any]) -> dict[str, str]:
        """Handle one event. Raises ValidationError: it isn't about a command's execution."""
        ended = EndedExecution.parse(event)
        run = parse_run(ended.input, ended.arn)
        row = self._repository.command(run.key)
        if row is not None and run.own.holds(row):
            if ended.status == TIMED_OUT and _still_waits(row):
                return {"left": "it waits, the sweeper continues it"}
            if _was_started_again(row, run, ended.name):
                return {"left": "a newer execution or the sweeper continues it"}
        message = f"{ended.message}: {ended.error}" if ended.error else ended.message
        return self._recorder(run, Failure(NotRunning.__name__, message))


def _still_waits(row: Item) -> bool:
    """Not claimed in this attempt, so it has not proceeded; with terminal statuses only, just the claim shows this."""
    return status.is_waiting(row) and "runId" not in row


def _was_started_again(row: Item, run: Run, name: str) -> bool:
    """The sweeper has started another execution since, and this one doesn't hold the claim."""
    latest = execution_name(row["pk"], row["sk"], row["id"], row["attempt"], row.get(RESTART, 0))
    return name != latest and row.get("runId") != run.run_id
