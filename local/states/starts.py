"""The checks of StartExecution."""

from __future__ import annotations

from typing import Any

from local.states.errors import ExecutionAlreadyExists, InvalidExecutionInput
from local.states.limits import PAYLOAD_BYTES, loads
from local.states.running.executions import RUNNING, Execution


def parse_input(text: str) -> Any:
    """The input of an execution. Raises InvalidExecutionInput: not JSON, or too large."""
    if len(text.encode()) > PAYLOAD_BYTES:
        raise InvalidExecutionInput(
            f"Invalid State Machine Execution Input: {len(text.encode())} bytes, at most {PAYLOAD_BYTES} are allowed"
        )
    try:
        return loads(text)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error


def same_execution(existing: Execution | None, input_text: str, arn: str) -> Execution:
    """The running execution with the same input (API reference, StartExecution). Raises ExecutionAlreadyExists."""
    if existing is not None and existing.status == RUNNING and existing.input_text == input_text:
        return existing
    raise ExecutionAlreadyExists(f"Execution Already Exists: '{arn}'")
