"""One contract for every adapter of the event bus port, and what only EventBridge has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from handlers.core.errors import TransientError, TransientThrottle, ValidationError
from handlers.event_bus.eventbridge import EventBridgeBus
from handlers.event_bus.memory import MemoryBus
from handlers.event_bus.port import MAX_BUS_BYTES, BusEvent, EventBus
from handlers.topics.port import MessageRefused
from tests.support.moto_clients import moto_session

Read = Callable[[], list[tuple[str, Any]]]


@pytest.fixture(params=["memory", "eventbridge"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[EventBus, Read]]:
    """A bus, and the kinds and details that a rule on it let through, in order."""
    if request.param == "memory":
        memory = MemoryBus()
        yield memory, lambda: [(one.kind, dict(one.detail)) for one in memory.events]
        return
    with moto_session() as session:
        events, sqs = session.client("events"), session.client("sqs")
        events.create_event_bus(Name="theirs")
        events.put_rule(Name="all", EventBusName="theirs", EventPattern=json.dumps({"source": ["cqrs"]}))
        url = sqs.create_queue(QueueName="reader")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_targets(Rule="all", EventBusName="theirs", Targets=[{"Id": "q", "Arn": arn}])

        def read() -> list[tuple[str, Any]]:
            found: list[tuple[str, Any]] = []
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    body = json.loads(message["Body"])
                    found.append((body["detail-type"], body["detail"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return found

        yield EventBridgeBus(lambda: events, "theirs"), read


class TestEventBus:
    def test_many_go_out_in_order(self, place: tuple[EventBus, Read]) -> None:
        bus, read = place
        events = [BusEvent("command-status", {"n": number, "text": "ü"}) for number in range(12)]  # two calls
        assert bus.put_many(events) == {}
        assert read() == [(one.kind, dict(one.detail)) for one in events]

    def test_none_is_no_error(self, place: tuple[EventBus, Read]) -> None:
        bus, read = place
        assert bus.put_many([]) == {}
        assert read() == []

    def test_one_that_is_too_large_keeps_none_back(self, place: tuple[EventBus, Read]) -> None:
        bus, read = place
        texts = ["a", "x" * MAX_BUS_BYTES, "b"]
        unsent = bus.put_many([BusEvent("command-status", {"text": text}) for text in texts])
        assert {index: type(error) for index, error in unsent.items()} == {1: ValidationError}
        assert [detail["text"] for _, detail in read()] == ["a", "b"]


class Client:
    """An EventBridge client that answers as it is told."""

    def __init__(self, *answers: Any) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self._answers = list(answers)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> Any:
        self.calls.append(Entries)
        answer = self._answers.pop(0) if self._answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer or {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in Entries]}


def some(count: int) -> list[BusEvent]:
    return [BusEvent("command-status", {"n": number}) for number in range(count)]


def test_entries_that_the_bus_rejected_are_distinguished() -> None:
    entries = [{"EventId": "e"}, {"ErrorCode": "ThrottlingException"}, {"ErrorCode": "NoSuch", "ErrorMessage": "m"}]
    client = Client({"FailedEntryCount": 2, "Entries": entries})
    unsent = EventBridgeBus(lambda: client, "b").put_many(some(3))  # type: ignore[arg-type, return-value]
    assert {index: type(error) for index, error in unsent.items()} == {1: TransientThrottle, 2: MessageRefused}


def test_a_failed_call_fails_its_events_only() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "m"}}, "PutEvents")
    client = Client(ConnectTimeoutError(endpoint_url="u"), {}, denied)
    unsent = EventBridgeBus(lambda: client, "b").put_many(some(25))  # type: ignore[arg-type, return-value]
    assert [len(entries) for entries in client.calls] == [10, 10, 5]
    assert {index: type(error) for index, error in unsent.items()} == {
        **dict.fromkeys(range(10), TransientError),
        **dict.fromkeys(range(20, 25), MessageRefused),
    }
