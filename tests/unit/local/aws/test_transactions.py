"""TransactWriteItems and TransactGetItems, held to the API reference."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws.endpoint import AwsEndpoint
from local.aws.model import AwsRequest
from local.aws.tables.streams import read_new_records
from local.scheduler import Scheduler
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key, read


def put(table: str, sk: str, **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item(sk), **more}}


def add(table: str, sk: str, **more: Any) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": key(sk),
            "UpdateExpression": "SET n = if_not_exists(n, :zero) + :one",
            "ExpressionAttributeValues": {":zero": {"N": "0"}, ":one": {"N": "1"}},
            **more,
        }
    }


def test_all_kinds_of_action_together(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    other = create_table(dynamodb, "other")
    dynamodb.put_item(TableName=table, Item=item("gone"))
    dynamodb.put_item(TableName=table, Item=item("there"))
    _, position = read_new_records(endpoint, table, 0)

    dynamodb.transact_write_items(
        TransactItems=[
            put(other, "1"),
            add(table, "there"),
            add(table, "new"),
            {"Delete": {"TableName": table, "Key": key("gone")}},
            {
                "ConditionCheck": {
                    "TableName": other,
                    "Key": key("x"),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
        ]
    )

    assert read(dynamodb, other) == item("1")
    assert read(dynamodb, table, "there") == item("there", n=1)
    assert read(dynamodb, table, "gone") is None
    records, _ = read_new_records(endpoint, table, position)
    assert [(r["eventName"], r["dynamodb"].get("OldImage"), r["dynamodb"].get("NewImage")) for r in records] == [
        ("MODIFY", item("there"), item("there", n=1)),
        ("INSERT", None, item("new", n=1)),
        ("REMOVE", item("gone"), None),
    ]


def test_one_failed_condition_cancels_all_with_reasons_in_order(
    dynamodb: Any, table: str, endpoint: AwsEndpoint
) -> None:
    dynamodb.put_item(TableName=table, Item=item("b", n=7))
    dynamodb.put_item(TableName=table, Item=item("d", n=8))
    _, position = read_new_records(endpoint, table, 0)
    absent = {"ConditionExpression": "attribute_not_exists(pk)"}

    with pytest.raises(ClientError) as failed:
        dynamodb.transact_write_items(
            TransactItems=[
                put(table, "a", **absent),
                put(table, "b", **absent, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
                add(table, "c"),
                add(table, "d", **absent),
            ]
        )

    assert failed.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert "[None, ConditionalCheckFailed, None, ConditionalCheckFailed]" in str(failed.value)
    assert failed.value.response["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": item("b", n=7)},
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]
    assert [read(dynamodb, table, sk) for sk in "abcd"] == [None, item("b", n=7), None, item("d", n=8)]
    assert read_new_records(endpoint, table, position)[0] == []


def test_an_update_that_does_not_fit_its_item_cancels_all(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**key("b"), "n": {"S": "text"}})

    with pytest.raises(ClientError) as failed:
        dynamodb.transact_write_items(TransactItems=[put(table, "a"), add(table, "b")])

    assert [reason["Code"] for reason in failed.value.response["CancellationReasons"]] == [
        "None",
        "ValidationError",
    ]
    assert read(dynamodb, table, "a") is None


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (key("b" * 1025), "range keys has exceeded the size limit"),
        ({"pk": {"S": "b"}}, "Missing the key sk in the item"),
        ({"pk": {"S": "b"}, "sk": {"N": "1"}}, "Type mismatch for key sk expected: S actual: N"),
    ],
)
def test_what_the_table_refuses_is_a_reason_to_cancel(
    dynamodb: Any, table: str, item: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError) as failed:
        dynamodb.transact_write_items(TransactItems=[put(table, "a"), {"Put": {"TableName": table, "Item": item}}])
    assert failed.value.response["Error"]["Code"] == "TransactionCanceledException"
    reasons = failed.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ValidationError"]
    assert message in reasons[1]["Message"]
    assert read(dynamodb, table, "a") is None

    with pytest.raises(ClientError) as failed:
        dynamodb.transact_get_items(
            TransactItems=[{"Get": {"TableName": table, "Key": one}} for one in (key("a"), {"pk": {"S": "b"}})]
        )
    reasons = failed.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ValidationError"]


def test_an_update_in_a_transaction_changes_something(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    request = {"TransactItems": [{"Update": {"TableName": table, "Key": key()}}]}
    answer = endpoint.handle(AwsRequest("dynamodb", "TransactWriteItems", "us-east-1", request))
    assert answer.status == 400
    assert "updateExpression' failed to satisfy constraint: Member must not be null" in answer.value["message"]


def test_two_actions_on_one_item_are_refused(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match="cannot include multiple operations on one item"):
        dynamodb.transact_write_items(TransactItems=[put(table, "a"), add(table, "a")])
    assert read(dynamodb, table, "a") is None


def test_100_actions_are_allowed_and_101_refused(dynamodb: Any, table: str) -> None:
    actions = [put(table, f"{number:03}") for number in range(101)]
    with pytest.raises(ClientError, match="less than or equal to 100"):
        dynamodb.transact_write_items(TransactItems=actions)
    assert dynamodb.scan(TableName=table)["Count"] == 0

    dynamodb.transact_write_items(TransactItems=actions[:100])
    assert dynamodb.scan(TableName=table)["Count"] == 100


def test_over_4_mb_is_refused(dynamodb: Any, table: str) -> None:
    large = {"text": {"S": "x" * 390_000}}
    with pytest.raises(ClientError, match="cannot exceed 4 MB"):
        dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": {**key(str(n)), **large}}} for n in range(11)]
        )
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_an_unknown_table_is_named_as_not_found(dynamodb: Any, table: str) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        dynamodb.transact_write_items(TransactItems=[put(table, "a"), put("nowhere", "a")])
    assert read(dynamodb, table, "a") is None


def test_a_request_token_makes_a_transaction_idempotent_for_ten_minutes() -> None:
    scheduler = Scheduler.virtual()
    with AwsEndpoint(scheduler):
        dynamodb: Any = boto3.client("dynamodb")
        table = create_table(dynamodb, "orders")
        request = {"TransactItems": [add(table, "a")], "ClientRequestToken": "token"}
        for _ in range(3):
            dynamodb.transact_write_items(**request)
        assert read(dynamodb, table, "a") == item("a", n=1)

        ((kind, action),) = add(table, "a").items()
        other_order = {kind: dict(reversed(action.items()))}
        dynamodb.transact_write_items(TransactItems=[other_order], ClientRequestToken="token")
        assert read(dynamodb, table, "a") == item("a", n=1)

        with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
            dynamodb.transact_write_items(TransactItems=[add(table, "b")], ClientRequestToken="token")

        scheduler.run_for(601)
        dynamodb.transact_write_items(**request)
        assert read(dynamodb, table, "a") == item("a", n=2)


def test_a_cancelled_transaction_may_be_sent_again_with_its_token(dynamodb: Any, table: str) -> None:
    request = {
        "TransactItems": [add(table, "a", ConditionExpression="attribute_exists(pk)")],
        "ClientRequestToken": "token",
    }
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(**request)
    dynamodb.put_item(TableName=table, Item=item("a"))

    dynamodb.transact_write_items(**request)

    assert read(dynamodb, table, "a") == item("a", n=1)


def test_transact_get_keeps_the_order_and_takes_100(dynamodb: Any, table: str) -> None:
    for number in (0, 2):
        dynamodb.put_item(TableName=table, Item=item(str(number), n=number))

    answer = dynamodb.transact_get_items(
        TransactItems=[{"Get": {"TableName": table, "Key": key(str(number))}} for number in range(100)]
    )

    assert answer["Responses"][:3] == [{"Item": item("0", n=0)}, {}, {"Item": item("2", n=2)}]
    assert len(answer["Responses"]) == 100
    part = {"TableName": table, "Key": key("2"), "ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": "n"}}
    assert dynamodb.transact_get_items(TransactItems=[{"Get": part}])["Responses"] == [{"Item": {"n": {"N": "2"}}}]
