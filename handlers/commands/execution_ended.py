"""Executions that ended without recording it: failed in ``fail_unrecorded``, timed out, aborted."""

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
    """Writes FAILED (NotRunning) for a command whose execution is gone, unless the outcome is stored already.

    A command that waits outlives the time limit of its execution: a redrive of what it waits for restarts its clock,
    not the execution's. It stays open, and the sweeper starts it or lets its wait expire (decision record 0048).
    The late end of an execution after which the sweeper started another one changes nothing either.
    """

    def __init__(self, recorder: FailureRecorder, repository: CommandRepository) -> None:
        self._recorder = recorder
        self._repository = repository

    def __call__(self, event: dict[str, Any]) -> dict[str, str]:
        """Handle one event. Raises ValidationError if it is not one of the command machine."""
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
    """Never claimed in this attempt, so none of its states ran; with few statuses only the claim shows it."""
    return status.is_waiting(row) and "runId" not in row


def _was_started_again(row: Item, run: Run, name: str) -> bool:
    """The sweeper has started another execution since, and this one does not hold the command."""
    latest = execution_name(row["pk"], row["sk"], row["id"], row["attempt"], row.get(RESTART, 0))
    return name != latest and row.get("runId") != run.run_id
