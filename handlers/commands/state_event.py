"""The payload that a state of the command machine hands to the function (design section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.commands.pipeline.run import Run
from handlers.errors import ValidationError
from handlers.keys import VersionKey, check_version_number

SOURCE = "step-function"


@dataclass(frozen=True, slots=True)
class StateEvent:
    """One entry of one state."""

    run: Run
    state: str
    execution_name: str
    entered_at: str
    input: Any
    task_token: str | None

    @classmethod
    def parse(cls, event: dict[str, Any]) -> StateEvent:
        """From the Lambda payload. The key of the work is always read from the execution's input.

        Raises:
            ValidationError: naming what is missing or wrong.
        """
        if not isinstance(event, dict) or event.get("source") != SOURCE:
            raise ValidationError("source", event.get("source") if isinstance(event, dict) else event, SOURCE)
        try:
            context = event["context"]
            execution, state = context["Execution"], context["State"]
            return cls(
                run=parse_run(execution["Input"], execution["Id"]),
                state=state["Name"],
                execution_name=execution["Name"],
                entered_at=state["EnteredTime"],
                input=event["input"],
                task_token=event.get("taskToken"),
            )
        except KeyError as error:
            raise ValidationError(str(error.args[0]), None, "a state's payload with this field") from None


def parse_run(execution_input: Any, run_id: str) -> Run:
    """The run of an execution with input ``{pk, sk, id, attempt}``. Raises ValidationError."""
    if not isinstance(execution_input, dict):
        raise ValidationError("Execution.Input", execution_input, "{pk, sk, id, attempt}")
    for name in ("pk", "sk", "id", "attempt"):
        if name not in execution_input:
            raise ValidationError(f"Execution.Input.{name}", None, "a value")
    return Run(
        key=VersionKey.parse(execution_input["pk"], execution_input["sk"]),
        id=execution_input["id"],
        attempt=check_version_number("Execution.Input.attempt", execution_input["attempt"]),
        run_id=run_id,
    )
