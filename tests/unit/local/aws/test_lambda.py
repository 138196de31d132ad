"""Lambda of the endpoint: declarations by moto, code by the function host."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import scheduler as scheduling
from local.aws.endpoint import AwsEndpoint
from local.aws.lambda_backend import run_in_task
from local.functions.host import FunctionHost
from local.functions.model import FunctionSpec, InvokeResult, NoAnswer, current_function
from local.scheduler import Scheduler
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key

CODE = """
import boto3

def create(env, *, tries=None):
    dynamodb = boto3.client("dynamodb")
    def handler(event, context):
        if "raise" in event:
            tries.append(1)
            raise ValueError("bad value")
        dynamodb.put_item(TableName=env["TABLE"], Item=event)
        return {"stored": event["sk"]["S"], "region": dynamodb.meta.region_name}
    return handler
"""


def empty_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme", "the code is in the archive directory")
    return buffer.getvalue()


def declare(name: str = "f") -> Any:
    role = boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = boto3.client("lambda", config=Config(retries={"max_attempts": 1}))
    client.create_function(
        FunctionName=name, Role=role, Runtime="python3.12", Handler="handlers.f.handler", Code={"ZipFile": empty_zip()}
    )
    return client


def install(
    endpoint: AwsEndpoint, scheduler: Scheduler, directory: Path, tries: list[int], **spec: Any
) -> FunctionHost:
    (directory / "handlers").mkdir()
    (directory / "handlers/f.py").write_text(CODE)
    host = FunctionHost(scheduler, create_overrides={"tries": tries})
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    host.register(FunctionSpec("f", arn, "handlers.f.handler", directory, {"TABLE": "orders"}, **spec))
    endpoint.install_lambda(host)
    return host


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler.virtual()


@pytest.fixture
def virtual(scheduler: Scheduler) -> Iterator[AwsEndpoint]:
    with AwsEndpoint(scheduler) as running:
        create_table(boto3.client("dynamodb"), "orders")
        yield running


def in_task(scheduler: Scheduler, call: Any) -> Any:
    task = scheduler.spawn(call)
    task.future.awaited = True
    scheduler.run_until_idle()
    return task.future.result()


def test_invoke_runs_the_function_and_counts_its_calls(
    virtual: AwsEndpoint, scheduler: Scheduler, tmp_path: Path
) -> None:
    client = declare()
    install(virtual, scheduler, tmp_path, [])

    answer = in_task(scheduler, lambda: client.invoke(FunctionName="f", Payload=json.dumps(item("9"))))

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.loads(answer["Payload"].read()) == {"stored": "9", "region": "us-east-1"}
    assert virtual.calls_by_function() == {
        "f": {"dynamodb:PutItem": {"arn:aws:dynamodb:us-east-1:123456789012:table/orders"}}
    }
    assert client.get_function_configuration(FunctionName="f")["Handler"] == "handlers.f.handler"


def test_a_function_error_is_an_answer_and_a_refusal_an_error(
    virtual: AwsEndpoint, scheduler: Scheduler, tmp_path: Path
) -> None:
    client = declare()
    install(virtual, scheduler, tmp_path, [], reserved_concurrency=1)

    failed = in_task(scheduler, lambda: client.invoke(FunctionName="f", Payload='{"raise": true}'))
    assert failed["FunctionError"] == "Unhandled"
    payload = json.loads(failed["Payload"].read())
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "bad value")

    refusals = {"nobody": "ResourceNotFoundException", "f": "InvalidRequestContentException"}
    for name, code in refusals.items():
        with pytest.raises(ClientError, match=code):
            in_task(scheduler, lambda name=name: client.invoke(FunctionName=name, Payload="no json"))


def test_a_throttled_function_answers_429(virtual: AwsEndpoint, scheduler: Scheduler, tmp_path: Path) -> None:
    client = declare()
    install(virtual, scheduler, tmp_path, [], reserved_concurrency=0)

    with pytest.raises(ClientError, match="TooManyRequestsException") as refused:
        in_task(scheduler, lambda: client.invoke(FunctionName="f"))

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_an_event_is_accepted_at_once_and_tried_three_times(
    virtual: AwsEndpoint, scheduler: Scheduler, tmp_path: Path
) -> None:
    client, tries = declare(), []  # type: Any, list[int]
    install(virtual, scheduler, tmp_path, tries)
    started = scheduler.now()

    answer = client.invoke(FunctionName="f", InvocationType="Event", Payload='{"raise": true}')
    assert (answer["StatusCode"], tries) == (202, [])
    scheduler.run_until_idle()

    assert len(tries) == 3
    assert scheduler.now() - started == pytest.approx(180, abs=1)
    with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
        client.invoke(FunctionName="f", InvocationType="Event", Payload=json.dumps("x" * 1024 * 1024))
    assert client.invoke(FunctionName="f", InvocationType="DryRun", Payload="{}")["StatusCode"] == 204


def test_event_source_mappings_are_recorded_and_deliver_nothing(
    virtual: AwsEndpoint, scheduler: Scheduler, tmp_path: Path
) -> None:
    client, dynamodb, sqs = declare(), boto3.client("dynamodb"), boto3.client("sqs")
    install(virtual, scheduler, tmp_path, [])
    stream = dynamodb.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for arn, more in ((stream, {"StartingPosition": "TRIM_HORIZON"}), ("arn:aws:sqs:us-east-1:123456789012:q", {})):
        client.create_event_source_mapping(
            EventSourceArn=arn,
            FunctionName="f",
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **more,
        )

    with pytest.raises(ClientError, match=r"ResourceConflictException.* provided mapping already exists"):
        client.create_event_source_mapping(EventSourceArn=stream, FunctionName="f", StartingPosition="LATEST")

    dynamodb.put_item(TableName="orders", Item=item())
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    scheduler.run_until_idle()

    mappings = client.list_event_source_mappings(FunctionName="f")["EventSourceMappings"]
    assert {m["EventSourceArn"] for m in mappings} == {stream, "arn:aws:sqs:us-east-1:123456789012:q"}
    assert virtual.calls_by_function() == {}
    client.delete_event_source_mapping(UUID=mappings[0]["UUID"])
    assert len(client.list_event_source_mappings(FunctionName="f")["EventSourceMappings"]) == 1


def test_invoke_over_http_runs_on_the_schedulers_thread(tmp_path: Path) -> None:
    scheduler = Scheduler.real()
    with AwsEndpoint(scheduler) as endpoint:
        dynamodb = boto3.client("dynamodb")
        create_table(dynamodb, "orders")
        install(endpoint, scheduler, tmp_path, [])
        server = endpoint.serve_http(0)
        scheduler.start_thread()
        try:
            remote = boto3.client("lambda", endpoint_url=server.url)
            answer = remote.invoke(FunctionName="f", Payload=json.dumps(item("7")))
        finally:
            server.stop()
            scheduler.stop()

        assert json.loads(answer["Payload"].read())["stored"] == "7"
        assert dynamodb.get_item(TableName="orders", Key=key("7"))["Item"] == item("7")


def test_edge_45_a_call_that_gets_no_answer_fails_with_the_functions_name() -> None:
    """The scheduler doesn't run: neither a result nor a timeout of the function can come."""
    scheduler = Scheduler.real()
    with pytest.raises(NoAnswer, match=r"function f gave no answer within 0 s"):
        run_in_task(scheduler, lambda: InvokeResult(None, None, "r"), what="function f", patience=0.05)
    scheduler.stop()


def test_a_call_that_a_running_call_makes_does_not_wait_for_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one thread a function that calls another one would wait for itself."""
    monkeypatch.setattr(scheduling, "WORKER_THREADS", 1)
    scheduler = Scheduler.real()
    scheduler.start_thread()

    def execute(fn: Callable[[], InvokeResult]) -> InvokeResult:
        with scheduler.worker():
            future = scheduler.execute(fn)
        return scheduler.wait(future)

    def outer() -> InvokeResult:
        current_function.set("outer")
        inner = lambda: execute(lambda: InvokeResult("inner", None, "r"))  # noqa: E731 - one expression
        return run_in_task(scheduler, inner, what="function inner", patience=30.0)

    try:
        result = run_in_task(scheduler, lambda: execute(outer), what="function outer", patience=60.0)
    finally:
        scheduler.stop()
    assert result.payload == "inner"
