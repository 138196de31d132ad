"""Any value that is published or written is read back equal, or refused before any write; on both adapters alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.commands.attributes import AttributeStore
from handlers.commands.model import CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.context import InvokeContext
from handlers.core.errors import RequestConflict, ValidationError
from handlers.objects.memory import MemoryObjects
from handlers.store.conditions import absent, equals, less, one_of
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, Change, ConditionFailed, Put, TableStore, Update
from local.aws.endpoint import AwsEndpoint
from tests.support.clock import ManualClock
from tests.support.values import Float64, Status, alike, anything, json_values
from tests.unit.local.aws.conftest import create_table

ME = InvokeContext("u1", "t1")
HALF = "Cup \ud83d"
#: The endpoint answers in milliseconds, on a busy machine in more.
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class Sides:
    """The two adapters, and keys that no example shares."""

    memory: TableStore
    endpoint: TableStore
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def both(self) -> list[TableStore]:
        return [self.memory, self.endpoint]

    def new_key(self) -> str:
        return f"k{next(self._numbers)}"


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    with AwsEndpoint():
        client = boto3.client("dynamodb")
        for name in (COMMANDS, DATA):
            create_table(client, name)
        yield Sides(MemoryTableStore(), DynamoTableStore(client, {COMMANDS: COMMANDS, DATA: DATA}))


def publisher(store: TableStore) -> CommandPublisher:
    return CommandPublisher(store, AttributeStore(MemoryObjects()), ManualClock())


def outcome(write: Any) -> Any:
    """What a write answers, or the text of its refusal."""
    try:
        return write()
    except ValidationError as refused:
        return f"{refused.field}: {refused}"


@PROPERTY
@given(value=anything)
def test_edge_12_published_is_read_back_equal_or_refused_on_both(sides: Sides, value: Any) -> None:
    code = sides.new_key()
    answers = []
    for store in sides.both:
        given_ = CommandInput("T", code, "x", {"v": value}, version=-1)
        answer = outcome(lambda given_=given_, store=store: publisher(store).publish_async(given_, ME))
        rows = store.query(COMMANDS, "TENANT#t1", sk_prefix=f"T#{code}@").items
        if isinstance(answer, str):
            assert rows == []
            answers.append(answer)
            continue
        assert alike(rows[0]["attributes"]["v"], value)
        assert alike(answer.attributes["v"], value)
        assert publisher(store).publish_async(given_, ME) is None, "the same content again made a version"
        answers.append(rows[0]["attributes"])
    assert answers[0] == answers[1]
    assert repr(answers[0]) == repr(answers[1])  # 1 is not 1.0, True is not 1


@PROPERTY
@given(value=anything)
def test_edge_12_what_handlers_write_themselves_is_held_to_the_same(sides: Sides, value: Any) -> None:
    """Projections: put, update, transaction and condition, written to one side and compared with the other."""
    first, second = sides.new_key(), sides.new_key()
    read: list[list[Any]] = []
    for store in sides.both:
        found = [
            outcome(lambda store=store: store.put(DATA, {"pk": "P", "sk": first, "v": value})),
            store.get(DATA, "P", first),
        ]
        if isinstance(found[0], str):
            assert found[1] is None
        store.put(DATA, {"pk": "P", "sk": second, "v": 0, "m": {}})
        for write in (
            lambda store=store: store.update(DATA, "P", second, Change(set={"v": value})),
            lambda store=store: store.transact([Update(DATA, "P", second, Change(set={("m", "v"): value}))]),
            lambda store=store: store.transact([Put(DATA, {"pk": "P", "sk": second, "v": value})]),
            lambda store=store: store.update(DATA, "P", second, Change(set={"n": 2}), equals("v", value)),
        ):
            found += [outcome(write), store.get(DATA, "P", second)]
        read.append(found)
    assert repr(read[0]) == repr(read[1])


@PROPERTY
@given(value=json_values, other=json_values)
def test_edge_13_conditions_compare_as_the_table_keeps_values(sides: Sides, value: Any, other: Any) -> None:
    conditions = [equals("v", value), ~equals("v", other), one_of("v", [other, value])]
    if isinstance(other, int | float | str) and not isinstance(other, bool):
        conditions.append(less("v", other))
    key = {"pk": "C", "sk": sides.new_key()}
    held: list[list[bool]] = []
    for store in sides.both:
        store.put(DATA, {**key, "v": value})
        answers = []
        for condition in conditions:
            try:
                store.update(DATA, **key, change=Change(set={"seen": True}), condition=condition)
            except ConditionFailed:
                answers.append(False)
            else:
                answers.append(True)
        held.append(answers)
    assert held[0] == held[1]
    assert held[0][0], "a stored value is not equal to itself"


@PROPERTY
@given(start=st.one_of(st.integers(-(10**20), 10**20), st.floats(-1e6, 1e6)), amount=st.floats(-1e6, 1e6))
def test_edge_13_sums_are_those_of_the_table(sides: Sides, start: float, amount: float) -> None:
    key = {"pk": "A", "sk": sides.new_key()}
    sums = []
    for store in sides.both:
        if isinstance(outcome(lambda store=store: store.put(DATA, {**key, "n": start})), str):
            return
        sums.append(outcome(lambda store=store: store.update(DATA, **key, change=Change(add={"n": amount}))))
    refused = [isinstance(one, str) for one in sums]
    assert refused[0] == refused[1]
    if not refused[0]:
        # A sum of more than 17 digits is read as the nearest float; in memory, which keeps no others, it may be whole.
        memory, endpoint = ({**one, "n": float(one["n"])} for one in sums)
        assert memory == endpoint


@pytest.mark.parametrize("side", ["memory", "endpoint"])
@pytest.mark.parametrize(
    ("field_", "change", "context"),
    [
        ("attributes.a", {"attributes": {"a": HALF}}, ME),
        ("name", {"name": HALF}, ME),
        ("type", {"type": HALF}, ME),
        ("code", {"code": HALF}, ME),
        ("kind", {"kind": HALF}, ME),
        ("userId", {}, InvokeContext(HALF, "t1")),
        ("tenantCode", {}, InvokeContext("u1", HALF)),
        ("sourceIp", {}, InvokeContext("u1", "t1", HALF)),
        ("requestId", {}, InvokeContext("u1", "t1", request_id=HALF)),
    ],
)
def test_edge_11_half_a_character_is_refused_by_name(
    sides: Sides, side: str, field_: str, change: dict[str, Any], context: InvokeContext
) -> None:
    store: TableStore = getattr(sides, side)
    given_ = CommandInput(**{"type": "HALF", "code": "c", "name": "x", "attributes": {}, **change})
    before = store.scan(COMMANDS).items
    with pytest.raises(ValidationError) as caught:
        publisher(store).publish_async(given_, context)
    assert caught.value.field == field_
    assert store.scan(COMMANDS).items == before


def test_edge_11_half_a_character_in_the_source_is_refused() -> None:
    with pytest.raises(ValidationError, match="source"):
        CommandPublisher(MemoryTableStore(), AttributeStore(MemoryObjects()), ManualClock(), source=HALF)


@pytest.mark.parametrize("side", ["memory", "endpoint"])
def test_edge_13_a_repeated_request_with_a_large_float_is_the_same_content(sides: Sides, side: str) -> None:
    store: TableStore = getattr(sides, side)
    caller = InvokeContext("u1", "t1", request_id=f"large-{side}")
    given_ = CommandInput("T", f"large-{side}", "x", {"n": 1e23, "s": Status.PAID, "f": Float64(1.5)})
    first = publisher(store).publish_async(given_, caller)
    again = publisher(store).publish_async(
        CommandInput("T", f"large-{side}", "x", {"n": 10**23, "s": 2, "f": 1.5}), caller
    )
    assert first == again
    with pytest.raises(RequestConflict):
        publisher(store).publish_async(CommandInput("T", f"large-{side}", "x", {"n": 1e22}), caller)


@pytest.mark.parametrize("side", ["memory", "endpoint"])
def test_edge_12_keys_and_sizes_of_items_are_checked_before_a_write(sides: Sides, side: str) -> None:
    store: TableStore = getattr(sides, side)
    for wrong, field_ in (
        ({"pk": "", "sk": "a"}, "pk"),
        ({"pk": "a"}, "sk"),
        ({"pk": "a", "sk": 1}, "sk"),
        ({"pk": "a" * 2049, "sk": "a"}, "pk"),
        ({"pk": "a", "sk": "ü" * 513}, "sk"),
        ({"pk": "a", "sk": "a", "v": "x" * 400 * 1024}, "item"),
        ({"pk": "a", "sk": "a", "": 1}, ""),
    ):
        writes: tuple[Callable[[], None], ...] = (
            partial(store.put, DATA, wrong),
            partial(store.transact, [Put(DATA, wrong, absent("pk"))]),
        )
        for write in writes:
            with pytest.raises(ValidationError) as caught:
                write()
            assert caught.value.field == field_
    assert store.query(DATA, "a").items == []


@pytest.mark.parametrize("side", ["memory", "endpoint"])
def test_edge_12_an_update_that_makes_an_item_too_large_or_deep_changes_nothing(sides: Sides, side: str) -> None:
    store: TableStore = getattr(sides, side)
    row = {"pk": "U", "sk": side, "a": "x" * 250_000, "n": 9 * 10**125, "m": {"k": {}}, "t": "text"}
    store.put(DATA, row)
    deep: Any = "leaf"
    for _ in range(30):
        deep = [deep]
    for change in (
        Change(set={"b": "y" * 250_000}),
        Change(add={"n": 9 * 10**125}),
        Change(set={("m", "k", "d"): deep}),
        Change(add={"t": 1}),
    ):
        for write in (
            lambda change=change: store.update(DATA, "U", side, change),
            lambda change=change: store.transact(
                [Update(DATA, "U", side, change), Put(DATA, {"pk": "U", "sk": "other"})]
            ),
        ):
            with pytest.raises(ValidationError):
                write()
    assert store.get(DATA, "U", side) == row
    assert store.get(DATA, "U", "other") is None


def test_edge_10_sets_and_binary_values_of_others_are_read(sides: Sides) -> None:
    client: Any = boto3.client("dynamodb")
    others = {"s": {"SS": ["a", "b"]}, "n": {"NS": ["1", "2.5"]}, "b": {"B": b"\x01"}, "bs": {"BS": [b"\x02"]}}
    client.put_item(TableName=DATA, Item={"pk": {"S": "O"}, "sk": {"S": "1"}, **others})
    row = sides.endpoint.get(DATA, "O", "1")
    assert row is not None
    assert sorted(row["s"]) == ["a", "b"]
    assert sorted(row["n"]) == [1, 2.5]
    assert (row["b"], row["bs"]) == ("AQ==", ["Ag=="])
