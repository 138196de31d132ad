"""What DynamoDB refuses, and the one form of what it keeps (EDGE-40).

Sources: ``local/aws/tables/attribute_values.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto.dynamodb.exceptions import MockValidationException

from local.aws.tables.attribute_values import canonical_number, canonical_values, item_size
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key, read

Call = Callable[[Any, str], Any]


def n(text: str) -> dict[str, Any]:
    return {**key(), "n": {"N": text}}


def nested(levels: int, kind: str = "L") -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(levels):
        value = {"L": [value]} if kind == "L" else {"M": {"x": value}}
    return value


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1.0", "1"),
        ("00042", "42"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1.5E2", "150"),
        ("1e23", "100000000000000000000000"),
        ("+5", "5"),
        (".5", "0.5"),
        ("-1.50", "-1.5"),
        ("1E-3", "0.001"),
        ("9" * 38, "9" * 38),
        ("1" + "0" * 50, "1" + "0" * 50),
    ],
)
def test_edge_40_numbers_come_back_in_one_form(dynamodb: Any, table: str, sent: str, kept: str) -> None:
    for value, wanted in (
        ({"N": sent}, {"N": kept}),
        ({"L": [{"N": sent}]}, {"L": [{"N": kept}]}),
        ({"M": {"x": {"N": sent}}}, {"M": {"x": {"N": kept}}}),
        ({"NS": [sent]}, {"NS": [kept]}),
    ):
        writes: list[Callable[[], Any]] = [
            lambda value=value: dynamodb.put_item(TableName=table, Item={**key(), "v": value}),  # type: ignore[misc]
            lambda value=value: dynamodb.update_item(  # type: ignore[misc]
                TableName=table,
                Key=key(),
                UpdateExpression="SET v = :v",
                ExpressionAttributeValues={":v": value},
            ),
            lambda value=value: dynamodb.update_item(  # type: ignore[misc]
                TableName=table, Key=key(), AttributeUpdates={"v": {"Value": value, "Action": "PUT"}}
            ),
            lambda value=value: dynamodb.batch_write_item(  # type: ignore[misc]
                RequestItems={table: [{"PutRequest": {"Item": {**key(), "v": value}}}]}
            ),
            lambda value=value: dynamodb.transact_write_items(  # type: ignore[misc]
                TransactItems=[{"Put": {"TableName": table, "Item": {**key(), "v": value}}}]
            ),
        ]
        for write in writes:
            dynamodb.delete_item(TableName=table, Key=key())
            write()
            assert read(dynamodb, table) == {**key(), "v": wanted}
            found = dynamodb.scan(TableName=table, FilterExpression="v = :v", ExpressionAttributeValues={":v": value})
            assert found["Count"] == 1


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_edge_40_the_one_form_has_the_same_value(number: Decimal) -> None:
    digits = len(str(abs(int("".join(map(str, number.as_tuple().digits))))).rstrip("0"))
    try:
        kept = canonical_number(str(number))
    except MockValidationException:
        assert digits > 38 or not -130 <= number.adjusted() <= 125
        return
    assert Decimal(kept) == number
    assert "E" not in kept
    assert canonical_number(kept) == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc", "cannot be converted to a numeric value: abc"),
        ("", "cannot be converted to a numeric value"),
        (" 1", "cannot be converted"),
        ("1_000", "cannot be converted"),
        ("NaN", "cannot be converted"),
        ("Infinity", "cannot be converted"),
        ("\u0661", "cannot be converted"),
        ("1" * 39, "more than 38 significant digits"),
        ("1E126", "Number overflow"),
        ("-1E126", "Number overflow"),
        ("1E-131", "Number underflow"),
    ],
)
def test_edge_40_bad_numbers_are_refused_wherever_they_stand(
    dynamodb: Any, table: str, text: str, message: str
) -> None:
    bad = {"N": text}
    values = {":v": bad}
    dynamodb.put_item(TableName=table, Item=item(n=1))
    calls: list[Call] = [
        lambda d, t: d.put_item(TableName=t, Item={**key(), "v": bad}),
        lambda d, t: d.put_item(TableName=t, Item={**key(), "v": {"L": [{"M": {"x": bad}}]}}),
        lambda d, t: d.put_item(TableName=t, Item={**key(), "v": {"NS": ["1", text]}}),
        lambda d, t: d.put_item(TableName=t, Item=key(), Expected={"n": {"Value": bad}}),
        lambda d, t: d.put_item(TableName=t, Item={**key("2"), "sk": bad}),
        lambda d, t: d.update_item(
            TableName=t, Key=key(), UpdateExpression="SET n = :v", ExpressionAttributeValues=values
        ),
        lambda d, t: d.update_item(
            TableName=t, Key=key(), UpdateExpression="ADD n :v", ExpressionAttributeValues=values
        ),
        lambda d, t: d.update_item(TableName=t, Key=key(), AttributeUpdates={"n": {"Value": bad}}),
        lambda d, t: d.delete_item(
            TableName=t, Key=key(), ConditionExpression="n = :v", ExpressionAttributeValues=values
        ),
        lambda d, t: d.get_item(TableName=t, Key={**key(), "sk": bad}),
        lambda d, t: d.query(
            TableName=t,
            KeyConditionExpression="pk = :p",
            FilterExpression="n = :v",
            ExpressionAttributeValues={":p": {"S": "a"}, **values},
        ),
        lambda d, t: d.scan(TableName=t, FilterExpression="n = :v", ExpressionAttributeValues=values),
        lambda d, t: d.scan(TableName=t, ExclusiveStartKey={**key(), "sk": bad}),
        lambda d, t: d.batch_write_item(RequestItems={t: [{"PutRequest": {"Item": {**key(), "v": bad}}}]}),
        lambda d, t: d.batch_get_item(RequestItems={t: {"Keys": [{**key(), "sk": bad}]}}),
        lambda d, t: d.transact_write_items(TransactItems=[{"Put": {"TableName": t, "Item": {**key("2"), "v": bad}}}]),
        lambda d, t: d.transact_get_items(TransactItems=[{"Get": {"TableName": t, "Key": {**key(), "sk": bad}}}]),
    ]
    for call in calls:
        with pytest.raises(ClientError, match=message) as refused:
            call(dynamodb, table)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert dynamodb.scan(TableName=table)["Items"] == [item(n=1)]


@pytest.mark.parametrize("kind", ["L", "M"])
def test_edge_40_a_scalar_stands_in_31_others_and_not_in_32(dynamodb: Any, table: str, kind: str) -> None:
    dynamodb.put_item(TableName=table, Item={**key(), "v": nested(31, kind)})
    calls: tuple[Callable[[], object], ...] = (
        lambda: dynamodb.put_item(TableName=table, Item={**key(), "v": nested(32, kind)}),
        lambda: dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="SET w = :v",
            ExpressionAttributeValues={":v": nested(32, kind)},
        ),
    )
    for call in calls:
        with pytest.raises(ClientError, match="Nesting Levels have exceeded supported limits"):
            call()


@pytest.mark.parametrize("path", ["#m.#x", "m.x"], ids=["the short way", "moto's way"])
def test_edge_40_a_nested_path_counts(dynamodb: Any, table: str, path: str) -> None:
    dynamodb.put_item(TableName=table, Item={**key(), "m": {"M": {}}})
    names = {"ExpressionAttributeNames": {"#m": "m", "#x": "x"}} if "#" in path else {}
    request = {"TableName": table, "Key": key(), "UpdateExpression": f"SET {path} = :v", **names}
    dynamodb.update_item(ExpressionAttributeValues={":v": nested(30)}, **request)
    with pytest.raises(ClientError, match="Nesting Levels"):
        dynamodb.update_item(ExpressionAttributeValues={":v": nested(31)}, **request)


@pytest.mark.parametrize("expression", ["ADD #n :v", "SET n = n + :v"])
def test_edge_40_sums_are_exact_and_bounded(dynamodb: Any, table: str, expression: str) -> None:
    names = {"ExpressionAttributeNames": {"#n": "n"}} if "#" in expression else {}

    def add(before: str, amount: str) -> str:
        dynamodb.put_item(TableName=table, Item=n(before))
        answer = dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression=expression,
            ExpressionAttributeValues={":v": {"N": amount}},
            ReturnValues="ALL_NEW",
            **names,
        )
        return str(answer["Attributes"]["n"]["N"])

    assert add("0.1", "0.2") == "0.3"
    assert add("0.5", "0.5") == "1"
    assert add("1" * 37, "1" * 37) == "2" * 37
    assert add("5", "-5") == "0"
    for before, amount, message in (("9" * 38, "0.1", "38 significant digits"), ("9E125", "9E125", "Number overflow")):
        with pytest.raises(ClientError, match=message):
            add(before, amount)
        assert read(dynamodb, table) == {**key(), "n": {"N": canonical_number(before)}}


def puts(count: int) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": item(str(number))}} for number in range(count)]


def test_edge_40_a_batch_has_25_writes(dynamodb: Any, table: str) -> None:
    other = create_table(dynamodb, "other")
    with pytest.raises(ClientError, match="Too many items"):
        dynamodb.batch_write_item(RequestItems={table: puts(13), other: puts(13)})
    assert dynamodb.scan(TableName=table)["Count"] == 0
    assert dynamodb.batch_write_item(RequestItems={table: puts(25)})["UnprocessedItems"] == {}
    assert dynamodb.scan(TableName=table)["Count"] == 25


@pytest.mark.parametrize(
    "second",
    [
        {"PutRequest": {"Item": item(n=2)}},
        {"DeleteRequest": {"Key": key()}},
        {"PutRequest": {"Item": {**key("2"), "v": {"S": "x" * 410_000}}}},
        {"PutRequest": {"Item": {"pk": {"S": "a"}}}},
        {"PutRequest": {"Item": key("")}},
        {"DeleteRequest": {"Key": key("x" * 1_025)}},
    ],
)
def test_edge_40_a_batch_with_a_wrong_write_leaves_nothing(dynamodb: Any, table: str, second: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item(n=1)}}, second]})
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_edge_40_a_batch_of_reads_names_each_key_once_and_at_most_100(dynamodb: Any, table: str) -> None:
    for keys in ([key(), key()], [key(str(number)) for number in range(101)]):
        with pytest.raises(ClientError, match="ValidationException"):
            dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})


def test_edge_40_keys_are_whole_not_empty_and_not_too_long(dynamodb: Any, table: str) -> None:
    wrong = [
        key(""),
        key(pk=""),
        key("x" * 1_025),
        key("ü" * 513),
        key(pk="x" * 2_049),
        {"pk": {"S": "a"}},
        {**key(), "other": {"S": "x"}},
        {**key(), "sk": {"N": "1"}},
    ]
    update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}}
    check = {"ConditionExpression": "attribute_not_exists(pk)"}
    for one in wrong:
        calls: list[Call] = [
            lambda d, t, one=one: d.get_item(TableName=t, Key=one),  # type: ignore[misc]
            lambda d, t, one=one: d.delete_item(TableName=t, Key=one),  # type: ignore[misc]
            lambda d, t, one=one: d.update_item(TableName=t, Key=one, **update),  # type: ignore[misc]
            lambda d, t, one=one: d.batch_get_item(RequestItems={t: {"Keys": [one]}}),  # type: ignore[misc]
            lambda d, t, one=one: d.batch_write_item(  # type: ignore[misc]
                RequestItems={t: [{"DeleteRequest": {"Key": one}}]}
            ),
            lambda d, t, one=one: d.transact_get_items(  # type: ignore[misc]
                TransactItems=[{"Get": {"TableName": t, "Key": one}}]
            ),
            lambda d, t, one=one: d.transact_write_items(  # type: ignore[misc]
                TransactItems=[{"ConditionCheck": {"TableName": t, "Key": one, **check}}]
            ),
        ]
        for call in calls[:-2]:
            with pytest.raises(ClientError, match="ValidationException"):
                call(dynamodb, table)
        for call in calls[-2:]:
            with pytest.raises(ClientError, match=r"TransactionCanceledException.*\[ValidationError\]"):
                call(dynamodb, table)


@pytest.mark.parametrize("value", [{"BOOL": True}, {"L": []}, {"S": "1"}])
def test_an_index_s_key_has_the_index_s_type(dynamodb: Any, value: dict[str, Any]) -> None:
    keys = [{"AttributeName": name, "AttributeType": kind} for name, kind in (("pk", "S"), ("sk", "S"), ("due", "N"))]
    schema = [{"AttributeName": "due", "KeyType": "HASH"}]
    dynamodb.create_table(
        TableName="indexed",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=keys,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[{"IndexName": "due", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}],
    )
    told = r"Type mismatch for (Index )?[Kk]ey due"
    with pytest.raises(ClientError, match=told):
        dynamodb.put_item(TableName="indexed", Item={**key(), "due": value})
    with pytest.raises(ClientError, match=told):
        dynamodb.update_item(
            TableName="indexed",
            Key=key(),
            UpdateExpression="SET due = :v",
            ExpressionAttributeValues={":v": value},
        )
    assert dynamodb.scan(TableName="indexed")["Count"] == 0


@pytest.mark.parametrize("value", [{"S": ""}, {"B": b""}], ids=["text", "bytes"])
def test_an_index_s_key_is_not_empty(dynamodb: Any, value: dict[str, Any]) -> None:
    """The messages: github.com/architect/dynalite/issues/184, github.com/getmoto/moto/pull/4245."""
    ((kind, _),) = value.items()
    names = {"pk": "S", "sk": "S", "first": "S", "second": kind}
    dynamodb.create_table(
        TableName="indexed",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": type_} for name, type_ in names.items()],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": f"by-{name}",
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
            for name in ("first", "second")
        ],
    )
    item = {**key(), "first": {"S": "x"}, "second": value}
    updates = {"UpdateExpression": "SET #s = :v", "ExpressionAttributeNames": {"#s": "second"}}
    with pytest.raises(ClientError, match=r"secondary index key is not supported.*IndexName: by-second, IndexKey: sec"):
        dynamodb.put_item(TableName="indexed", Item=item)
    with pytest.raises(ClientError, match=r"update expression attempted to update a secondary index key to a value"):
        dynamodb.update_item(TableName="indexed", Key=key(), **updates, ExpressionAttributeValues={":v": value})
    update = {"TableName": "indexed", "Key": key("2"), **updates, "ExpressionAttributeValues": {":v": value}}
    both = [{"Put": {"TableName": "indexed", "Item": item}}, {"Update": update}]
    with pytest.raises(ClientError, match=r"TransactionCanceledException.*\[ValidationError, ValidationError\]"):
        dynamodb.transact_write_items(TransactItems=both)
    assert dynamodb.scan(TableName="indexed")["Count"] == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (5, "NUMBER_VALUE cannot be converted to String"),
        (1.5, "NUMBER_VALUE cannot be converted to String"),
        (True, "TRUE_VALUE cannot be converted to String"),
        ({"S": "x"}, "Start of structure or map found where not expected"),
        (["x"], "Start of structure or list found where not expected"),
    ],
)
def test_edge_40_text_is_text(dynamodb: Any, table: str, content: object, told: str) -> None:
    client = boto3.client("dynamodb", config=Config(parameter_validation=False))
    for value in ({"S": content}, {"M": {"x": {"S": content}}}, {"L": [{"S": content}]}):
        with pytest.raises(ClientError, match=f"SerializationException.*{told}"):
            client.put_item(TableName=table, Item={**key(), "v": value})
    assert read(dynamodb, table) is None


@pytest.mark.parametrize("value", [{"N": "1"}, {"BOOL": True}, {"S": ""}])
def test_edge_40_a_key_condition_is_of_the_keys_type(dynamodb: Any, table: str, value: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.query(TableName=table, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": value})


@pytest.mark.parametrize("actions", [0, 101])
def test_edge_40_a_transaction_has_1_to_100_actions(dynamodb: Any, table: str, actions: int) -> None:
    gets = [{"Get": {"TableName": table, "Key": key(str(number))}} for number in range(actions)]
    writes = [{"Put": {"TableName": table, "Item": item(str(number))}} for number in range(actions)]
    client = boto3.client("dynamodb", config=Config(parameter_validation=False))
    for call in (
        lambda: client.transact_get_items(TransactItems=gets),  # type: ignore[arg-type]
        lambda: client.transact_write_items(TransactItems=writes),  # type: ignore[arg-type]
    ):
        with pytest.raises(ClientError, match="ValidationException"):
            call()
    assert dynamodb.scan(TableName=table)["Count"] == 0


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"S": "a", "N": "1"},
        {"NULL": False},
        {"SS": []},
        {"SS": ["a", "a"]},
        {"NS": ["1", "1.0"]},
        {"M": {"": {"S": "x"}}},
        {"L": [{}]},
    ],
    ids=json.dumps,
)
def test_edge_40_a_value_has_one_type_that_exists(dynamodb: Any, table: str, value: dict[str, Any]) -> None:
    client = boto3.client("dynamodb", config=Config(parameter_validation=False))
    with pytest.raises(ClientError, match="ValidationException"):
        client.put_item(TableName=table, Item={**key(), "v": value})
    assert read(dynamodb, table) is None


def test_edge_40_requests_have_their_limits(dynamodb: Any, table: str) -> None:
    client = boto3.client("dynamodb", config=Config(parameter_validation=False))
    long = " OR ".join(["n = :v"] * 600)
    put = [{"Put": {"TableName": table, "Item": key()}}]
    values = {":v": {"N": "1"}}
    calls: list[Callable[[], Any]] = [
        lambda: dynamodb.scan(TableName=table, FilterExpression=long, ExpressionAttributeValues=values),
        lambda: client.scan(TableName=table, Limit=0),
        lambda: client.transact_write_items(TransactItems=put, ClientRequestToken="x" * 37),  # type: ignore[arg-type]
        lambda: client.batch_write_item(RequestItems={}),
        lambda: client.batch_write_item(RequestItems={table: []}),
        lambda: client.batch_get_item(RequestItems={}),
        lambda: dynamodb.scan(
            TableName=table, FilterExpression="n < :v", ExpressionAttributeValues={":v": {"BOOL": True}}
        ),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="ValidationException"):
            call()


@pytest.mark.parametrize(
    ("stored", "other"),
    [({"BOOL": True}, {"N": "1"}), ({"L": [{"N": "0"}]}, {"L": [{"BOOL": False}]}), (None, {"NULL": True})],
)
def test_edge_40_values_of_other_types_are_not_equal(
    dynamodb: Any, table: str, stored: dict[str, Any] | None, other: dict[str, Any]
) -> None:
    dynamodb.put_item(TableName=table, Item=key() if stored is None else {**key(), "v": stored})
    for expression in ("v = :v", "v IN (:v)"):
        found = dynamodb.scan(TableName=table, FilterExpression=expression, ExpressionAttributeValues={":v": other})
        assert found["Count"] == 0


def test_edge_40_an_item_has_400_kb_as_dynamodb_counts_them(dynamodb: Any, table: str) -> None:
    """A list of 100,000 empty texts: three bytes, and one for each."""
    entries = [{"S": ""}] * 100_000
    assert item_size({"v": {"L": entries}}) == 1 + 3 + 100_000
    full = {**key(), "v": {"L": entries}}
    room = 400 * 1024 - item_size(canonical_values(full)) - len("w")
    dynamodb.put_item(TableName=table, Item={**full, "w": {"S": "x" * room}})
    with pytest.raises(ClientError, match="Item size has exceeded"):
        dynamodb.put_item(TableName=table, Item={**full, "w": {"S": "x" * (room + 1)}})
    with pytest.raises(ClientError, match="Item size to update has exceeded"):
        dynamodb.update_item(
            TableName=table,
            Key=key(),
            UpdateExpression="SET #w = :w",
            ExpressionAttributeNames={"#w": "w"},
            ExpressionAttributeValues={":w": {"S": "x" * (room + 1)}},
        )
