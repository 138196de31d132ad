"""One contract for every adapter of the topic port, and what only SNS has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from handlers.core.aws.message_batches import divide, message_text
from handlers.core.errors import TransientError, TransientThrottle, ValidationError
from handlers.topics.memory import MemoryTopic
from handlers.topics.port import MAX_BYTES, MessageRefused, Notice, Topic
from handlers.topics.sns import SnsTopic
from tests.support.moto_clients import moto_session

Sent = list[tuple[dict[str, Any], dict[str, str]]]
TopicAndReader = tuple[Topic, Callable[[], Sent]]


@pytest.fixture(params=["memory", "sns"])
def place(request: pytest.FixtureRequest) -> Iterator[TopicAndReader]:
    """A topic, and what it has sent so far in order."""
    if request.param == "memory":
        topic = MemoryTopic()
        yield topic, lambda: list(zip(topic.messages, topic.attributes, strict=True))
        return
    with moto_session() as session:
        sns, sqs = session.client("sns"), session.client("sqs")
        arn = sns.create_topic(Name="main")["TopicArn"]
        url = sqs.create_queue(QueueName="reader")["QueueUrl"]
        endpoint = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)

        def sent() -> Sent:
            found: Sent = []
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    body = json.loads(message["Body"])
                    attributes = {name: one["Value"] for name, one in body.get("MessageAttributes", {}).items()}
                    found.append((json.loads(body["Message"]), attributes))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return found

        yield SnsTopic(sns, arn), sent


class TestTopic:
    def test_publish_keeps_message_and_attributes(self, place: TopicAndReader) -> None:
        topic, sent = place
        topic.publish({"a": "ü€😀\x00\ufffe\uffff", "n": 1}, {"action": "x"})
        assert sent() == [({"a": "ü€😀\x00\ufffe\uffff", "n": 1}, {"action": "x"})]

    def test_many_go_out_in_order(self, place: TopicAndReader) -> None:
        topic, sent = place
        notices = [Notice({"n": number}, {"action": "x", "number": str(number)}) for number in range(23)]
        assert topic.publish_many(notices) == {}
        assert sent() == [(dict(one.message), dict(one.attributes)) for one in notices]

    def test_none_is_no_call_and_no_error(self, place: TopicAndReader) -> None:
        topic, sent = place
        assert topic.publish_many([]) == {}
        assert sent() == []

    def test_one_that_is_too_large_keeps_none_back(self, place: TopicAndReader) -> None:
        topic, sent = place
        notices = [Notice({"n": 0}, {}), Notice({"n": "x" * MAX_BYTES}, {}), Notice({"n": 2}, {})]
        unsent = topic.publish_many(notices)
        assert list(unsent) == [1]
        assert isinstance(unsent[1], ValidationError)
        assert "at most 262144 bytes" in str(unsent[1])
        assert [message for message, _ in sent()] == [{"n": 0}, {"n": 2}]


class Client:
    """An SNS client that answers as it is told."""

    def __init__(self, *answers: Any) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self._answers = list(answers)

    def publish_batch(self, *, TopicArn: str, PublishBatchRequestEntries: list[dict[str, Any]]) -> Any:
        self.calls.append(PublishBatchRequestEntries)
        answer = self._answers.pop(0) if self._answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "PublishBatch")


def some(count: int, text: str = "") -> list[Notice]:
    return [Notice({"n": number, "text": text}, {"action": "x"}) for number in range(count)]


def test_ten_messages_are_one_call() -> None:
    client = Client()
    assert SnsTopic(client, "arn").publish_many(some(21)) == {}  # type: ignore[arg-type]
    assert [len(entries) for entries in client.calls] == [10, 10, 1]
    assert [entry["Id"] for entries in client.calls for entry in entries] == [str(number) for number in range(21)]


def test_a_call_carries_at_most_256_kib() -> None:
    client = Client()
    assert SnsTopic(client, "arn").publish_many(some(7, "é" * 50_000)) == {}  # type: ignore[arg-type]
    assert [len(entries) for entries in client.calls] == [2, 2, 2, 1]


def test_failed_entries_are_distinguished_and_the_others_are_sent() -> None:
    failed = [
        {"Id": "1", "Code": "InternalError", "SenderFault": False},
        {"Id": "3", "Code": "InvalidParameter", "Message": "no", "SenderFault": True},
    ]
    unsent = SnsTopic(Client({"Failed": failed}), "arn").publish_many(some(4))  # type: ignore[arg-type]
    assert {index: type(error) for index, error in unsent.items()} == {1: TransientThrottle, 3: MessageRefused}
    assert str(unsent[3]) == "InvalidParameter from arn: no"


def test_a_failed_call_fails_its_messages_only() -> None:
    client = Client(client_error("Throttling"), {}, ConnectTimeoutError(endpoint_url="u"), client_error("Forbidden"))
    unsent = SnsTopic(client, "arn").publish_many(some(32))  # type: ignore[arg-type]
    assert {index: type(error) for index, error in unsent.items()} == {
        **dict.fromkeys(range(10), TransientThrottle),
        **dict.fromkeys(range(20, 30), TransientError),
        **dict.fromkeys(range(30, 32), MessageRefused),
    }


def test_division_keeps_order_and_limits() -> None:
    assert divide([], max_entries=3, max_bytes=10) == []
    assert divide([4, 4, 4, 11, 1, 1, 1, 1, 10], max_entries=3, max_bytes=10) == [[0, 1], [2, 4, 5], [6, 7], [8]]


def test_texts_have_no_character_that_a_queue_refuses() -> None:
    text = message_text({"a\ufffe": ["\uffff\x01"]})
    assert text == '{"a\\ufffe": ["\\uffff\\u0001"]}'
    assert json.loads(text) == {"a\ufffe": ["\uffff\x01"]}
