"""After which errors of StartExecution it is certain that nothing was started."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from handlers.core.aws.clients import ONCE_CONFIG
from handlers.core.errors import TransientError, TransientThrottle
from handlers.state_machines.stepfunctions import StepFunctions


class Client:
    """Every start gets this error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def start_execution(self, **_: Any) -> None:
        raise self._error


def answer(code: str, attempts: int | None) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}}
    if attempts is not None:
        response["ResponseMetadata"] = {"RetryAttempts": attempts}
    return ClientError(response, "StartExecution")


def error_of_start(error: Exception) -> TransientError:
    with pytest.raises(TransientError) as raised:
        StepFunctions(Client(error)).start("machine", "name", {})  # type: ignore[arg-type]
    return raised.value


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded"])
def test_edge_17_a_refusal_is_certain_only_if_the_call_was_made_once(code: str) -> None:
    for attempts, certain in ((0, True), (1, False), (3, False), (None, False)):
        error = error_of_start(answer(code, attempts))
        assert isinstance(error, TransientThrottle)
        assert error.refused is certain, attempts


@pytest.mark.parametrize("code", ["ServiceUnavailable", "InternalFailure"])
def test_edge_17_after_an_error_of_the_service_it_may_have_been_started(code: str) -> None:
    error = error_of_start(answer(code, 0))
    assert isinstance(error, TransientThrottle)
    assert not error.refused


@pytest.mark.parametrize("kind", [ConnectTimeoutError, ReadTimeoutError])
def test_edge_17_without_an_answer_it_may_have_been_started(kind: type[Exception]) -> None:
    assert not getattr(error_of_start(kind(endpoint_url="u")), "refused", False)  # type: ignore[call-arg]


def test_edge_17_the_client_for_starts_makes_its_calls_once() -> None:
    assert vars(ONCE_CONFIG)["retries"] == {"mode": "standard", "total_max_attempts": 1}
    other = Client(AssertionError("not this one"))
    starts = Client(answer("ThrottlingException", 0))
    with pytest.raises(TransientThrottle):
        StepFunctions(other, starts=starts).start("machine", "name", {})  # type: ignore[arg-type]
