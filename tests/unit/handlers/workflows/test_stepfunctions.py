"""The Step Functions adapter: which answers are a success, which pass, and which are errors."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.core.errors import TransientThrottle
from handlers.state_machines.stepfunctions import StepFunctions


class Client:
    """Answers every call with an error code, or without one."""

    def __init__(self, code: str | None) -> None:
        self._code = code

    def _answer(self, operation: str) -> dict[str, Any]:
        if self._code is None:
            return {}
        raise ClientError({"Error": {"Code": self._code, "Message": ""}}, operation)

    def start_execution(self, **_: Any) -> dict[str, Any]:
        return self._answer("StartExecution")

    def send_task_success(self, **_: Any) -> dict[str, Any]:
        return self._answer("SendTaskSuccess")


def workflows(code: str | None) -> StepFunctions:
    return StepFunctions(Client(code))  # type: ignore[arg-type]


def test_dup_01_an_execution_that_exists_already_is_a_success() -> None:
    assert workflows(None).start("machine", "name", {}) is True
    assert workflows("ExecutionAlreadyExists").start("machine", "name", {}) is False


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_ord_08_a_token_that_is_gone_is_already_resumed(code: str) -> None:
    assert workflows(None).resume("token", {}) is True
    assert workflows(code).resume("token", {}) is False


def test_other_answers_are_errors() -> None:
    with pytest.raises(TransientThrottle):
        workflows("ThrottlingException").start("machine", "name", {})
    with pytest.raises(ClientError):
        workflows("AccessDeniedException").resume("token", {})
