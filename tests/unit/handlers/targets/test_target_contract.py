"""One contract for every adapter of a target in another project, and the errors that each must tell apart."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from handlers.commands.model import Command
from handlers.commands.targets.eventbridge import EventBridgeTarget
from handlers.commands.targets.lambda_ import LambdaTarget
from handlers.commands.targets.memory import MemoryTarget
from handlers.commands.targets.message import MAX_MESSAGE_BYTES, delivery_of, fifo_id
from handlers.commands.targets.model import TargetSpec
from handlers.commands.targets.port import RemoteTarget, RemoteTargetError, TargetRefused
from handlers.commands.targets.sns import SnsTarget
from handlers.commands.targets.sqs import SqsTarget, queue_url
from handlers.core.errors import TransientError, TransientThrottle
from tests.support.moto_clients import moto_session

ACCOUNT = "123456789012"
ARNS = {
    "lambda": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:consumer:live",
    "sqs": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:consumer",
    "sns": f"arn:aws:sns:eu-west-1:{ACCOUNT}:consumer",
    "eventbridge": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/consumer",
}
Texts = Callable[[], list[str]]


def spec(kind: str, suffix: str = "") -> TargetSpec:
    return TargetSpec("search", ("ORDER",), kind, ARNS[kind] + suffix)


def command(version: int = 1, code: str = "o1", **attributes: Any) -> Command:
    return Command(
        pk="TENANT#t1",
        sk=f"ORDER#{code}@{version:010d}",
        id=f"c{version}",
        code=code,
        name="n",
        type="ORDER",
        version=version,
        tenant_code="t1",
        attributes=attributes,
        is_deleted=False,
        created_at="c",
        created_by="u",
        created_ip="i",
        updated_at="d",
        updated_by="u",
        updated_ip="i",
        source="s",
        ttl=5,
    )


class LambdaClient:
    """A Lambda client that keeps payloads and answers as it is told."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self._answer = answer or {"StatusCode": 200, "Payload": io.BytesIO(b"null")}

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(arguments)
        return self._answer


@pytest.fixture(params=["memory", "lambda", "sqs", "sqs.fifo", "sns", "sns.fifo", "eventbridge"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[RemoteTarget, Texts]]:
    """A target, and the texts that its consumer got, in order."""
    kind, _, fifo = request.param.partition(".")
    suffix = f".{fifo}" if fifo else ""
    if kind == "memory":
        memory = MemoryTarget()
        yield memory, lambda: [one.text for one in memory.deliveries]
        return
    if kind == "lambda":
        calls = LambdaClient()
        yield LambdaTarget(lambda: calls, spec(kind)), lambda: [one["Payload"].decode() for one in calls.calls]  # type: ignore[arg-type, return-value]
        return
    with moto_session() as session:
        sqs, sns, events = session.client("sqs"), session.client("sns"), session.client("events")
        url = sqs.create_queue(QueueName=f"consumer{suffix}", Attributes={"FifoQueue": "true"} if fifo else {})[
            "QueueUrl"
        ]
        queue_arn = ARNS["sqs"] + suffix
        unwrap: Callable[[Any], str] = lambda body: body  # noqa: E731 - one line per kind
        target: RemoteTarget
        if kind == "sqs":
            target = SqsTarget(lambda: sqs, spec(kind, suffix))
        elif kind == "sns":
            sns.create_topic(Name=f"consumer{suffix}", Attributes={"FifoTopic": "true"} if fifo else {})
            sns.subscribe(TopicArn=ARNS["sns"] + suffix, Protocol="sqs", Endpoint=queue_arn)
            target, unwrap = SnsTarget(lambda: sns, spec(kind, suffix)), lambda body: json.loads(body)["Message"]
        else:
            events.create_event_bus(Name="consumer")
            pattern = json.dumps({"source": ["cqrs"], "detail-type": ["command-sync"]})
            events.put_rule(Name="all", EventBusName="consumer", EventPattern=pattern)
            events.put_targets(Rule="all", EventBusName="consumer", Targets=[{"Id": "q", "Arn": queue_arn}])
            target = EventBridgeTarget(lambda: events, spec(kind))
            unwrap = lambda body: json.dumps(json.loads(body)["detail"], ensure_ascii=False)  # noqa: E731

        def texts() -> list[str]:
            found: list[str] = []
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    found.append(unwrap(message["Body"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return found

        yield target, texts


class TestRemoteTarget:
    def test_versions_arrive_whole_and_in_order(self, place: tuple[RemoteTarget, Texts]) -> None:
        target, texts = place
        deliveries = [delivery_of(command(version, text="ü€😀\ufffe"), "c") for version in range(1, 6)]
        for delivery in deliveries:
            target.deliver(delivery)
        assert [json.loads(text) for text in texts()] == [json.loads(one.text) for one in deliveries]

    def test_another_delivery_of_the_same_version_does_no_harm(self, place: tuple[RemoteTarget, Texts]) -> None:
        target, texts = place
        for version in (1, 1, 2):
            target.deliver(delivery_of(command(version, n=1), "c"))
        versions = [json.loads(text)["content"]["version"] for text in texts()]
        assert versions in ([1, 2], [1, 1, 2])


def test_the_message() -> None:
    delivery = delivery_of(command(3, n=1), "cqrs-dev-commands")
    assert json.loads(delivery.text) == {
        "id": "TENANT#t1#ORDER#o1@0000000003",
        "action": "command-sync",
        "table": "cqrs-dev-commands",
        "pk": "TENANT#t1",
        "sk": "ORDER#o1@0000000003",
        "tenantCode": "t1",
        "content": {
            "attributes": {"n": 1},
            "attributesOmitted": False,
            "code": "o1",
            "createdAt": "c",
            "createdBy": "u",
            "createdIp": "i",
            "id": "c3",
            "isDeleted": False,
            "name": "n",
            "source": "s",
            "tenantCode": "t1",
            "type": "ORDER",
            "updatedAt": "d",
            "updatedBy": "u",
            "updatedIp": "i",
            "version": 3,
        },
    }
    assert (delivery.group, delivery.deduplication) == ("TENANT#t1#ORDER#o1", "TENANT#t1#ORDER#o1@3")


def test_a_large_command_goes_as_a_reference() -> None:
    text = delivery_of(command(3, text="é" * 70_000), "c").text
    content = json.loads(text)["content"]
    assert "attributes" not in content
    assert content["attributesOmitted"] is True
    assert content["attributesBytes"] == 140_012
    assert (content["version"], len(text) < 1_000) == (3, True)
    at_the_limit = delivery_of(command(3, text="x" * (MAX_MESSAGE_BYTES - 600)), "c").text
    assert json.loads(at_the_limit)["content"]["attributesOmitted"] is False


@pytest.mark.parametrize("text", ["with space", "ü", "x" * 129, ""])
def test_fifo_ids_that_are_not_allowed_are_hashed(text: str) -> None:
    assert len(fifo_id(text)) == 64
    assert fifo_id(text) == fifo_id(text) != fifo_id(text + "x")


def test_fifo_ids_that_are_allowed_stay() -> None:
    assert fifo_id("TENANT#t1#ORDER#o1@3") == "TENANT#t1#ORDER#o1@3"
    assert fifo_id("x" * 128) == "x" * 128


class Failing:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, operation: str) -> Any:
        def call(**_: Any) -> Any:
            raise self._error

        return call


def client_error(code: str, status: int = 400) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": metadata}, "Call")


ADAPTERS: dict[str, Any] = {
    "lambda": LambdaTarget,
    "sqs": SqsTarget,
    "sns": SnsTarget,
    "eventbridge": EventBridgeTarget,
}


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (client_error("Throttling"), TransientThrottle),
        (client_error("Whatever", 503), TransientThrottle),
        (client_error("TooManyRequestsException", 429), TransientThrottle),
        (ConnectTimeoutError(endpoint_url="u"), TransientError),
        (ReadTimeoutError(endpoint_url="u"), TransientError),
        (client_error("AccessDenied", 403), TargetRefused),
        (client_error("ResourceNotFoundException", 404), TargetRefused),
    ],
)
def test_errors_of_a_call(kind: str, error: Exception, expected: type[Exception]) -> None:
    target = ADAPTERS[kind](lambda: Failing(error), spec(kind))
    with pytest.raises(expected) as caught:
        target.deliver(delivery_of(command(), "c"))
    assert type(caught.value) is expected
    assert ARNS[kind] in str(caught.value)


@pytest.mark.parametrize(
    ("code", "expected"), [("ThrottlingException", TransientThrottle), ("InvalidArgument", TargetRefused)]
)
def test_an_event_that_the_bus_did_not_take_is_an_error(code: str, expected: type[Exception]) -> None:
    class Bus:
        def put_events(self, **_: Any) -> Any:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": "m"}]}

    with pytest.raises(expected, match=code):
        ADAPTERS["eventbridge"](Bus, spec("eventbridge")).deliver(delivery_of(command(), "c"))


@pytest.mark.parametrize(
    ("payload", "name", "text", "transient"),
    [
        ({"errorType": "OutOfStock", "errorMessage": "none left"}, "OutOfStock", "none left", False),
        ({"errorType": "TransientBusy", "errorMessage": "m"}, "TransientError", "TransientBusy: m", True),
        *(
            ({"errorType": name, "errorMessage": "m"}, "TransientError", f"{name}: m", True)
            for name in ("Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown")
        ),
        ({"errorType": "VersionMismatch", "errorMessage": "m"}, "RemoteTargetError", "VersionMismatch: m", False),
        ({"errorType": "a.b.Error", "errorMessage": "m"}, "RemoteTargetError", "a.b.Error: m", False),
        ({"errorMessage": "m"}, "Unknown", "m", False),
        ("cut", "Unknown", "", False),
    ],
)
def test_an_error_of_the_function_keeps_its_name(payload: Any, name: str, text: str, transient: bool) -> None:
    body = b"not json" if payload == "cut" else json.dumps(payload).encode()
    client = LambdaClient({"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(body)})
    target = LambdaTarget(lambda: client, spec("lambda"))  # type: ignore[arg-type, return-value]
    with pytest.raises((RemoteTargetError, TransientError)) as caught:
        target.deliver(delivery_of(command(), "c"))
    assert (type(caught.value).__name__, str(caught.value)) == (name, text)
    assert isinstance(caught.value, TransientError) is transient
    assert client.calls[0]["InvocationType"] == "RequestResponse"
    assert client.calls[0]["FunctionName"] == ARNS["lambda"]


def test_queue_urls() -> None:
    assert queue_url(ARNS["sqs"]) == f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/consumer"
    china = f"arn:aws-cn:sqs:cn-north-1:{ACCOUNT}:q.fifo"
    assert queue_url(china) == f"https://sqs.cn-north-1.amazonaws.com.cn/{ACCOUNT}/q.fifo"
