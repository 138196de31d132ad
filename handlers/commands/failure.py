"""Failures of commands, tasks and jobs, as rows and alarms report them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handlers.commands.pipeline.failing_part import state_of, target_of
from handlers.core.error_text import MAX_MESSAGE_CHARS, MAX_TYPE_CHARS, cut, error_of, message_of, type_of
from handlers.core.errors import NotRunning, VersionGap, VersionMismatch, WaitExpired
from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.store.port import Item

#: Errors whose text is ours and contains no record data. For all others, the alarm contains only the type.
OUR_OUTCOMES = frozenset(error.__name__ for error in (VersionMismatch, VersionGap, WaitExpired, NotRunning))


@dataclass(frozen=True)
class Failure:
    """An error's type and message, without a stack trace.

    ``alarm`` is False if the predecessor is expected to raise an alarm; the sweeper checks that. ``target``: the sync
    target that failed; ``state``: the state that failed, if known, else it is taken from the row.
    """

    type: str
    message: str
    blocked_by: str | None = None
    alarm: bool = True
    target: str | None = None
    state: str | None = None

    @classmethod
    def from_state_input(cls, given: Mapping[str, Any]) -> Failure:
        """From a Catch's error output ``{Error, Cause}`` or from a refusal by check_version.

        The Cause of a Lambda error is JSON with ``errorMessage`` and the stack trace, which is dropped
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
        """From the error that a FAILED row stores."""
        error = row["error"]
        return cls(error["type"], error["message"], error.get("blockedBy"), target=error.get("target"))

    @classmethod
    def from_exception(cls, error: BaseException) -> Failure:
        """From an exception in this process."""
        return cls(type_of(error), message_of(error), target=target_of(error), state=state_of(error))

    def stored(self, state: str) -> dict[str, Any]:
        """The row's ``error``."""
        stored: dict[str, Any] = {**error_of(self.type, self.message), "state": state}
        further = {"blockedBy": self.blocked_by, "target": self.target}
        return {**stored, **{name: value for name, value in further.items() if value is not None}}

    def alarm_text(self, state: str) -> str:
        """The alarm's message, without stack trace and record data."""
        error = error_of(self.type, self.message)
        text = f"{state} failed: {error['type']}"
        if self.target is not None:
            text += f", target {self.target}"
        return f"{text}: {error['message']}" if self.type in OUR_OUTCOMES else text


def _message(cause: object) -> str:
    if not isinstance(cause, str):
        return ""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", "")) if isinstance(parsed, dict) else cause


def _of_target(given: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """The failed sync target and its error, which the Map's state ``target_failed`` puts into the cause."""
    try:
        parsed = json.loads(given.get("Cause") or "")
    except ValueError:
        return None, given
    if not isinstance(parsed, dict) or not isinstance(parsed.get("failure"), dict):
        return None, given
    return parsed.get("target"), parsed["failure"]
