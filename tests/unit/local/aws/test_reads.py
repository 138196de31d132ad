"""Reads that take a short way, and queries of an index: what moto's own code answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import DynamoDBBackend

from local.aws.endpoint import AwsEndpoint
from local.aws.tables import requests
from local.aws.tables.dynamodb import LocalDynamoDB

INDEX = {
    "IndexName": "due",
    "KeySchema": [{"AttributeName": "shard", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]},
}
TABLE: dict[str, Any] = {
    "TableName": "t",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "shard", "AttributeType": "N"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexes": [INDEX],
    "BillingMode": "PAY_PER_REQUEST",
}
SHARDS = range(3)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with AwsEndpoint():
        client = boto3.client("dynamodb")
        client.create_table(**TABLE)
        yield client


def change_something(client: Any, random_: random.Random) -> None:
    key = {"pk": {"S": random_.choice("ab")}, "sk": {"S": random_.choice(["x", "x1", "x2", "y"])}}
    entry = {"shard": {"N": str(random_.choice(SHARDS))}, "at": {"N": str(random_.randint(1, 9))}}
    match random_.randrange(5):
        case 0:
            client.delete_item(TableName="t", Key=key)
        case 1:
            client.put_item(TableName="t", Item={**key, "status": {"S": "closed"}})
        case 2:
            client.update_item(
                TableName="t", Key=key, UpdateExpression="REMOVE #s", ExpressionAttributeNames={"#s": "shard"}
            )
        case 3:
            client.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": {**key, **entry}}}])
        case _:
            client.put_item(
                TableName="t", Item={**key, **entry, "status": {"S": "open"}, "more": {"M": {"a": {"S": "b"}}}}
            )


def due(client: Any, shard: int, **more: Any) -> Any:
    return client.query(
        TableName="t",
        IndexName="due",
        KeyConditionExpression="#shard = :shard AND #at <= :until",
        ExpressionAttributeNames={"#shard": "shard", "#at": "at"},
        ExpressionAttributeValues={":shard": {"N": str(shard)}, ":until": {"N": "7"}},
        **more,
    )


def moto_query(backend: LocalDynamoDB, *args: Any, **kwargs: Any) -> Any:
    return DynamoDBBackend.query(backend, *args, **kwargs)


def by_moto(monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any]) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr(requests, "SHORT", {})
        patch.setattr(LocalDynamoDB, "query", moto_query)
        return outcome(read)


def outcome(read: Callable[[], Any]) -> Any:
    try:
        return {name: value for name, value in read().items() if name != "ResponseMetadata"}
    except ClientError as error:
        return error.response["Error"]


def test_a_batch_of_reads_has_what_moto_finds(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    random_, counts = random.Random(5), set()
    for _ in range(60):
        change_something(dynamodb, random_)
        keys = [{"pk": {"S": random_.choice("abc")}, "sk": {"S": random_.choice(["x", "x1", "y"])}} for _ in range(3)]
        more = random_.choice([{}, {"ConsistentRead": True}, {"ProjectionExpression": "sk"}])

        def read(keys: Any = keys, more: Any = more) -> Any:
            return dynamodb.batch_get_item(RequestItems={"t": {"Keys": keys, **more}})

        ours, motos = outcome(read), by_moto(monkeypatch, read)
        motos.pop("ConsumedCapacity", None)
        ours.pop("ConsumedCapacity", None)
        assert ours == motos
        counts.add(len(ours["Responses"]["t"]) if "Responses" in ours else ours["Code"])
    assert {0, 1, 2, "ValidationException"} <= counts


def test_a_batch_of_reads_stops_at_16_mb(dynamodb: Any) -> None:
    keys = [{"pk": {"S": "large"}, "sk": {"S": str(number)}} for number in range(50)]
    for key in keys:
        dynamodb.put_item(TableName="t", Item={**key, "text": {"S": "x" * 390_000}})
    answer = dynamodb.batch_get_item(RequestItems={"t": {"Keys": keys}})
    found, left = answer["Responses"]["t"], answer["UnprocessedKeys"]["t"]["Keys"]
    assert 16_000_000 < 390_000 * (len(found) + 1) < 17_600_000
    assert [{"pk": one["pk"], "sk": one["sk"]} for one in found] + left == keys


def test_an_index_has_what_moto_finds_by_looking_at_all_items(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    random_, found = random.Random(3), 0
    for _ in range(120):
        change_something(dynamodb, random_)
        shard = random_.choice(SHARDS)
        more: dict[str, Any] = random_.choice([{}, {"Limit": 1}, {"ScanIndexForward": False}])
        ours = outcome(lambda shard=shard, more=more: due(dynamodb, shard, **more))  # type: ignore[misc]
        assert ours == by_moto(monkeypatch, lambda shard=shard, more=more: due(dynamodb, shard, **more))  # type: ignore[misc]
        found += ours["Count"]
        if "LastEvaluatedKey" in ours:
            more["ExclusiveStartKey"] = ours["LastEvaluatedKey"]
            next_page = outcome(lambda shard=shard, more=more: due(dynamodb, shard, **more))  # type: ignore[misc]
            assert next_page == by_moto(monkeypatch, lambda shard=shard, more=more: due(dynamodb, shard, **more))  # type: ignore[misc]
    assert found > 50


A = {":a": {"S": "a"}}
QUERIES: list[dict[str, Any]] = [
    {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": A},
    {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": A, "ScanIndexForward": False},
    {
        "KeyConditionExpression": "#pk = :a AND begins_with(#sk, :x)",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {**A, ":x": {"S": "x"}},
    },
    {"KeyConditionExpression": "sk = :a", "ExpressionAttributeValues": A},
    {"KeyConditionExpression": "pk = :none", "ExpressionAttributeValues": A},
    {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {**A, ":b": {"S": "b"}}},
    {
        "KeyConditionExpression": "#other = :a",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": A,
    },
    {"KeyConditionExpression": "pk = :a AND sk = :a", "ExpressionAttributeValues": A},
    {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"S": ""}}},
    {"KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}},
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_a_query_finds_what_moto_finds(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any], limit: int | None
) -> None:
    for sk in ("x", "x1", "x2", "y"):
        dynamodb.put_item(TableName="t", Item={"pk": {"S": "a"}, "sk": {"S": sk}, "n": {"NS": ["1"]}})
    request = {"TableName": "t", **query, **({"Limit": limit} if limit else {})}
    with monkeypatch.context() as patch:
        patch.setattr(requests, "SHORT", {})
        wanted = outcome(
            lambda: dynamodb.query(**request)
        )  # the query itself is ours: moto gives a key after the last item
    assert outcome(lambda: dynamodb.query(**request)) == wanted


@pytest.mark.parametrize("sk", ["x", "none", ""])
def test_an_item_is_got_as_moto_gets_it(dynamodb: Any, monkeypatch: pytest.MonkeyPatch, sk: str) -> None:
    dynamodb.put_item(TableName="t", Item={"pk": {"S": "a"}, "sk": {"S": "x"}, "b": {"B": b"\x00"}})
    request = {"TableName": "t", "Key": {"pk": {"S": "a"}, "sk": {"S": sk}}}
    assert outcome(lambda: dynamodb.get_item(**request)) == by_moto(monkeypatch, lambda: dynamodb.get_item(**request))


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize(
    ("condition", "start", "refusal"),
    [
        ("pk = :pk AND begins_with(sk, :x)", ("a", "x1"), None),
        ("pk = :pk", ("a", "zz"), None),  # no row has to be there
        ("pk = :pk", ("b", "x1"), "outside query boundaries"),
        ("pk = :pk AND begins_with(sk, :x)", ("b", "x1"), "outside query boundaries"),
        ("pk = :pk AND begins_with(sk, :x)", ("a", "y"), "does not match the range key predicate"),
        ("pk = :pk AND sk > :x", ("a", "x"), "does not match the range key predicate"),
        ("pk = :pk AND sk < :x", ("a", "x"), "does not match the range key predicate"),
    ],
)
def test_a_start_key_that_the_query_could_not_have_answered_is_refused(
    dynamodb: Any, condition: str, start: tuple[str, str], refusal: str | None, forward: bool
) -> None:
    values = {":pk": {"S": "a"}} | ({":x": {"S": "x"}} if ":x" in condition else {})
    key = {"pk": {"S": start[0]}, "sk": {"S": start[1]}}

    def query() -> Any:
        return dynamodb.query(
            TableName="t",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ExclusiveStartKey=key,
            ScanIndexForward=forward,
        )

    if refusal is None:
        assert query()["Items"] == []
    else:
        with pytest.raises(ClientError, match=refusal):
            query()
