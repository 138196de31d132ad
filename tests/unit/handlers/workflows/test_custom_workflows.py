"""One contract for both adapters of ``CustomWorkflows``, and what is refused before anything is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.exceptions import ClientError

from handlers.core.errors import (
    RequestConflict,
    TokenExpired,
    TokenInvalid,
    TokenUnknown,
    TransientError,
    TransientThrottle,
    ValidationError,
)
from handlers.state_machines.checks import MAX_OUTPUT_BYTES, execution_name
from handlers.state_machines.memory import MemoryCustomWorkflows
from handlers.state_machines.port import ShownWorkflows
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from local.aws.endpoint import AwsEndpoint
from local.aws.state_machines import stepfunctions
from local.functions.model import InvokeResult
from local.scheduler import Scheduler
from local.states.manager import ExecutionManager

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:cqrs-test-waits"
DEFINITION = {
    "StartAt": "wait",
    "States": {
        "wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "Payload": {"token.$": "$$.Task.Token"},
            },
            "TimeoutSeconds": 60,
            "HeartbeatSeconds": 30,
            "End": True,
        }
    },
}


@dataclass
class Adapter:
    """The port, a token that a state waits for, one that is expired, one that nobody knows, and the starts so far."""

    port: ShownWorkflows
    new_token: Callable[[], str]
    expire: Callable[[str], None]
    unknown: str
    starts: Callable[[], int]


def memory() -> Adapter:
    port = MemoryCustomWorkflows({"waits": MACHINE})
    numbers = iter(range(100))
    return Adapter(
        port,
        lambda: port.open(str(next(numbers))),
        port.close,
        MemoryCustomWorkflows.PREFIX + "unknown",
        lambda: len(port.started),
    )


@pytest.fixture(params=["memory", "stepfunctions"])
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    if request.param == "memory":
        yield memory()
        return
    scheduler = Scheduler.virtual(1)
    tokens: list[str] = []

    class Invoker:
        def invoke(self, function: str, payload: Any) -> InvokeResult:
            tokens.append(payload["token"])
            return InvokeResult(None, None, "r")

    endpoint = AwsEndpoint(scheduler)
    manager = ExecutionManager(scheduler, Invoker(), region=endpoint.region, account_id=endpoint.account_id)
    machine = MACHINE.replace("123456789012", endpoint.account_id).replace("us-east-1", endpoint.region)
    endpoint.start()
    try:
        stepfunctions.install(endpoint, manager)
        manager.create_state_machine("cqrs-test-waits", DEFINITION, "arn:aws:iam::123456789012:role/r")
        client = boto3.Session().client("stepfunctions", region_name=endpoint.region)
        port = StepFunctionsWorkflows(lambda: client, {"waits": machine})

        def new_token() -> str:
            port.start("waits", {}, f"token {len(tokens)}")
            scheduler.run_for(1)
            return tokens[-1]

        def expire(token: str) -> None:
            scheduler.run_for(90)

        yield Adapter(port, new_token, expire, "AQC" + "A" * 64, lambda: len(manager.list_executions(machine)))
    finally:
        scheduler.stop()
        endpoint.stop()


def test_wf_03_the_same_id_starts_one_execution(adapter: Adapter) -> None:
    first = adapter.port.start("waits", {"n": 1}, "order 1")
    assert adapter.port.start("waits", {"n": 1}, "order 1") == first
    assert first.endswith(f":execution:cqrs-test-waits:{execution_name('order 1')}")
    assert adapter.starts() == 1
    assert adapter.port.start("waits", {"n": 1}, "order 2") != first


def test_wf_03_also_after_its_end(adapter: Adapter) -> None:
    first = adapter.port.start("waits", {}, "token 0")
    token = adapter.new_token()
    adapter.port.resume(token, 1)
    adapter.expire(token)
    assert adapter.port.start("waits", {}, "token 0") == first


@pytest.mark.parametrize("ended", [False, True])
def test_wf_03_the_same_id_with_other_input_is_refused(adapter: Adapter, ended: bool) -> None:
    first = adapter.port.start("waits", {"n": 1, "m": [2]}, "order 1")
    if ended:
        adapter.expire("")
    with pytest.raises(RequestConflict, match="id 'order 1': workflow waits was started with other input under it"):
        adapter.port.start("waits", {"n": 2, "m": [2]}, "order 1")
    assert adapter.port.start("waits", {"m": [2], "n": 1}, "order 1") == first
    assert adapter.starts() == 1


def test_wf_03_an_execution_that_can_not_be_described_is_worth_another_try() -> None:
    class Client:
        def start_execution(self, **given: Any) -> Any:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")

        def describe_execution(self, **given: Any) -> Any:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")

    port: Any = StepFunctionsWorkflows(Client, {"waits": MACHINE})  # type: ignore[arg-type]
    with pytest.raises(TransientError, match="can't be described; repeat the call"):
        port.start("waits", {}, "1")


def test_wf_04_a_token_is_answered_once(adapter: Adapter) -> None:
    token = adapter.new_token()
    adapter.port.heartbeat(token)
    adapter.port.resume(token, {"approved": True})
    answers: tuple[Callable[[], None], ...] = (
        lambda: adapter.port.resume(token, {}),
        lambda: adapter.port.fail(token, "No"),
    )
    for answer in answers:
        with pytest.raises(TokenExpired):
            answer()


def test_wf_04_a_failed_token_is_used(adapter: Adapter) -> None:
    token = adapter.new_token()
    adapter.port.fail(token, "Rejected", "too dear")
    with pytest.raises(TokenExpired):
        adapter.port.heartbeat(token)


def test_wf_04_expired_unknown_and_wrong_tokens_are_distinguished(adapter: Adapter) -> None:
    token = adapter.new_token()
    adapter.expire(token)
    with pytest.raises(TokenExpired):
        adapter.port.resume(token, {})
    with pytest.raises(TokenUnknown):
        adapter.port.resume(adapter.unknown, {})
    with pytest.raises(TokenInvalid) as wrong:
        adapter.port.resume("my secret", {})
    assert "my secret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda port: port.start("other", {}, "1"), "workflow: 'other' is not allowed; expected one of waits"),
        (lambda port: port.start("waits", [], "1"), "input: [] is not allowed; expected a JSON object (dict)"),
        (lambda port: port.start("waits", {"x": "a" * MAX_OUTPUT_BYTES}, "1"), "at most 262144 bytes"),
        (lambda port: port.start("waits", {}, ""), "id: '' is not allowed"),
        (lambda port: port.start("waits", {}, None), "id: None is not allowed"),
        (lambda port: port.start("waits", {}, "\ud800"), "expected Unicode text, without halves of characters"),
        (lambda port: port.resume("token-1", "a" * MAX_OUTPUT_BYTES), "output: '262146 bytes' is not allowed"),
        (lambda port: port.resume("token-1", {1, 2}), "output: {1, 2} is not allowed; expected a JSON value"),
        (lambda port: port.resume("token-1", float("nan")), "output: nan is not allowed"),
        (lambda port: port.resume("", 1), "token: '<hidden>' is not allowed"),
        (lambda port: port.fail("token-1", "", ""), "error: '' is not allowed"),
        (lambda port: port.fail("token-1", "E", "a" * 32_769), "cause: "),
    ],
)
@pytest.mark.parametrize("kind", ["memory", "stepfunctions"])
def test_bad_input_is_refused_before_anything_is_sent(kind: str, call: Any, message: str) -> None:
    def no_client() -> Any:
        raise AssertionError("something was sent")

    port: ShownWorkflows = MemoryCustomWorkflows({"waits": MACHINE})
    if kind == "stepfunctions":
        port = StepFunctionsWorkflows(no_client, {"waits": MACHINE})
    with pytest.raises(ValidationError, match=re.escape(message)):
        call(port)


@pytest.mark.parametrize("id_", ["o1", "a b/c:d#e", "日本", "x" * 1_000, "-"])
def test_wf_03_execution_names_are_what_aws_allows(id_: str) -> None:
    name = execution_name(id_)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,80}", name)
    assert name == execution_name(id_)


def test_wf_03_ids_that_read_alike_have_names_of_their_own() -> None:
    assert execution_name("a b") != execution_name("a/b")


def test_executions_are_listed_by_how_their_ids_begin(adapter: Adapter) -> None:
    ids = ["t1#a", "t2#a", "t1#b", "t1-c"]
    arns = {id_: adapter.port.start("waits", {"id": id_}, id_) for id_ in ids}
    first = adapter.port.executions("waits", "t1#", limit=3)
    assert [one.given["id"] for one in first.items] == ["t1-c", "t1#b"]  # which reads alike; t2's is none
    assert [one.arn for one in first.items] == [arns["t1-c"], arns["t1#b"]]
    rest = adapter.port.executions("waits", "t1#", limit=3, page=first.next_page)
    assert ([one.given["id"] for one in rest.items], rest.next_page) == (["t1#a"], None)
    for page in ("", "x", "x" * 1_025):
        with pytest.raises(ValidationError, match=r"cursor: .* is not allowed; expected the cursor of an earlier page"):
            adapter.port.executions("waits", "t1#", limit=3, page=page)


def test_an_express_workflow_remembers_no_executions() -> None:
    client = mock.Mock()
    refused = ClientError({"Error": {"Code": "StateMachineTypeNotSupported", "Message": ""}}, "ListExecutions")
    client.list_executions.side_effect = refused
    found = StepFunctionsWorkflows(lambda: client, {"fast": MACHINE}).executions("fast", "t1#", limit=3)
    assert (found.items, found.next_page) == ([], None)


@pytest.mark.parametrize(
    ("code", "raised"), [("ThrottlingException", TransientThrottle), ("AccessDeniedException", ClientError)]
)
def test_other_answers_of_aws(code: str, raised: type[Exception]) -> None:
    client = mock.Mock()
    client.send_task_success.side_effect = ClientError({"Error": {"Code": code, "Message": ""}}, "SendTaskSuccess")
    with pytest.raises(raised):
        StepFunctionsWorkflows(lambda: client, {}).resume("t", 1)


def test_environment_is_not_needed() -> None:
    """The client is made when something is sent, so a function without workflows needs none."""
    with mock.patch.dict(os.environ, clear=True):
        StepFunctionsWorkflows(lambda: pytest.fail("made"), {})
