"""SQS: cost, visibility on the virtual clock, long polling."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws import services
from local.aws.endpoint import AwsEndpoint
from local.aws.model import EndpointError
from local.aws.queues import Queues, has_visible_messages, next_visible_at
from local.scheduler import Scheduler

ARN = "arn:aws:sqs:us-east-1:123456789012:q"


def virtual_queue(scheduler: Scheduler, **attributes: str) -> tuple[Any, str]:
    sqs: Any = boto3.client("sqs")
    return sqs, sqs.create_queue(QueueName="q", Attributes=attributes)["QueueUrl"]


def test_visibility_follows_the_virtual_clock() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler) as endpoint:
        sqs, url = virtual_queue(scheduler, VisibilityTimeout="60")
        reader = Queues(endpoint, sqs)
        assert not has_visible_messages(endpoint, ARN)
        sqs.send_message(
            QueueUrl=url, MessageBody="m", MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}}
        )
        assert has_visible_messages(endpoint, ARN)
        assert next_visible_at(endpoint, ARN) is None

        (message,) = reader.receive(ARN, 10)
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"
        assert message["MessageAttributes"]["a"]["StringValue"] == "v"
        assert not has_visible_messages(endpoint, ARN)
        assert reader.next_visible_at(ARN) == pytest.approx(scheduler.now() + 60)
        assert reader.receive(ARN, 10) == []

        scheduler.run_for(60.001)
        (message,) = reader.receive(ARN, 10)
        assert message["Attributes"]["ApproximateReceiveCount"] == "2"
        reader.delete(ARN, [message["ReceiptHandle"]])
        assert next_visible_at(endpoint, ARN) is None


def test_a_message_received_too_often_goes_to_the_dead_letter_queue() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler):
        sqs = boto3.client("sqs")
        dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        policy = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": "2"}'
        url = sqs.create_queue(QueueName="q", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "30"})[
            "QueueUrl"
        ]
        sqs.send_message(QueueUrl=url, MessageBody="m")

        received = []
        for _ in range(3):
            received.append(len(sqs.receive_message(QueueUrl=url).get("Messages", [])))
            scheduler.run_for(31)

        assert received == [1, 1, 0]
        assert [m["Body"] for m in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["m"]


def test_long_polling_waits_in_virtual_time_and_lets_others_go_on() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler):
        sqs, url = virtual_queue(scheduler)
        start = scheduler.now()

        def receive() -> tuple[int, float]:
            found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages", [])
            return len(found), scheduler.now() - start

        def send() -> None:
            scheduler.sleep(5)
            sqs.send_message(QueueUrl=url, MessageBody="m")

        receiving = scheduler.spawn(receive)
        scheduler.spawn(send)
        scheduler.run_until_idle()
        assert receiving.future.result() == (1, pytest.approx(5, abs=0.3))

        start = scheduler.now()
        sqs.purge_queue(QueueUrl=url)
        receiving = scheduler.spawn(receive)
        scheduler.run_until_idle()
        assert receiving.future.result() == (0, pytest.approx(20, abs=0.3))


def test_sending_and_receiving_do_not_grow_with_the_queue(endpoint: AwsEndpoint) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]

    def seconds(count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            sqs.send_message(QueueUrl=url, MessageBody="m")
        return time.perf_counter() - started

    seconds(20)
    first = seconds(50)
    seconds(800)
    assert seconds(50) < 4 * first
    assert (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
        == "920"
    )


def test_fifo_queues_drop_duplicates(endpoint: AwsEndpoint) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})[
        "QueueUrl"
    ]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="g")

    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 1


def test_attributes_that_are_not_given_stay(endpoint: AwsEndpoint) -> None:
    """moto drops the policy; the engine's refresh showed it as deleted."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ARN}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"Policy": policy, "DelaySeconds": "3"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7"})
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(attributes["Policy"]) == json.loads(policy)
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("3", "7")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


class Counted(list[Any]):
    """Counts the messages that somebody looked at."""

    looked = 0

    def __iter__(self) -> Iterator[Any]:
        for one in super().__iter__():
            self.looked += 1
            yield one


def test_a_long_queue_is_not_walked_through() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler) as endpoint:
        sqs, url = virtual_queue(scheduler, VisibilityTimeout="30")
        reader = Queues(endpoint, sqs)
        for first in range(0, 200, 10):
            entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(first, first + 10)]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        queue = services.backend("sqs", "us-east-1").queues["q"]
        messages = queue._messages = Counted(queue._messages)
        received = reader.receive(ARN, 10)
        assert [one["Body"] for one in received] == [str(n) for n in range(10)]
        assert messages.looked <= 11  # one of them to know whether there is any
        messages.looked = 0
        assert reader.next_visible_at(ARN) == pytest.approx(scheduler.now() + 30)
        assert messages.looked == 0


def test_delayed_messages_are_waited_for() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler) as endpoint:
        sqs, url = virtual_queue(scheduler, VisibilityTimeout="30")
        for delay in (50, 20):
            sqs.send_message(QueueUrl=url, MessageBody=str(delay), DelaySeconds=delay)
        began = scheduler.now()
        assert next_visible_at(endpoint, ARN) == pytest.approx(began + 20)
        scheduler.run_for(20.001)
        (message,) = Queues(endpoint, sqs).receive(ARN, 10)
        assert message["Body"] == "20"
        assert next_visible_at(endpoint, ARN) == pytest.approx(began + 50)
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=5)
        assert next_visible_at(endpoint, ARN) == pytest.approx(began + 25, abs=0.01)
        sqs.purge_queue(QueueUrl=url)
        assert next_visible_at(endpoint, ARN) is None


def test_an_empty_queue_is_not_called() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler) as endpoint:
        sqs, _ = virtual_queue(scheduler)
        assert Queues(endpoint, sqs).receive(ARN, 10) == []
        assert not [name for _, _, name in endpoint.calls if name == "ReceiveMessage"]


def test_an_unknown_queue_is_named(endpoint: AwsEndpoint) -> None:
    with pytest.raises(EndpointError, match=f"no queue '{ARN}'"):
        has_visible_messages(endpoint, ARN)


def test_receipts_differ_and_attributes_that_are_not_asked_for_stay(endpoint: AwsEndpoint) -> None:
    sqs: Any = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    attributes = {name: {"DataType": "String", "StringValue": name} for name in ("a", "b")}
    sqs.send_message(QueueUrl=url, MessageBody="text", MessageAttributes=attributes)
    asked: list[list[str]] = [[], ["b"], ["All"]]
    found = [sqs.receive_message(QueueUrl=url, MessageAttributeNames=names)["Messages"][0] for names in asked]
    assert [sorted(one.get("MessageAttributes", {})) for one in found] == [[], ["b"], ["a", "b"]]
    assert len({one["ReceiptHandle"] for one in found}) == 3
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_what_was_received_is_deleted_by_any_of_its_handles() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler) as endpoint:
        sqs, url = virtual_queue(scheduler, VisibilityTimeout="30")
        reader = Queues(endpoint, sqs)
        for number in range(5):
            sqs.send_message(QueueUrl=url, MessageBody=str(number))
        first, second, third = (reader.receive(ARN, 1)[0] for _ in range(3))
        reader.delete(ARN, [second["ReceiptHandle"]])
        reader.delete(ARN, [second["ReceiptHandle"]])  # again: nothing more
        scheduler.run_for(31)
        again = reader.receive(ARN, 10)
        assert [one["Body"] for one in again] == ["0", "2", "3", "4"]
        reader.delete(ARN, [first["ReceiptHandle"], third["ReceiptHandle"]])  # those of their first receives
        scheduler.run_for(31)
        assert [one["Body"] for one in reader.receive(ARN, 10)] == ["3", "4"]
        answer = sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": "gone", "ReceiptHandle": again[0]["ReceiptHandle"]},
                {"Id": "wrong", "ReceiptHandle": "none of this queue"},
            ],
        )
        assert [one["Id"] for one in answer["Successful"]] == ["gone"]
        assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [("wrong", "ReceiptHandleIsInvalid")]


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ({"redrivePermission": "denyAll"}, True),
        ({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:123456789012:other"]}, True),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [ARN]}, False),
        ({"redrivePermission": "allowAll"}, False),
        (None, False),
    ],
)
def test_a_dead_letter_queue_takes_the_letters_of_those_it_names(allowed: Any, refused: bool) -> None:
    with AwsEndpoint(Scheduler.virtual()):
        sqs: Any = boto3.client("sqs")
        attributes = {} if allowed is None else {"RedriveAllowPolicy": json.dumps(allowed)}
        url = sqs.create_queue(QueueName="dead", Attributes=attributes)["QueueUrl"]
        shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedriveAllowPolicy"]).get("Attributes", {})
        assert shown == attributes
        policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": "2"}
        redrive = {"RedrivePolicy": json.dumps(policy)}

        def create() -> None:
            sqs.create_queue(QueueName="q", Attributes=redrive)

        def change() -> None:
            later = sqs.create_queue(QueueName="q")["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=later, Attributes=redrive)

        for attempt in (create, change):
            if refused:
                with pytest.raises(ClientError, match="the redriveAllowPolicy of dead does not allow q"):
                    attempt()
            else:
                attempt()
        kept = [one.rpartition("/")[2] for one in sqs.list_queues()["QueueUrls"]]
        assert kept == ["dead", "q"]
        answer = sqs.get_queue_attributes(QueueUrl=url.replace("/dead", "/q"), AttributeNames=["RedrivePolicy"])
        assert ("RedrivePolicy" in answer.get("Attributes", {})) != refused
