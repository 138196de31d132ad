"""Stream records: form, images, order, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.model import EndpointError
from local.aws.tables import streams
from local.aws.tables.streams import TableStreams, TrimmedRecords, read_new_records, stream_end
from local.scheduler import VIRTUAL_EPOCH, Scheduler
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key

SAMPLE = json.loads((Path(__file__).parents[3] / "fixtures/events/dynamodb_stream.json").read_text())


def replay(dynamodb: Any, record: dict[str, Any], table: str) -> None:
    """Make the write that led to a sample record."""
    if record["eventName"] == "REMOVE":
        dynamodb.delete_item(TableName=table, Key=record["dynamodb"]["Keys"])
    else:
        dynamodb.put_item(TableName=table, Item=record["dynamodb"]["NewImage"])


@pytest.mark.parametrize("number", range(len(SAMPLE["event"]["Records"])))
def test_records_have_the_form_and_size_of_the_documented_event(
    dynamodb: Any, endpoint: AwsEndpoint, number: int
) -> None:
    sample = SAMPLE["event"]["Records"][number]
    ((name, value),) = sample["dynamodb"]["Keys"].items()
    dynamodb.create_table(
        TableName="sample",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": next(iter(value))}],
        KeySchema=[{"AttributeName": name, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": sample["dynamodb"]["StreamViewType"]},
    )
    if "OldImage" in sample["dynamodb"]:
        dynamodb.put_item(TableName="sample", Item=sample["dynamodb"]["OldImage"])
    start = stream_end(endpoint, "sample")

    replay(dynamodb, sample, "sample")

    (record,), _ = read_new_records(endpoint, "sample", start)
    assert record.keys() == sample.keys()
    assert record["dynamodb"].keys() == sample["dynamodb"].keys() | {"ApproximateCreationDateTime"}
    for field in ("Keys", "NewImage", "OldImage", "SizeBytes", "StreamViewType"):
        assert record["dynamodb"].get(field) == sample["dynamodb"].get(field), field
    assert (record["eventName"], record["eventSource"]) == (sample["eventName"], sample["eventSource"])
    assert record["eventSourceARN"].startswith("arn:aws:dynamodb:us-east-1:123456789012:table/sample/stream/")
    assert record["awsRegion"] == "us-east-1"


def test_images_are_snapshots_and_sequence_numbers_rise(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    dynamodb.put_item(TableName=table, Item={**key(), "m": {"M": {"x": {"N": "1"}}}, "l": {"L": [{"N": "1"}]}})
    for value in ("2", "3"):
        dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="SET m.x = :v, l[0] = :v",
            ExpressionAttributeValues={":v": {"N": value}},
        )

    records, position = read_new_records(endpoint, table, 0)

    def parts(record: Any, image: str) -> Any:
        found = record["dynamodb"].get(image)
        return found and (found["m"]["M"]["x"]["N"], found["l"]["L"][0]["N"])

    assert [(parts(r, "OldImage"), parts(r, "NewImage")) for r in records] == [
        (None, ("1", "1")),
        (("1", "1"), ("2", "2")),
        (("2", "2"), ("3", "3")),
    ]
    numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
    assert numbers == sorted(set(numbers))
    assert len({len(number) for number in numbers}) == 1
    assert len({r["eventID"] for r in records}) == 3
    assert position == 3


def test_a_write_that_changes_nothing_gives_no_record(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    dynamodb.put_item(TableName=table, Item={**item(n=1), "s": {"SS": ["a", "b"]}})
    _, position = read_new_records(endpoint, table, 0)

    dynamodb.put_item(TableName=table, Item={**item(n=1), "s": {"SS": ["b", "a"]}})
    dynamodb.update_item(
        TableName=table, Key=key(), UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "1"}}
    )
    dynamodb.delete_item(TableName=table, Key=key("absent"))

    assert read_new_records(endpoint, table, position) == ([], position)


def test_a_stream_that_is_switched_off_gets_no_records(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    dynamodb.put_item(TableName=table, Item=item())
    with pytest.raises(EndpointError, match="table 'orders' has no stream"):
        stream_end(endpoint, table)

    view = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    dynamodb.update_table(TableName=table, StreamSpecification=view)
    dynamodb.delete_item(TableName=table, Key=key())
    (record,), _ = read_new_records(endpoint, table, 0)
    assert record["dynamodb"].keys() & {"Keys", "NewImage", "OldImage"} == {"Keys"}


def test_times_follow_the_virtual_clock() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler) as endpoint:
        dynamodb = boto3.client("dynamodb")
        table = create_table(dynamodb, "orders")
        scheduler.run_for(90.5)
        dynamodb.put_item(TableName=table, Item=item())

        (record,), _ = read_new_records(endpoint, table, 0)
        assert record["dynamodb"]["ApproximateCreationDateTime"] == int(VIRTUAL_EPOCH) + 90
        created = dynamodb.describe_table(TableName=table)["Table"]["CreationDateTime"]
        assert created.timestamp() == VIRTUAL_EPOCH


def test_two_virtual_runs_give_the_same_records() -> None:
    def run() -> list[Any]:
        with AwsEndpoint(Scheduler.virtual(seed=1)) as endpoint:
            dynamodb = boto3.client("dynamodb")
            table = create_table(dynamodb, "orders")
            dynamodb.put_item(TableName=table, Item=item())
            return read_new_records(endpoint, table, 0)[0]

    assert run() == run()


def test_edge_44_records_that_every_reader_has_passed_are_dropped(
    dynamodb: Any, table: str, endpoint: AwsEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But the newest ones, and those that a reader has still to come to."""
    monkeypatch.setattr(streams, "RETAINED_RECORDS", 5)
    monkeypatch.setattr(streams, "_STEP", 2)

    def write(count: int) -> None:
        for number in range(count):
            dynamodb.put_item(TableName=table, Item=item(n=endpoint.calls.total() * 100 + number))

    def kept() -> int:
        return len(read_new_records(endpoint, table, 0)[0])

    write(4)
    _, position = read_new_records(endpoint, table, 0, reader="slow")
    read_new_records(endpoint, table, 0, reader="fast")
    write(30)
    _, end = read_new_records(endpoint, table, position, reader="fast")
    read_new_records(endpoint, table, end, reader="fast")
    write(3)
    assert kept() == 37  # the slow one has passed nothing yet

    records, position = read_new_records(endpoint, table, position, reader="slow")
    assert len(records) == 33
    read_new_records(endpoint, table, position, reader="slow")
    write(3)
    assert kept() <= 7
    assert len(read_new_records(endpoint, table, position)[0]) == 3
    with pytest.raises(TrimmedRecords, match="position 4 is trimmed"):
        read_new_records(endpoint, table, 4)


def test_edge_44_no_reader_keeps_records_for_longer_than_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "RETAINED_RECORDS", 5)
    monkeypatch.setattr(streams, "_STEP", 2)
    scheduler = Scheduler.virtual(1)
    with AwsEndpoint(scheduler) as endpoint:
        dynamodb = boto3.client("dynamodb")
        table = create_table(dynamodb, "orders")

        def write(count: int) -> None:
            for number in range(count):
                dynamodb.put_item(TableName=table, Item=item(f"{scheduler.now()}-{number}"))

        read_new_records(endpoint, table, 0, reader="gone")
        write(20)
        scheduler.run_for(23 * 3600)
        write(1)
        assert len(read_new_records(endpoint, table, 0)[0]) == 21
        scheduler.run_for(2 * 3600)
        write(6)
        assert len(read_new_records(endpoint, table, 0)[0]) <= 8


def test_readers_by_arn_and_wrong_names(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    reader = TableStreams(endpoint)
    dynamodb.put_item(TableName=table, Item=item())

    records, position = reader.read(arn, 0, "r")
    assert (len(records), position, reader.end(arn)) == (1, 1, 1)
    assert records[0]["eventSourceARN"] == arn

    with pytest.raises(EndpointError, match="no table 'nowhere'"):
        read_new_records(endpoint, "nowhere", 0)
    with pytest.raises(EndpointError, match="not the ARN of a DynamoDB stream: 'x'"):
        reader.end("x")
