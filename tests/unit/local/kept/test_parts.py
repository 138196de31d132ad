"""APP-07, part by part: tables, streams, queues, the bucket and asynchronous calls come back as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from local import journal as journals
from local.aws.endpoint import AwsEndpoint
from local.aws.tables.streams import TableStreams, read_new_records
from local.functions.model import InvokeResult
from local.journal import Journal
from local.kept.objects import keep_objects, restore_objects
from local.kept.queues import restore_queues
from local.kept.tables import restore_tables
from local.scheduler import Scheduler
from local.sources.async_calls import AsyncCaller
from local.sources.eventbridge import EventBus, Rule, Target
from local.sources.filters import FilterSet
from local.sources.mappings import StreamMapping
from local.sources.positions import Positions
from local.sources.streams import StreamSource

REGION = "us-east-1"


@contextmanager
def opened(path: Path, restore: Callable[[AwsEndpoint, Journal], None]) -> Iterator[AwsEndpoint]:
    """One process: a table, two queues and a bucket, as a program would declare them, with what was kept of them."""
    with AwsEndpoint(region=REGION) as endpoint:
        journal = Journal(path)
        declare()
        restore(endpoint, journal)
        endpoint.keep_objects = keep_objects
        journals.activate(journal)
        try:
            yield endpoint
        finally:
            journals.activate(None)
            journal.close()


def declare() -> None:
    boto3.client("dynamodb").create_table(
        TableName="rows",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    sqs = boto3.client("sqs")
    sqs.create_queue(QueueName="letters")
    policy = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:letters", "maxReceiveCount": 1}'
    sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    boto3.client("s3").create_bucket(Bucket="store")
    boto3.client("s3").put_bucket_versioning(Bucket="store", VersioningConfiguration={"Status": "Enabled"})


def url(queue: str) -> str:
    return str(boto3.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])


def received(queue: str) -> list[Any]:
    answer: Any = boto3.client("sqs").receive_message(
        QueueUrl=url(queue), MaxNumberOfMessages=10, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def test_app_07_messages(tmp_path: Path) -> None:
    restore: Any = lambda endpoint, journal: restore_queues(journal, REGION)  # noqa: E731 - short
    with opened(tmp_path / "state", restore):
        sqs = boto3.client("sqs")
        binary = {"kind": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
        for body in ("dealt with", "waits"):
            sqs.send_message(QueueUrl=url("work"), MessageBody=body, MessageAttributes=binary)  # type: ignore[arg-type]
        first, _ = received("work")
        sqs.delete_message(QueueUrl=url("work"), ReceiptHandle=first["ReceiptHandle"])
        sqs.send_message(QueueUrl=url("work"), MessageBody="later", DelaySeconds=900)
        sqs.send_message(QueueUrl=url("letters"), MessageBody="purged")
        sqs.purge_queue(QueueUrl=url("letters"))
    with opened(tmp_path / "state", restore):
        assert received("letters") == []
        assert received("work") == [], "it was received as often as it may be"
        (letter,) = received("letters")
        assert (letter["Body"], letter["MessageAttributes"]["kind"]["BinaryValue"]) == ("waits", b"\x00\xff")
        assert letter["Attributes"]["ApproximateReceiveCount"] == "2"
        attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url("work"), AttributeNames=["All"])
        assert attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"
    with opened(tmp_path / "state", restore):
        assert [one["Body"] for one in received("letters")] == ["waits"]


def test_app_07_objects(tmp_path: Path) -> None:
    restore: Any = lambda endpoint, journal: restore_objects(journal, REGION)  # noqa: E731 - short
    with opened(tmp_path / "state", restore):
        s3 = boto3.client("s3")
        first = s3.put_object(Bucket="store", Key="a/b\nc", Body=b"first", Metadata={"by": "me"})["VersionId"]
        s3.put_object(Bucket="store", Key="a/b\nc", Body=b"second", ContentType="text/csv")
        s3.put_object(Bucket="store", Key="hidden", Body=b"x")
        s3.delete_object(Bucket="store", Key="hidden")
        for key in ("gone", "gone too"):
            version = s3.put_object(Bucket="store", Key=key, Body=b"x")["VersionId"]
            s3.delete_objects(Bucket="store", Delete={"Objects": [{"Key": key, "VersionId": version}]})
    for _ in range(2):
        with opened(tmp_path / "state", restore):
            s3 = boto3.client("s3")
            latest = s3.get_object(Bucket="store", Key="a/b\nc")
            assert (latest["Body"].read(), latest["ContentType"]) == (b"second", "text/csv")
            before = s3.get_object(Bucket="store", Key="a/b\nc", VersionId=first)
            assert (before["Body"].read(), before["Metadata"]) == (b"first", {"by": "me"})
            listed = s3.list_object_versions(Bucket="store")
            assert [one["Key"] for one in listed["DeleteMarkers"]] == ["hidden"]
            assert sorted(one["Key"] for one in listed["Versions"]) == ["a/b\nc", "a/b\nc", "hidden"]


STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/rows/stream/x"


class Function:
    """Fails for some keys, for as long as they are in ``refused``."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.refused: set[str] = set()

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        keys = [record["dynamodb"]["Keys"]["sk"]["S"] for record in payload["Records"]]
        self.got += keys
        failed = [one for one in payload["Records"] if one["dynamodb"]["Keys"]["sk"]["S"] in self.refused]
        named = [{"itemIdentifier": one["dynamodb"]["SequenceNumber"]} for one in failed]
        return InvokeResult({"batchItemFailures": named}, None, "r")


def put(*keys: str) -> None:
    for key in keys:
        boto3.client("dynamodb").put_item(TableName="rows", Item={"pk": {"S": "p"}, "sk": {"S": key}})


def source(scheduler: Scheduler, endpoint: AwsEndpoint, journal: Journal, function: Function) -> StreamSource:
    one = StreamMapping(
        "m1", "f", STREAM, FilterSet([]), batch_size=2, partial_responses=True, parallelization_factor=2
    )
    return StreamSource(
        scheduler,
        one,
        TableStreams(endpoint),
        function,
        lambda arn, message: None,
        function_arn="arn:f",
        positions=Positions(journal),
    )


def test_app_07_items_and_the_records_that_are_still_to_be_read(tmp_path: Path) -> None:
    kept: list[Journal] = []

    def restore(endpoint: AwsEndpoint, journal: Journal) -> None:
        kept.append(journal)
        restore_tables(endpoint, journal, [StreamMapping("m1", "f", STREAM, FilterSet([]))], 0.0)

    function = Function()
    with opened(tmp_path / "state", restore) as endpoint:
        scheduler = Scheduler.virtual()
        running = source(scheduler, endpoint, kept[-1], function)
        put("a", "b", "c", "gone")
        boto3.client("dynamodb").delete_item(TableName="rows", Key={"pk": {"S": "p"}, "sk": {"S": "gone"}})
        running.wake()
        scheduler.run_for(10)
        function.refused = {"e"}
        put("d", "e", "f", "g")
        running.wake()
        scheduler.run_for(10)
        numbers = [one["dynamodb"]["SequenceNumber"] for one in read_new_records(endpoint, "rows", 0)[0]]
    before = list(function.got)
    assert {"d", "f", "g"} <= set(before)
    function.got, function.refused = [], set()
    with opened(tmp_path / "state", restore) as endpoint:
        scheduler = Scheduler.virtual()
        running = source(scheduler, endpoint, kept[-1], function)
        rows = boto3.client("dynamodb").query(
            TableName="rows", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "p"}}
        )["Items"]
        assert [row["sk"]["S"] for row in rows] == list("abcdefg")
        running.wake()
        scheduler.run_for(10)
        assert function.got[0] == "e", "what comes before it was dealt with"
        put("h")
        running.wake()
        scheduler.run_for(10)
        assert function.got[-1] == "h"
        last = read_new_records(endpoint, "rows", 0)[0][-1]["dynamodb"]["SequenceNumber"]
        assert int(last) == int(numbers[-1]) + 1
    with opened(tmp_path / "state", restore) as endpoint:
        assert read_new_records(endpoint, "rows", 0)[0] == [], "every mapping has passed them"
        put("i")
        assert int(read_new_records(endpoint, "rows", 0)[0][0]["dynamodb"]["SequenceNumber"]) == int(last) + 1


def test_app_07_asynchronous_calls_and_schedules(tmp_path: Path) -> None:
    calls: list[tuple[str, Any]] = []

    class Recorder:
        def invoke(self, function: str, payload: Any) -> InvokeResult:
            calls.append((function, payload))
            return InvokeResult(None, None, "r")

    rule = Rule("r", "arn:r", schedule="rate(1 hour)", targets=[Target("hourly", {"now": True})])
    journal = Journal(tmp_path / "state")
    scheduler = Scheduler.virtual()
    AsyncCaller(scheduler, Recorder(), journal=journal).call("f", {"n": 1})
    bus = EventBus(scheduler, AsyncCaller(scheduler, Recorder()), region=REGION, account_id="1", journal=journal)
    bus.add(rule)
    for wait, hourly in ((1799, 0), (2, 1)):
        scheduler = Scheduler.virtual(start=scheduler.now() + 1800)
        again = AsyncCaller(scheduler, Recorder(), journal=journal)
        again.resume()
        EventBus(scheduler, again, region=REGION, account_id="1", journal=journal).add(rule)
        scheduler.run_for(wait)
        assert calls.count(("f", {"n": 1})) == 1
        assert calls.count(("hourly", {"now": True})) == hourly
