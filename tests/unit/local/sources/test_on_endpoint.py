"""The sources on the real endpoint: its streams, queues and topics, in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.queues import Queues
from local.aws.tables.streams import TableStreams
from local.scheduler import Scheduler
from local.sources.async_calls import AsyncSettings, DeadLetter
from local.sources.destinations import Destinations
from local.sources.filters import FilterSet
from local.sources.manager import EventSources
from local.sources.mappings import QueueMapping, StreamMapping
from tests.unit.local.sources.fakes import FakeFunction, shape

ACCOUNT = "123456789012"
REGION = "us-east-1"
FIXTURES = Path(__file__).parents[3] / "fixtures" / "events"


class Stage:
    """A table with a stream, queues and a topic; ``start`` connects them to ``body``."""

    def __init__(self, endpoint: AwsEndpoint, scheduler: Scheduler) -> None:
        self.endpoint, self.scheduler = endpoint, scheduler
        self.dynamodb, self.sqs, self.sns = boto3.client("dynamodb"), boto3.client("sqs"), boto3.client("sns")
        self.stream_arn = self.dynamodb.create_table(
            TableName="commands",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]["LatestStreamArn"]
        self.dead = self.queue("dead")
        redrive = json.dumps({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 3})
        self.work = self.queue("work", RedrivePolicy=redrive, VisibilityTimeout="60")
        self.failures = self.queue("failures")

    def queue(self, name: str, **attributes: str) -> str:
        create: Any = self.sqs.create_queue
        return str(create(QueueName=name, Attributes=attributes)["QueueUrl"])

    def start(self, body: Callable[[dict[str, Any]], Any], **stream: Any) -> FakeFunction:
        function = FakeFunction(body)
        sources = EventSources(
            self.scheduler,
            function,
            region=REGION,
            account_id=ACCOUNT,
            streams=TableStreams(self.endpoint),
            queues=Queues(self.endpoint, self.sqs),
            discard=Destinations(self.sqs, self.sns).send,
        )
        sources.start(
            [
                StreamMapping(
                    "s",
                    "events",
                    self.stream_arn,
                    FilterSet([]),
                    batch_size=10,
                    maximum_retry_attempts=1,
                    bisect=True,
                    on_failure_arn=arn("failures"),
                    **stream,
                ),
                QueueMapping("q", "events", arn("work"), FilterSet([]), partial_responses=True),
            ],
            [],
        )
        self.endpoint.on_call(sources.on_call)
        self.sources = sources
        return function

    def put(self, *keys: str) -> None:
        for key in keys:
            self.dynamodb.put_item(TableName="commands", Item={"pk": {"S": key}})

    def messages(self, url: str) -> list[str]:
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [one["Body"] for one in found]


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"


def keys(event: dict[str, Any]) -> list[str]:
    return [one["dynamodb"]["Keys"]["pk"]["S"] for one in event["Records"]]


@pytest.fixture
def stage() -> Iterator[Stage]:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler, region=REGION) as endpoint:
        yield Stage(endpoint, scheduler)


def test_writes_wake_the_stream_and_sends_wake_the_queue(stage: Stage) -> None:
    stage.put("before")
    function = stage.start(lambda event: None)
    stage.scheduler.run_until_idle()
    stage.put("after")
    stage.sqs.send_message(QueueUrl=stage.work, MessageBody="hello")
    stage.scheduler.run_until_idle()
    assert [keys(event) for event in function.events[:2]] == [["before"], ["after"]]
    assert [one["body"] for one in function.events[2]["Records"]] == ["hello"]
    assert len(function.events) == 3


def test_changed_sources_go_on_where_they_are(stage: Stage) -> None:
    """A stream is not read anew with another batch size."""
    function = stage.start(lambda event: None)
    stage.put("a", "b")
    stage.scheduler.run_until_idle()
    stream = stage.sources.streams[0].mapping
    stage.sources.change([replace(stream, batch_size=1)], [])
    stage.put("c", "d")
    stage.scheduler.run_until_idle()
    assert [keys(event) for event in function.events] == [["a", "b"], ["c"], ["d"]]


def test_a_source_that_is_gone_delivers_nothing_more(stage: Stage) -> None:
    """Not even what it holds a timer for: a message that failed once, and is hidden."""

    def refuse(event: dict[str, Any]) -> None:
        raise ValueError("not today")

    function = stage.start(refuse)
    stage.sqs.send_message(QueueUrl=stage.work, MessageBody="hello")
    stage.scheduler.run_for(1)
    assert len(function.events) == 1
    stage.sources.change([], [])
    stage.put("a")
    stage.scheduler.run_for(3600)
    assert len(function.events) == 1
    assert stage.messages(stage.work) == ["hello"]


def test_events_of_the_endpoint_have_the_documented_shape(stage: Stage) -> None:
    function = stage.start(lambda event: None)
    stage.put("a")
    stage.sqs.send_message(QueueUrl=stage.work, MessageBody="Test message.")
    stage.scheduler.run_until_idle()
    stream = shape(function.events[0]["Records"][0])
    documented = shape(json.loads((FIXTURES / "dynamodb_stream.json").read_text())["event"]["Records"][0])
    stream["dynamodb"].pop("ApproximateCreationDateTime")
    for images in ("Keys", "NewImage"):
        stream["dynamodb"][images] = documented["dynamodb"][images] = {}
    assert stream == documented
    message = shape(function.events[1]["Records"][0])
    assert message == shape(json.loads((FIXTURES / "sqs.json").read_text())["event"]["Records"][0])


def test_dup_06_poison_record_reaches_the_on_failure_queue_and_the_others_go_on(stage: Stage) -> None:
    def body(event: dict[str, Any]) -> None:
        if "poison" in keys(event):
            raise ValueError("poison")

    stage.put("a", "poison", "b")
    function = stage.start(body)
    stage.scheduler.run_until_idle()
    succeeded = [keys(event) for event in function.events if "poison" not in keys(event)]
    assert succeeded == [["a"], ["b"]]
    (text,) = stage.messages(stage.failures)
    message = json.loads(text)
    assert shape(message) == shape(json.loads((FIXTURES / "stream_on_failure.json").read_text())["event"])
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1
    assert message["DDBStreamBatchInfo"]["shardId"] == stage.endpoint.tables["commands"].stream_shard.id


def test_poison_message_moves_to_the_dead_letter_queue_by_the_redrive_policy(stage: Stage) -> None:
    def body(event: dict[str, Any]) -> Any:
        failed = [one["messageId"] for one in event["Records"] if one["body"] == "poison"]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    function = stage.start(body)
    start = stage.scheduler.now()
    for text in ("good", "poison"):
        stage.sqs.send_message(QueueUrl=stage.work, MessageBody=text)
    stage.scheduler.run_until_idle()
    counts = [
        one["attributes"]["ApproximateReceiveCount"]
        for event in function.events
        for one in event["Records"]
        if one["body"] == "poison"
    ]
    assert counts == ["1", "2", "3"]
    assert 180 <= stage.scheduler.now() - start < 182, "each try waits for the visibility timeout"
    assert stage.messages(stage.dead) == ["poison"]


def test_topic_fans_out_to_queues_by_filter_policy(stage: Stage) -> None:
    topic = stage.sns.create_topic(Name="main")["TopicArn"]
    other = stage.queue("other")
    for name, action in (("work", "task-execute"), ("other", "import-execute")):
        stage.sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn(name),
            Attributes={"FilterPolicy": json.dumps({"action": [action]}), "RawMessageDelivery": "true"},
        )
    function = stage.start(lambda event: None)
    for action in ("task-execute", "import-execute", "command-status"):
        stage.sns.publish(
            TopicArn=topic,
            Message=action,
            MessageAttributes={"action": {"DataType": "String", "StringValue": action}},
        )
    stage.scheduler.run_until_idle()
    (event,) = function.events
    (record,) = event["Records"]
    assert record["body"] == "task-execute"
    assert record["messageAttributes"]["action"]["stringValue"] == "task-execute"
    assert stage.messages(other) == ["import-execute"]


def test_transactions_wake_the_stream(stage: Stage) -> None:
    function = stage.start(lambda event: None)
    stage.scheduler.run_until_idle()
    stage.dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "commands", "Item": {"pk": {"S": name}}}} for name in ("a", "b")]
    )
    stage.scheduler.run_until_idle()
    assert [keys(event) for event in function.events] == [["a", "b"]]


def test_writes_to_other_tables_wake_no_stream(stage: Stage) -> None:
    stage.start(lambda event: None)
    stage.dynamodb.create_table(
        TableName="other",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    stage.scheduler.run_until_idle()
    stage.dynamodb.put_item(TableName="other", Item={"pk": {"S": "a"}})
    assert stage.sources.idle
    put: Any = {"Put": {"TableName": "commands", "Item": {"pk": {"S": "a"}}}}
    stage.dynamodb.transact_write_items(
        TransactItems=[put, {"Put": {"TableName": "other", "Item": {"pk": {"S": "b"}}}}]
    )
    assert not stage.sources.idle


def test_stopped_sources_call_nothing(stage: Stage) -> None:
    function = FakeFunction(lambda event: None)
    sources = EventSources(
        stage.scheduler,
        function,
        region=REGION,
        account_id=ACCOUNT,
        streams=TableStreams(stage.endpoint),
        queues=Queues(stage.endpoint, stage.sqs),
        discard=Destinations(stage.sqs, stage.sns).send,
    )
    sources.start([StreamMapping("s", "events", stage.stream_arn, FilterSet([]))], [])
    stage.endpoint.on_call(sources.on_call)
    sources.stop()
    stage.put("a")
    stage.scheduler.run_until_idle()
    assert function.events == []
    assert sources.idle


def test_an_asynchronous_call_that_fails_for_good_is_in_its_destination(stage: Stage) -> None:
    def refuse(_: dict[str, Any]) -> Any:
        raise ValueError("no")

    stage.start(refuse)
    stage.sources.change([], [], {"events": AsyncSettings(retries=1, on_failure=arn("failures"))})
    stage.sources.caller.call("events", {"a": 1})
    stage.scheduler.run_until_idle()
    (text,) = stage.messages(stage.failures)
    record = json.loads(text)
    assert record["requestContext"] == {
        "requestId": record["requestContext"]["requestId"],
        "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:events:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 2,
    }
    assert record["requestPayload"] == {"a": 1}
    assert record["responsePayload"]["errorMessage"] == "no"
    assert record["responseContext"]["functionError"] == "Unhandled"


def test_an_event_that_grew_too_old_says_so() -> None:
    record = DeadLetter("events", {"a": 1}, None, 0).invocation_record("arn:f")
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert not {"responseContext", "responsePayload"} & set(record)
