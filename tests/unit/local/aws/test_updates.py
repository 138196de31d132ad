"""The short ways through expressions answer what moto answers, and take what the stores write."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from handlers.store.conditions import Path, absent, equals, exists, less, one_of
from handlers.store.expressions import Expressions
from handlers.store.port import Change
from handlers.store.values import from_dynamo, to_dynamo
from local.aws.endpoint import AwsEndpoint
from local.aws.tables.condition_trees import condition_tree
from local.aws.tables.images import plain
from local.aws.tables.streams import read_new_records
from local.aws.tables.updates import updated
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import key, read

KEYS = ("pk", "sk")
NAMES = ("a", "b", "c", "n")
MAP = {"x": 1, "in": {"z": 2}}
PATHS: list[Path] = [*NAMES, "d", "e", "f", ("m", "x"), ("m", "y"), ("m", "in", "z"), ("a", "x"), "pk"]
VALUES: list[Any] = ["text", "", 1, -2, 1.5, True, None, [1, "x"], MAP, {}]


def by_moto(request: dict[str, Any]) -> dict[str, Any]:
    """The same request, spelled so that only moto takes it."""
    return {**request, "UpdateExpression": f" {request['UpdateExpression']}"}


#: Stands for a text in a change, which the store refuses: the endpoint gets such requests from others.
NO_NUMBER = 123_456_789


def with_text_for_numbers(request: dict[str, Any]) -> dict[str, Any]:
    values = request.get("ExpressionAttributeValues", {})
    for name, value in values.items():
        if value == {"N": str(NO_NUMBER)}:
            values[name] = {"S": "no number"}
    return request


def any_change(random_: random.Random) -> Change:
    paths = random_.sample(PATHS, k=random_.randint(1, 3))
    kinds = [random_.choice(["set", "set", "set_once", "add", "remove"]) for _ in paths]
    removed = tuple(path for path, kind in zip(paths, kinds, strict=True) if kind == "remove")
    picked = {
        kind: {path: random_.choice(VALUES) for path, one in zip(paths, kinds, strict=True) if one == kind}
        for kind in ("set", "set_once", "add")
    }
    numbers: dict[Path, float] = {path: random_.choice([1, -3, 2.5, NO_NUMBER]) for path in picked["add"]}
    return Change(set=picked["set"], set_once=picked["set_once"], add=numbers, remove=removed)


@pytest.fixture
def tables(dynamodb: Any) -> tuple[str, str]:
    return create_table(dynamodb, "quick"), create_table(dynamodb, "motos")


def outcome(dynamodb: Any, table: str, request: dict[str, Any]) -> Any:
    try:
        return dynamodb.update_item(TableName=table, Key=key(), ReturnValues="ALL_NEW", **request)["Attributes"]
    except ClientError as error:
        return error.response["Error"]
    except TypeError as error:  # moto's own, where a path leads into a list
        return {"Message": str(error)}


def test_an_update_is_what_moto_makes_of_it(dynamodb: Any, tables: tuple[str, str], endpoint: AwsEndpoint) -> None:
    """Seeded; items, answers, errors and stream records are compared, and most changes go the short way."""
    random_ = random.Random(1)
    quick, refused = 0, 0
    for _ in range(300):
        item = {name: random_.choice(VALUES) for name in random_.sample(NAMES, k=3)} | {"n": 7}
        item["m"] = random_.choice([MAP, MAP, MAP, 1])
        stored = {**key(), **{name: to_dynamo(value) for name, value in item.items()}}
        request = with_text_for_numbers(Expressions().change(any_change(random_)).arguments())
        names, values = request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
        assert updated(by_moto(request)["UpdateExpression"], {}, names, values, KEYS) is None
        before = deepcopy(stored)
        taken = updated(request["UpdateExpression"], before, names, values, KEYS)
        quick += taken is not None
        assert before == stored
        for table in tables:
            dynamodb.put_item(TableName=table, Item=stored)
        ours, motos = outcome(dynamodb, tables[0], request), outcome(dynamodb, tables[1], by_moto(request))
        assert ours == motos, request
        refused += "Message" in motos
        assert read(dynamodb, tables[0]) == read(dynamodb, tables[1])
    assert quick > 80
    assert refused > 30
    records = [[one["dynamodb"] for one in read_new_records(endpoint, table, 0)[0]] for table in tables]
    images = [[(one.get("OldImage"), one.get("NewImage")) for one in part] for part in records]
    assert images[0] == images[1]


@pytest.mark.parametrize(
    "change",
    [
        Change(set={"status": "DONE", ("targets", "data"): {"at": 1}}, remove=("openShard", "dueAt")),
        Change(add={"applied": 1}),
        Change(set={"status": "PROCESSING"}, set_once={"object": {"key": "k"}}),
    ],
)
def test_what_the_stores_write_goes_the_short_way(change: Change) -> None:
    request = Expressions().change(change).arguments()
    item = {**key(), "targets": {"M": {"other": {"S": "x"}}}, "applied": {"N": "2"}}
    new = updated(
        request["UpdateExpression"],
        item,
        request.get("ExpressionAttributeNames"),
        request.get("ExpressionAttributeValues"),
        KEYS,
    )
    assert new is not None
    assert new != item
    assert item["targets"] == {"M": {"other": {"S": "x"}}}


def test_what_is_too_large_is_refused(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item=key())
    request = Expressions().change(Change(set={"a": "x" * 410_000})).arguments()
    assert outcome(dynamodb, table, request)["Message"] == "Item size to update has exceeded the maximum allowed size"
    assert read(dynamodb, table) == key()


def test_a_condition_is_what_the_memory_store_makes_of_it() -> None:
    """Not what moto makes of it, for which true is 1 and an absent attribute is null."""
    random_ = random.Random(2)
    held = []
    for _ in range(400):
        path = random_.choice(PATHS)
        condition = random_.choice(
            [
                equals(path, random_.choice(VALUES)),
                less(path, random_.choice([1, 2, -5])) & exists(path),
                one_of(path, random_.sample(VALUES, k=3)) | absent("a"),
                ~equals(path, random_.choice(VALUES)),
                absent(path),
            ]
        )
        request = Expressions().condition(condition).arguments()
        item = Item(DynamoType({"S": "a"}), DynamoType({"S": "1"}), {})
        for name in random_.sample([*NAMES, "m"], k=3):
            item.attrs[name] = DynamoType(to_dynamo(random_.choice(VALUES)))
        given = (
            request["ConditionExpression"],
            request.get("ExpressionAttributeNames"),
            request.get("ExpressionAttributeValues"),
        )
        wanted = condition.holds({name: from_dynamo(plain(value)) for name, value in item.attrs.items()})
        assert condition_tree(*given).expr(item) == wanted
        held.append(wanted)
    assert 50 < sum(held) < len(held) - 50


def test_a_condition_that_is_wrong_is_refused_as_by_moto() -> None:
    wrong: tuple[tuple[Any, Any, Any], ...] = (
        ("a = :v", None, {}),
        ("#a = :v", {}, {":v": {"S": "x"}}),
        ("#a =", {"#a": "a"}, None),
    )
    for given in wrong:
        with pytest.raises(Exception) as by_moto_:
            get_filter_expression(*given)
        with pytest.raises(type(by_moto_.value)):
            condition_tree(*given)
