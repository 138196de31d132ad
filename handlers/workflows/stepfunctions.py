"""The workflow port on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.aws import UNREACHABLE
from handlers.errors import TransientError, TransientThrottle

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient

#: API reference, StartExecution and "Common errors".
PASSING = frozenset({"ThrottlingException", "ExecutionLimitExceeded", "ServiceUnavailable", "InternalFailure"})
#: API reference, SendTaskSuccess: nobody waits for this token any more.
GONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class StepFunctions:
    """See ``Workflows``."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See Workflows."""
        try:
            with _transient():
                self._client.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps(payload, sort_keys=True)
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            return False
        return True

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See Workflows."""
        try:
            with _transient():
                self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            return False
        return True


@contextmanager
def _transient() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in PASSING:
            raise TransientThrottle(f"Step Functions answered {code}") from error
        raise
    except UNREACHABLE as error:
        raise TransientError(f"Step Functions could not be reached: {type(error).__name__}") from error
