"""The context object (``$$``) of one visit of a state.

Source: Developer Guide, "Accessing execution data from the Context object in Step Functions".
"""

from __future__ import annotations

from random import Random
from typing import Any

from local.states.data.timestamps import format_timestamp
from local.states.running.executions import Execution


class StateContext:
    """The parts of the context object that change from state to state: name, entry time, retries, token, Map item."""

    __slots__ = ("_entered", "_execution", "item", "name", "random", "retry_count", "token")

    def __init__(self, execution: Execution, name: str, entered: float, random: Random) -> None:
        self._execution = execution
        self._entered = entered
        self.name = name
        #: for the intrinsic functions that need randomness
        self.random = random
        self.retry_count = 0
        #: set while a task waits for its token
        self.token: str | None = None
        #: ``(index, value)`` while a Map builds the input of an iteration; states inside don't see it
        #: (ASL specification, "Map State input/output processing")
        self.item: tuple[int, Any] | None = None

    def build(self) -> dict[str, Any]:
        """The context object."""
        context: dict[str, Any] = {
            **self._execution.context,
            "State": {
                "EnteredTime": format_timestamp(self._entered),
                "Name": self.name,
                "RetryCount": self.retry_count,
            },
        }
        if self.token is not None:
            context["Task"] = {"Token": self.token}
        if self.item is not None:
            context["Map"] = {"Item": {"Index": self.item[0], "Value": self.item[1]}}
        return context
