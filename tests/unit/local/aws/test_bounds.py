"""EDGE-44: what moto and the endpoint keep of calls that are over is bounded."""

from __future__ import annotations

import gc
from typing import Any

import boto3
import pytest
from moto.core import utils
from moto.core.model_instances import model_data
from moto.dynamodb.models.dynamo_type import DynamoType

from local.aws import access, bounds, moto_queues, services, topics
from local.aws.endpoint import AwsEndpoint
from local.aws.tables import images
from local.functions.model import current_function
from tests.unit.local.aws.helpers import item, key, read


def tracked() -> int:
    return sum(len(cls.instances_tracked) for models in model_data.values() for cls in models.values())


def test_edge_44_moto_lists_no_model_that_was_ever_made(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    sqs, sns, s3 = boto3.client("sqs"), boto3.client("sns"), boto3.client("s3")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    s3.create_bucket(Bucket="bucket")
    for number in range(5):
        dynamodb.put_item(TableName=table, Item=item(str(number)))
        sqs.send_message(QueueUrl=url, MessageBody="text")
        sns.publish(TopicArn=topic, Message="text")
        s3.put_object(Bucket="bucket", Key=str(number), Body=b"x")
    assert tracked() == 0


def test_edge_44_topics_forget_old_notifications(endpoint: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "REMEMBERED_NOTIFICATIONS", 3)
    sns = boto3.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    for number in range(10):
        sns.publish(TopicArn=topic, Message=str(number))
    kept = services.backend("sns", endpoint.region).topics[topic].sent_notifications
    assert [message for _, message, *_ in kept] == ["7", "8", "9"]


def test_edge_44_queues_forget_old_receipt_handles(endpoint: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto_queues, "REMEMBERED_HANDLES", 3)
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    handles = []
    for number in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
        handles.append(sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=handles[-1])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handles[-1])  # twice is no error
    forgotten = services.backend("sqs", endpoint.region).queues["q"].deleted_messages
    assert [one in forgotten for one in handles] == [False] * 3 + [True] * 3


def test_edge_44_resources_of_a_function_are_bounded(
    dynamodb: Any, table: str, endpoint: AwsEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MOST_RESOURCES", 2)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket")
    token = current_function.set("f")
    try:
        for number in range(5):
            s3.put_object(Bucket="bucket", Key=str(number), Body=b"x")
        dynamodb.get_item(TableName=table, Key=key())
    finally:
        current_function.reset(token)
    used = endpoint.calls_by_function()["f"]
    assert {action: len(resources) for action, resources in used.items()} == {"s3:PutObject": 2, "dynamodb:GetItem": 1}


def test_rows_that_nobody_used_for_long_are_packed(dynamodb: Any, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "UNPACKED_ITEMS", 3)
    wanted = {n: {**key(str(n)), "data": {"M": {"list": {"L": [{"N": str(n)}, {"B": b"x"}]}}}} for n in range(8)}
    for one in wanted.values():
        dynamodb.put_item(TableName=table, Item=one)
    stored = services.backend("dynamodb", "us-east-1").tables[table].items
    rows = [row for rows in stored.values() for row in rows.values()]
    assert sum(row._image is not None for row in rows) == 3
    assert {n: read(dynamodb, table, str(n)) for n in wanted} == wanted
    dynamodb.update_item(
        TableName=table,
        Key=key("0"),
        UpdateExpression="SET #n = :n",
        ExpressionAttributeNames={"#n": "n"},
        ExpressionAttributeValues={":n": {"N": "1"}},
    )
    assert read(dynamodb, table, "0") == {**wanted[0], "n": {"N": "1"}}
    found = dynamodb.scan(TableName=table, FilterExpression="attribute_exists(n)")["Items"]
    assert found == [{**wanted[0], "n": {"N": "1"}}]
    assert sum(row._image is not None for row in rows) <= 3


def test_keys_of_text_are_found_and_moto_is_as_before_afterwards() -> None:
    def state() -> list[object]:
        return [DynamoType.__hash__, DynamoType.__eq__, utils.utcfromtimestamp]

    before = state()
    texts = [DynamoType({"S": "1"}), DynamoType({"B": "1"}), DynamoType({"N": "1"}), DynamoType({"S": ""})]
    found = {one: number for number, one in enumerate(texts)}
    with AwsEndpoint():
        assert all(one is not other for one, other in zip(state(), before, strict=True))
        assert [found[DynamoType({one.type: one.value})] for one in texts] == [0, 1, 2, 3]
        assert DynamoType({"N": "1.0"}) == texts[2] != texts[0] != texts[1]
    assert state() == before


def test_pythons_collector_is_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with AwsEndpoint():
        assert gc.get_threshold() == (bounds.COLLECT_AFTER, *before[1:])
    assert gc.get_threshold() == before
