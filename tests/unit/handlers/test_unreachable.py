"""A service that can't be reached is a transient error in every adapter, whatever botocore calls it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, IncompleteReadError, ReadTimeoutError

from handlers.core.errors import TransientError
from handlers.objects.s3 import S3Objects
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.topics.sns import SnsTopic

ERRORS = [kind(endpoint_url="u") for kind in (ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError)]


class Down:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, operation: str) -> Any:
        def call(**_: Any) -> Any:
            raise self._error

        return call


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_unreachable_is_transient(error: Exception) -> None:
    client: Any = Down(error)
    with pytest.raises(TransientError):
        SnsTopic(client, "arn").publish({}, {})
    with pytest.raises(TransientError):
        DynamoTableStore(client, {"data": "d"}).get("data", "p", "s")
    with pytest.raises(TransientError):
        StepFunctions(client).resume("token", {})
    with pytest.raises(TransientError):
        S3Objects(lambda: client, "bucket").get("k", max_bytes=1)


def test_a_body_that_ends_early_is_transient() -> None:
    error = IncompleteReadError(actual_bytes=1, expected_bytes=2)
    with pytest.raises(TransientError):
        S3Objects(lambda: Down(error), "bucket").get("k", max_bytes=1)  # type: ignore[arg-type, return-value]
