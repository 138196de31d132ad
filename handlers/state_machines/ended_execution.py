"""Executions that failed, timed out or were aborted, as EventBridge reports them.

Step Functions Developer Guide, "Automating Step Functions event delivery with EventBridge": the event "Step Functions
Execution Status Change".
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from handlers.core.errors import ValidationError

TIMED_OUT = "TIMED_OUT"


class EndedExecution(NamedTuple):
    """The reported execution. ``error``: the error's name, if it failed with one."""

    arn: str
    name: str
    status: str
    input: Any
    error: str | None

    @property
    def message(self) -> str:
        """Text for the outcome of the execution's work."""
        return f"execution {self.name} ended as {self.status}"

    @classmethod
    def parse(cls, event: dict[str, Any]) -> EndedExecution:
        """From the event. Raises ValidationError: it has no input."""
        detail = event.get("detail", {})
        try:
            execution_input = json.loads(detail["input"])
        except (KeyError, TypeError, ValueError):
            raise ValidationError("detail.input", detail.get("input"), "the execution's input as JSON") from None
        return cls(detail["executionArn"], detail["name"], detail["status"], execution_input, detail.get("error"))


def is_of(event: dict[str, Any], machine_arn: str) -> bool:
    """Whether the event is about an execution of this state machine."""
    return bool(event.get("detail", {}).get("stateMachineArn") == machine_arn)
