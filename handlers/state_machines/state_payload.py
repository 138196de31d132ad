"""The payload that a state passes to its function (docs/spec/pipeline.md), for all state machines."""

from __future__ import annotations

from typing import Any

from contract.state_machines import SOURCE
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass


@dataclass(frozen=True)
class StatePayload:
    """One entry of one state. The key of the work is in ``execution_input``."""

    execution_input: dict[str, Any]
    execution_id: str
    execution_name: str
    state: str
    entered_at: str
    input: Any
    task_token: str | None
    #: Number of retries by the state's Retry.
    retries: int

    @classmethod
    def parse(cls, event: Any) -> StatePayload:
        """From the Lambda payload. Raises ValidationError naming what is missing or wrong."""
        if not isinstance(event, dict) or event.get("source") != SOURCE:
            raise ValidationError("source", event.get("source") if isinstance(event, dict) else event, SOURCE)
        try:
            context = event["context"]
            execution, state = context["Execution"], context["State"]
            if not isinstance(execution["Input"], dict):
                raise ValidationError("Execution.Input", execution["Input"], "the execution's input, an object")
            return cls(
                execution_input=execution["Input"],
                execution_id=execution["Id"],
                execution_name=execution["Name"],
                state=state["Name"],
                entered_at=state["EnteredTime"],
                input=event["input"],
                task_token=event.get("taskToken"),
                retries=state.get("RetryCount", 0),
            )
        except KeyError as error:
            raise ValidationError(str(error.args[0]), None, "a state's payload with this field") from None


def token_of(payload: StatePayload) -> str:
    """The token of a waiting state. Raises ValidationError: the definition passes none."""
    if payload.task_token is None:
        raise ValidationError("taskToken", None, "the token of a state that waits")
    return payload.task_token


def whole_number(payload: StatePayload, name: str) -> int:
    """A field of the state's input that counts from 0. Raises ValidationError naming it."""
    number = payload.input.get(name) if isinstance(payload.input, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValidationError(f"input.{name}", number, "a whole number of at least 0")
    return number


def check_fields(execution_input: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Require fields in the input of an execution. Raises ValidationError naming the first that is missing."""
    if not isinstance(execution_input, dict):
        raise ValidationError("Execution.Input", execution_input, f"an object of {', '.join(names)}")
    for name in names:
        if name not in execution_input:
            raise ValidationError(f"Execution.Input.{name}", None, "a value")
    return execution_input
