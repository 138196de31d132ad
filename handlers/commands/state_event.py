"""The payload that a state of the command machine hands to the function (docs/spec/pipeline.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.run import Run
from handlers.core.keys import check_version_number
from handlers.state_machines.state_payload import StatePayload, check_fields


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
        payload = StatePayload.parse(event)
        return cls(
            run=parse_run(payload.execution_input, payload.execution_id),
            state=payload.state,
            execution_name=payload.execution_name,
            entered_at=payload.entered_at,
            input=payload.input,
            task_token=payload.task_token,
        )


def parse_run(execution_input: Any, run_id: str) -> Run:
    """The run of an execution with input ``{pk, sk, id, attempt}``. Raises ValidationError."""
    check_fields(execution_input, ("pk", "sk", "id", "attempt"))
    return Run(
        key=VersionKey.parse(execution_input["pk"], execution_input["sk"]),
        id=execution_input["id"],
        attempt=check_version_number("Execution.Input.attempt", execution_input["attempt"]),
        run_id=run_id,
    )
