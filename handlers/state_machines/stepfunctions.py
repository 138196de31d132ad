"""The workflow port on Step Functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from handlers.core.aws.clients import UNREACHABLE
from handlers.core.aws.errors import http_status_of, passes
from handlers.core.errors import (
    NotFound,
    TokenExpired,
    TokenGone,
    TokenInvalid,
    TokenUnknown,
    TransientError,
    TransientThrottle,
)
from handlers.state_machines import checks

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient

    from handlers.state_machines.port import ExecutionPage, WorkflowExecution

#: Transient errors that mean that the request was not accepted. After others, it may have taken effect.
REFUSALS = frozenset({"ThrottlingException", "ExecutionLimitExceeded"})
#: API reference, DescribeExecution: there is none, or the state machine is EXPRESS and keeps none.
NO_EXECUTION = frozenset({"ExecutionDoesNotExist", "InvalidArn"})
#: API reference, SendTaskSuccess: nothing waits for this token any longer.
GONE: dict[str, type[TokenGone]] = {
    "TaskTimedOut": TokenExpired,
    "TaskDoesNotExist": TokenUnknown,
    "InvalidToken": TokenInvalid,
}


class StepFunctions:
    """See ``StateMachines``. ``starts``: a separate client for StartExecution, without retries."""

    def __init__(self, client: SFNClient, starts: SFNClient | None = None) -> None:
        self._client = client
        self._starts = starts or client

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        try:
            with transient():
                self._starts.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps(payload, sort_keys=True)
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            return False
        return True

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        try:
            with transient():
                self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            return False
        return True


class StepFunctionsWorkflows:
    """See ``CustomWorkflows``. ``machines``: workflow to the ARN of its state machine; ``client`` returns a client."""

    def __init__(self, client: Callable[[], SFNClient], machines: Mapping[str, str]) -> None:
        self._client = client
        self._machines = dict(machines)

    def start(self, name: str, given: Mapping[str, Any], id_: str) -> str:
        """See CustomWorkflows."""
        machine = checks.machine_of(self._machines, name)
        execution, text = checks.execution_name(id_), checks.check_input(given)
        try:
            with transient():
                answer = self._client().start_execution(stateMachineArn=machine, name=execution, input=text)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
        else:
            return answer["executionArn"]
        arn = checks.execution_arn(machine, execution)
        checks.check_same_input(name, id_, self._input_of(arn), text)
        return arn

    def execution(self, name: str, id_: str) -> WorkflowExecution:
        """See ShownWorkflows."""
        return self._described(
            checks.execution_arn(checks.machine_of(self._machines, name), checks.execution_name(id_))
        )

    def executions(self, name: str, prefix: str, *, limit: int, page: str | None = None) -> ExecutionPage:
        """See ShownWorkflows."""
        from handlers.state_machines.port import ExecutionPage  # workers only start and resume

        machine = checks.machine_of(self._machines, name)
        token: dict[str, Any] = {} if page is None else {"nextToken": checks.check_page(page)}
        try:
            with transient():
                found = self._client().list_executions(stateMachineArn=machine, maxResults=limit, **token)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "StateMachineTypeNotSupported":
                return ExecutionPage([], None)
            if code != "InvalidToken":
                raise
            raise checks.not_a_page(str(page)) from None
        beginning = checks.readable(prefix)
        alike = [one["executionArn"] for one in found["executions"] if one["name"].startswith(beginning)]
        return ExecutionPage([self._described(arn) for arn in alike], found.get("nextToken"))

    def _described(self, arn: str) -> WorkflowExecution:
        from handlers.state_machines.port import WorkflowExecution

        try:
            with transient():
                found = self._client().describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_EXECUTION:
                raise
            raise NotFound(f"{arn}: there is no such execution") from None
        stopped, output = found.get("stopDate"), found.get("output")
        return WorkflowExecution(
            arn,
            found["status"],
            found["startDate"].timestamp(),
            json.loads(found.get("input", "null")),
            None if stopped is None else stopped.timestamp(),
            None if output is None else json.loads(output),
            found.get("error"),
            found.get("cause"),
        )

    def _input_of(self, arn: str) -> str:
        """The input of an execution. Raises TransientError: it can't be described yet, or no longer."""
        try:
            with transient():
                return self._client().describe_execution(executionArn=arn)["input"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            raise TransientError(f"{arn} exists, but can't be described; repeat the call") from error

    def resume(self, token: str, output: Any) -> None:
        """See CustomWorkflows."""
        token, text = checks.check_token(token), checks.text_of("output", output)
        with _token_errors(), transient():
            self._client().send_task_success(taskToken=token, output=text)

    def fail(self, token: str, error: str, cause: str = "") -> None:
        """See CustomWorkflows."""
        token, (error, cause) = checks.check_token(token), checks.check_failure(error, cause)
        with _token_errors(), transient():
            self._client().send_task_failure(taskToken=token, error=error, cause=cause)

    def heartbeat(self, token: str) -> None:
        """See CustomWorkflows."""
        checks.check_token(token)
        with _token_errors(), transient():
            self._client().send_task_heartbeat(taskToken=token)


@contextmanager
def _token_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        gone = GONE.get(error.response["Error"]["Code"])
        if gone is None:
            raise
        raise gone(f"Step Functions answered {error.response['Error']['Code']}: nothing waits for this token") from None


@contextmanager
def transient() -> Iterator[None]:
    """Convert retriable errors to ``TransientError``."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if passes(code, http_status_of(cast("Mapping[str, Any]", error.response))):
            raise TransientThrottle(f"Step Functions answered {code}", refused=_is_refusal(error)) from error
        raise
    except UNREACHABLE as error:
        raise TransientError(f"Step Functions could not be reached: {type(error).__name__}") from error


def _is_refusal(error: ClientError) -> bool:
    """Whether the call had no effect: it was refused and not retried. An earlier try may have had an effect."""
    attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts")
    return attempts == 0 and error.response["Error"]["Code"] in REFUSALS
