"""Single writes, held to what DynamoDB documents."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.endpoint import AwsEndpoint
from local.aws.tables.streams import read_new_records
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key, read


def test_a_failed_condition_changes_nothing_and_shows_the_item(
    dynamodb: Any, table: str, endpoint: AwsEndpoint
) -> None:
    dynamodb.put_item(TableName=table, Item=item(n=1))
    _, position = read_new_records(endpoint, table, 0)

    requests = {
        "put_item": {"Item": item(n=2), "ConditionExpression": "attribute_not_exists(pk)"},
        "update_item": {
            "Key": key(),
            "UpdateExpression": "SET n = :two",
            "ConditionExpression": "n = :two",
            "ExpressionAttributeValues": {":two": {"N": "2"}},
        },
        "delete_item": {"Key": key(), "ConditionExpression": "attribute_not_exists(pk)"},
    }
    for operation, request in requests.items():
        with pytest.raises(ClientError) as failed:
            getattr(dynamodb, operation)(TableName=table, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request)
        assert failed.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
        assert failed.value.response["Item"] == item(n=1), operation  # type: ignore[typeddict-item]

    assert read(dynamodb, table) == item(n=1)
    assert read_new_records(endpoint, table, position)[0] == []


def test_a_failed_condition_on_an_absent_item_shows_none(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError) as failed:
        dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="REMOVE n",
            ConditionExpression="attribute_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    assert "Item" not in failed.value.response
    assert read(dynamodb, table) is None


def test_an_update_creates_an_absent_item_with_one_stream_record(
    dynamodb: Any, table: str, endpoint: AwsEndpoint
) -> None:
    answer = dynamodb.update_item(
        TableName=table,
        Key=key(),
        UpdateExpression="SET n = if_not_exists(n, :zero) + :one",
        ExpressionAttributeValues={":zero": {"N": "0"}, ":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )

    assert answer["Attributes"] == item(n=1)
    records, _ = read_new_records(endpoint, table, 0)
    assert [(r["eventName"], r["dynamodb"]["NewImage"]) for r in records] == [("INSERT", item(n=1))]


def test_an_update_that_fails_half_way_leaves_the_item_as_it_was(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**item(n=1), "text": {"S": "x"}})

    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="SET n = :two, big = :big, bigger = :big",
            ExpressionAttributeValues={":two": {"N": "2"}, ":big": {"S": "x" * 300_000}},
        )

    assert read(dynamodb, table) == {**item(n=1), "text": {"S": "x"}}


def test_an_item_over_400_kb_is_refused(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
        dynamodb.put_item(TableName=table, Item={**key(), "text": {"S": "x" * 400 * 1024}})


@pytest.mark.parametrize("values", ["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
def test_return_values_of_an_update(dynamodb: Any, table: str, values: str) -> None:
    dynamodb.put_item(TableName=table, Item=item(n=1, other=5))

    answer = dynamodb.update_item(
        TableName=table,
        Key=key(),
        UpdateExpression="SET n = :two",
        ExpressionAttributeValues={":two": {"N": "2"}},
        ReturnValues=values,
    )

    expected = {
        "NONE": None,
        "ALL_OLD": item(n=1, other=5),
        "ALL_NEW": item(n=2, other=5),
        "UPDATED_OLD": {"n": {"N": "1"}},
        "UPDATED_NEW": {"n": {"N": "2"}},
    }
    assert answer.get("Attributes") == expected[values]


def test_assigning_one_attribute_to_another_does_not_tie_them_together(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**key(), "b": {"M": {"x": {"N": "1"}}}})
    dynamodb.update_item(TableName=table, Key=key(), UpdateExpression="SET a = b")
    dynamodb.update_item(
        TableName=table, Key=key(), UpdateExpression="SET a.x = :two", ExpressionAttributeValues={":two": {"N": "2"}}
    )

    found = read(dynamodb, table)
    assert found is not None
    assert (found["a"], found["b"]) == ({"M": {"x": {"N": "2"}}}, {"M": {"x": {"N": "1"}}})


def test_unused_and_undefined_names_are_refused(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match=r"unused in expressions: keys: \{#other\}"):
        dynamodb.update_item(
            TableName=table, Key=key(), UpdateExpression="REMOVE n", ExpressionAttributeNames={"#other": "x"}
        )
    with pytest.raises(ClientError, match=r"unused in expressions: keys: \{:other\}"):
        dynamodb.update_item(
            TableName=table, Key=key(), UpdateExpression="REMOVE n", ExpressionAttributeValues={":other": {"N": "1"}}
        )
    with pytest.raises(ClientError, match="not defined"):
        dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="SET n = :n, m = :m",
            ExpressionAttributeValues={":n": {"N": "1"}},
        )


@pytest.mark.parametrize(
    "wrong", [{"pk": {"S": "a"}}, {**key(), "n": {"N": "1"}}, {"pk": {"N": "1"}, "sk": {"S": "1"}}]
)
def test_a_key_that_does_not_match_the_schema_is_refused(dynamodb: Any, table: str, wrong: Any) -> None:
    with pytest.raises(ClientError, match="does not match the schema"):
        dynamodb.update_item(TableName=table, Key=wrong, UpdateExpression="REMOVE n")


def test_pages_of_a_query_and_of_a_scan_hold_every_item_once(dynamodb: Any, table: str) -> None:
    names = [f"{number:02}" for number in (7, 3, 9, 1, 5, 8, 2, 6, 4, 0)]
    for pk in ("z", "a", "m"):
        for name in names:
            dynamodb.put_item(TableName=table, Item=item(name, pk))
    dynamodb.delete_item(TableName=table, Key=key("05", "z"))

    def pages(operation: str, **request: Any) -> list[str]:
        found = dynamodb.get_paginator(operation).paginate(TableName=table, PaginationConfig={"PageSize": 3}, **request)
        return [row["pk"]["S"] + row["sk"]["S"] for page in found for row in page["Items"]]

    values = {":pk": {"S": "z"}}
    expected = [f"z{name}" for name in sorted(names) if name != "05"]
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": values}
    assert pages("query", **query) == expected
    assert pages("query", ScanIndexForward=False, **query) == expected[::-1]
    assert sorted(pages("scan")) == sorted([f"{pk}{name}" for pk in "am" for name in names] + expected)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("sk = :a", ["2"]),
        ("sk < :a", ["1"]),
        ("sk <= :a", ["1", "2"]),
        ("sk > :a", ["20", "3"]),
        ("sk >= :a", ["2", "20", "3"]),
        ("sk BETWEEN :a AND :b", ["2", "20"]),
        ("begins_with(sk, :a)", ["2", "20"]),
    ],
)
def test_conditions_on_the_range_key(dynamodb: Any, table: str, condition: str, expected: list[str]) -> None:
    for sk in ("3", "1", "20", "2"):
        dynamodb.put_item(TableName=table, Item=item(sk))
    values = {":pk": {"S": "a"}, ":a": {"S": "2"}} | ({":b": {"S": "20"}} if ":b" in condition else {})

    answer = dynamodb.query(
        TableName=table, KeyConditionExpression=f"pk = :pk AND {condition}", ExpressionAttributeValues=values
    )

    assert [row["sk"]["S"] for row in answer["Items"]] == expected


def test_a_filter_does_not_count_for_the_limit(dynamodb: Any, table: str) -> None:
    for number in range(4):
        dynamodb.put_item(TableName=table, Item=item(str(number), n=number))

    answer = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        FilterExpression="n >= :two",
        ExpressionAttributeValues={":pk": {"S": "a"}, ":two": {"N": "2"}},
        Limit=3,
    )

    assert ([row["sk"]["S"] for row in answer["Items"]], answer["ScannedCount"]) == (["2"], 3)
    assert answer["LastEvaluatedKey"] == key("2")


def test_a_table_without_range_key(dynamodb: Any) -> None:
    table = create_table(dynamodb, "plain", range_key=False)
    for name in "ba":
        dynamodb.put_item(TableName=table, Item={"pk": {"S": name}})
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "b"}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "a"}})

    assert dynamodb.scan(TableName=table)["Items"] == [{"pk": {"S": "b"}, "n": {"N": "1"}}]


def test_binary_values_come_back_as_they_were(dynamodb: Any, table: str) -> None:
    value = {**key(), "b": {"B": b"\x00\xff"}, "m": {"M": {"l": {"L": [{"B": b"x"}, {"BS": [b"y"]}]}}}}
    dynamodb.put_item(TableName=table, Item=value)

    assert read(dynamodb, table) == value


def test_what_the_endpoint_lacks_is_refused_by_name(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="DynamoDB ExecuteStatement is not supported by the local endpoint"):
        dynamodb.execute_statement(Statement="SELECT * FROM orders")
