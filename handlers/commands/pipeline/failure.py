"""``record_failure``: writes FAILED, raises the alarm, and never hides the original error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.commands import status
from handlers.commands.pipeline.failing_part import state_of, target_of
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.commands.repository import CommandRepository
from handlers.core.error_text import MAX_MESSAGE_CHARS, MAX_TYPE_CHARS, cut, error_of, message_of, type_of
from handlers.core.errors import NotRunning, VersionGap, VersionMismatch, WaitExpired
from handlers.core.log import log_step
from handlers.store.port import Item
from handlers.topics.alarms import send_alarm
from handlers.topics.port import Topic

#: Errors whose text is ours and holds no record data. Of all others the alarm tells only the type.
OUR_OUTCOMES = frozenset(error.__name__ for error in (VersionMismatch, VersionGap, WaitExpired, NotRunning))


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: the error's type and its message, without a stack trace.

    ``alarm`` False: the one before is expected to have raised it, or to do so; the sweeper finds out. ``target``: the
    sync target that failed; ``state``: where that is known, else the row tells it.
    """

    type: str
    message: str
    blocked_by: str | None = None
    alarm: bool = True
    target: str | None = None
    state: str | None = None

    @classmethod
    def from_state_input(cls, given: Mapping[str, Any]) -> Failure:
        """From a Catch's error output ``{Error, Cause}`` or from check_version's refusal.

        A Lambda error's Cause is JSON with ``errorMessage`` and the stack trace, which stays behind
        (Developer Guide, "Handling errors in Step Functions workflows").
        """
        if "result" in given:
            return cls(given["error"], given["cause"], given.get("blockedBy"), given.get("alarm", True))
        target, failed = _of_target(given)
        kind = cut(str(failed.get("Error", "Unknown")), MAX_TYPE_CHARS)
        message = cut(_message(failed.get("Cause")), MAX_MESSAGE_CHARS)
        return cls(kind, message, target=target)

    @classmethod
    def from_row(cls, row: Item) -> Failure:
        """As a FAILED row keeps it."""
        error = row["error"]
        return cls(error["type"], error["message"], error.get("blockedBy"), target=error.get("target"))

    @classmethod
    def from_exception(cls, error: BaseException) -> Failure:
        """From an error in this process."""
        return cls(type_of(error), message_of(error), target=target_of(error), state=state_of(error))

    def stored(self, state: str) -> dict[str, Any]:
        """The row's ``error``."""
        stored: dict[str, Any] = {**error_of(self.type, self.message), "state": state}
        further = {"blockedBy": self.blocked_by, "target": self.target}
        return {**stored, **{name: value for name, value in further.items() if value is not None}}

    def alarm_text(self, state: str) -> str:
        """The alarm's message: no stack trace, no record data."""
        error = error_of(self.type, self.message)
        text = f"{state} failed: {error['type']}"
        if self.target is not None:
            text += f", target {self.target}"
        return f"{text}: {error['message']}" if self.type in OUR_OUTCOMES else text


class FailureRecorder:
    """The target of every Catch, also used by publish_sync and for executions that ended outside."""

    def __init__(self, repository: CommandRepository, progress: Progress, alarms: Topic, commands_table: str) -> None:
        self._repository = repository
        self._progress = progress
        self._alarms = alarms
        self._commands_table = commands_table

    def __call__(self, run: Run, failure: Failure) -> dict[str, str]:
        """Record and alarm; answers the original error, whatever was stored."""
        row = self._repository.command(run.key)
        if row is not None and run.own.holds(row):
            self._record(run, row, failure)
        error = error_of(failure.type, failure.message)
        return {"error": error["type"], "cause": error["message"]}

    def announce(self, run: Run, row: Item) -> None:
        """Send the alarm of a FAILED command, if it is not out, before an operator ends this attempt (G1).

        An expired wait has none of its own as long as what it waited for has (decision record 0071).
        """
        if "alarmedAt" not in row and row["error"]["type"] != WaitExpired.__name__:
            self(run, Failure.from_row(row))

    def _record(self, run: Run, row: Item, failure: Failure) -> None:
        state = failure.state or status.state_in(row)
        if status.is_done(row):
            # It is applied, so it stays DONE; but its successor may sleep until the sweeper comes. Once told, the end
            # of the execution has nothing to add.
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
    """FAILED by an earlier try that stopped before its alarm: repeat the alarm (at least once).

    About an expired wait the sweeper decides, not the end of its execution.
    """
    if row is None or not run.own.holds(row) or not status.is_failed(row) or "alarmedAt" in row:
        return False
    return row["error"]["type"] != WaitExpired.__name__ or failure.type == WaitExpired.__name__


def _message(cause: object) -> str:
    if not isinstance(cause, str):
        return ""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", "")) if isinstance(parsed, dict) else cause


def _of_target(given: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """The sync target that failed and its own error, as the Map's state ``target_failed`` puts them into the cause."""
    try:
        parsed = json.loads(given.get("Cause") or "")
    except ValueError:
        return None, given
    if not isinstance(parsed, dict) or not isinstance(parsed.get("failure"), dict):
        return None, given
    return parsed.get("target"), parsed["failure"]
