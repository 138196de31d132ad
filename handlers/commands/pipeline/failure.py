"""``record_failure``: writes FAILED, raises the alarm, and never hides the original error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.commands import status
from handlers.commands.failure import Failure
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.core.error_text import error_of
from handlers.core.errors import WaitExpired
from handlers.core.log import log_step
from handlers.topics.alarms import send_alarm

if TYPE_CHECKING:
    from handlers.commands.repository import CommandRepository
    from handlers.store.port import Item
    from handlers.topics.port import Topic


class FailureRecorder:
    """The target of every Catch; also used by publish_sync, and for executions that ended without recording it."""

    def __init__(self, repository: CommandRepository, progress: Progress, alarms: Topic, commands_table: str) -> None:
        self._repository = repository
        self._progress = progress
        self._alarms = alarms
        self._commands_table = commands_table

    def __call__(self, run: Run, failure: Failure) -> dict[str, str]:
        """Record the failure and raise the alarm. Returns the original error, whatever was stored."""
        row = self._repository.command(run.key)
        if row is not None and run.own.holds(row):
            self._record(run, row, failure)
        error = error_of(failure.type, failure.message)
        return {"error": error["type"], "cause": error["message"]}

    def announce(self, run: Run, row: Item) -> None:
        """Send the alarm of a FAILED command, if it wasn't sent, before an operator ends this attempt (G1).

        An expired wait has no alarm of its own if the command it waited for has one (decision record 0071).
        """
        if "alarmedAt" not in row and row["error"]["type"] != WaitExpired.__name__:
            self(run, Failure.from_row(row))

    def _record(self, run: Run, row: Item, failure: Failure) -> None:
        state = failure.state or status.state_in(row)
        if status.is_done(row):
            # It is applied, so it stays DONE, but its successor may have to wait for the sweeper. The end of the
            # execution doesn't report it a second time.
            if "alarmedAt" not in row:
                self._alarm(run, f"after it was applied: {failure.alarm_text(state)}")
                self._progress.alarmed_when_done(run)
            return
        try:
            self._progress.fail(run, state, failure.stored(state))
        except LostRun as lost:
            if not _is_unannounced(run, lost.row, failure):
                log_step("not recorded: the command belongs to another run", pk=run.key.pk, sk=run.key.sk)
                return
        if failure.alarm:
            self._alarm(run, failure.alarm_text(state))
            self._progress.alarmed(run)

    def _alarm(self, run: Run, text: str) -> None:
        send_alarm(self._alarms, self._commands_table, run.key, run.attempt, text, run.run_id)


def _is_unannounced(run: Run, row: Item | None, failure: Failure) -> bool:
    """FAILED by an earlier try that crashed before its alarm: send the alarm again (at least once).

    For an expired wait the sweeper decides, not the end of its execution.
    """
    if row is None or not run.own.holds(row) or not status.is_failed(row) or "alarmedAt" in row:
        return False
    return row["error"]["type"] != WaitExpired.__name__ or failure.type == WaitExpired.__name__
