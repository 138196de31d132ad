"""Large attributes: PUB-11 in memory, and what can go wrong between the object and the row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.attributes import (
    MAX_ATTRIBUTES_BYTES,
    MAX_INLINE_LIMIT,
    MIN_INLINE_LIMIT,
    AttributeStore,
    object_key,
)
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.core.errors import AttributesDamaged, ObjectMissing, PendingVersions, ValidationError, VersionConflict
from handlers.core.values.json_values import json_bytes
from handlers.objects.memory import MemoryObjects
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY
from tests.support.pipelines import CONTEXT, KEY, World

KIB = 1024
MIB = 1024 * KIB
SIZES = [KIB, 63 * KIB, 65 * KIB, 100 * KIB, 256 * KIB, 300 * KIB, 380 * KIB, 400 * KIB, 2 * MIB, 20 * MIB]


def attributes_of(size: int, mark: str = "ü") -> dict[str, Any]:
    """Attributes of exactly ``size`` bytes of JSON."""
    empty = {"mark": mark, "none": None, "list": [1, 2.5, True], "text": ""}
    return {**empty, "text": "x" * (size - len(json_bytes(empty)))}


def given(size: int, version: int = 0, *, code: str = "o1", mark: str = "ü") -> CommandInput:
    return CommandInput("ORDER", code, "big", attributes_of(size, mark), version=version)


class Handler:
    def __init__(self) -> None:
        self.seen: list[Command] = []

    def up(self, command: Command) -> None:
        self.seen.append(command)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["async", "sync"])
def test_pub_11_readers_never_see_the_difference(size: int, mode: str) -> None:
    handler = Handler()
    world = World(handlers={"search": ("ORDER", handler)})
    expected = attributes_of(size)
    assert len(json_bytes(expected)) == size
    if mode == "async":
        world.publish_and_apply(given(size))
    else:
        command = world.sync.publish_sync(given(size), CONTEXT)
        assert command is not None
        assert command.attributes == expected
    command_row = world.repository.command(VersionKey(KEY, 1))
    data = world.repository.data(KEY)
    assert command_row is not None
    assert data is not None
    assert command_row["attributes"] == data["attributes"] == expected
    assert [command.attributes for command in handler.seen] == [expected]
    in_bucket = size > 64 * KIB
    for row in (world.row(1), world.store.get(DATA, KEY.pk, KEY.sk)):
        assert row is not None
        assert ("attributesRef" in row, "attributes" in row) == (in_bucket, not in_bucket)
        assert len(json_bytes(row)) < 100 * KIB
    assert len(world.objects.contents) == (1 if in_bucket else 0)
    assert world.objects.calls.count("put") == (1 if in_bucket else 0)


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_pub_11_one_byte_too_many_is_refused_before_anything_is_written(mode: str) -> None:
    world = World()
    publish = world.publisher.publish_async if mode == "async" else world.sync.publish_sync
    with pytest.raises(ValidationError) as caught:
        publish(given(MAX_ATTRIBUTES_BYTES + 1), CONTEXT)
    assert caught.value.field == "attributes"
    assert "20971521 bytes" in str(caught.value)
    assert "at most 20971520 bytes" in str(caught.value)
    assert isinstance(world.store, MemoryTableStore)
    assert world.store._items == {}
    assert world.objects.contents == {}


def test_pub_11_command_data_and_history_share_the_object() -> None:
    world = World()
    world.publish_and_apply(given(300 * KIB))
    world.publish_and_apply(given(300 * KIB, 1, mark="2"))
    world.publish_and_apply(given(KIB, 2))
    kept = [world.store.get(HISTORY, KEY.pk, KEY.version_sk(version)) for version in (1, 2)]
    assert [row["attributesRef"] for row in kept if row] == [world.row(v)["attributesRef"] for v in (1, 2)]
    assert world.objects.calls == ["put", "put"]
    assert [row["attributes"] for row in world.repository.history(KEY)] == [
        attributes_of(300 * KIB),
        attributes_of(300 * KIB, "2"),
    ]
    assert [row["attributes"]["mark"] for row in world.repository.versions(KEY)] == ["ü", "2", "ü"]


def test_not_dirty_is_decided_by_the_hash() -> None:
    world = World()
    world.publish_and_apply(given(300 * KIB))
    assert world.publisher.publish_async(given(300 * KIB, 1), CONTEXT) is None
    assert world.sync.publish_sync(given(300 * KIB, 1), CONTEXT) is None
    assert world.publisher.publish_async(given(300 * KIB, 1, mark="2"), CONTEXT) is not None
    assert world.objects.calls == ["put", "put"]


def test_numbers_are_compared_as_the_table_keeps_them() -> None:
    world = World()
    first = {"n": 1.0, "text": "x" * 70 * KIB}
    world.publish_and_apply(CommandInput("ORDER", "o1", "big", first))
    again = CommandInput("ORDER", "o1", "big", {**first, "n": 1}, version=1)
    assert world.publisher.publish_async(again, CONTEXT) is None
    yes = CommandInput("ORDER", "o1", "big", {**first, "n": True}, version=1)
    assert world.publisher.publish_async(yes, CONTEXT) is not None


def test_another_limit_later_does_not_make_attributes_dirty() -> None:
    world = World(inline_limit=MIN_INLINE_LIMIT)
    world.publish_and_apply(given(50 * KIB))
    assert "attributesRef" in world.row(1)
    later = World(store=world.store)
    assert later.publisher.publish_async(given(50 * KIB, 1), CONTEXT) is None


def test_partial_update_merges_attributes_from_the_bucket() -> None:
    world = World()
    world.publish_and_apply(given(300 * KIB))
    command = world.publisher.publish_partial_async(KEY.pk, KEY.sk, 1, {"attributes": {"mark": "new"}}, CONTEXT)
    assert command is not None
    assert command.attributes == attributes_of(300 * KIB) | {"mark": "new"}
    row = world.repository.command(VersionKey(KEY, 2))
    assert row is not None
    assert row["attributes"] == command.attributes
    assert "attributesRef" in world.row(2)


@pytest.mark.parametrize("mode", ["async", "sync"])
def test_a_repeated_request_gets_the_whole_command(mode: str) -> None:
    world = World()
    publish = world.publisher.publish_async if mode == "async" else world.sync.publish_sync
    context = replace(CONTEXT, request_id="r-1")
    first = publish(given(300 * KIB), context)
    assert publish(given(300 * KIB), context) == first
    assert first is not None
    assert first.attributes == attributes_of(300 * KIB)
    assert world.objects.calls.count("put") == 1


def test_conflicts_carry_the_whole_row() -> None:
    world = World()
    world.publish(given(300 * KIB))
    with pytest.raises(VersionConflict) as caught:
        world.publisher.publish_async(given(KIB, 5), CONTEXT)
    assert caught.value.current is not None
    assert caught.value.current["attributes"] == attributes_of(300 * KIB)
    with pytest.raises(PendingVersions) as pending:
        world.sync.publish_sync(given(KIB, 1), CONTEXT)
    assert pending.value.current is not None
    assert pending.value.current["attributes"] == attributes_of(300 * KIB)


def test_the_pipeline_downloads_for_custom_handlers_only() -> None:
    world = World(handlers={"search": ("ORDER", Handler())})
    world.publish_and_apply(given(300 * KIB))
    world.publish_and_apply(given(300 * KIB, 1, mark="2"))
    assert world.objects.calls == ["put", "get", "put", "get"]


class Interrupted(MemoryTableStore):
    """Something happens before each write of a new command."""

    def before(self) -> None:
        raise NotImplementedError

    def put(self, table: str, item: dict[str, Any], condition: Any = None) -> None:
        if table == COMMANDS:
            self.before()
        super().put(table, item, condition)

    def transact(self, writes: Any) -> None:
        self.before()
        super().transact(writes)


class Stops(Interrupted):
    """Dies between the object and the row."""

    stops = True

    def before(self) -> None:
        if self.stops:
            raise KeyboardInterrupt


def test_a_crash_before_the_row_leaves_an_object_that_the_retry_uses() -> None:
    store = Stops()
    world = World(store=store)
    with pytest.raises(KeyboardInterrupt):
        world.publisher.publish_async(given(300 * KIB), CONTEXT)
    assert world.repository.latest(KEY) is None
    orphan = dict(world.objects.contents)
    assert len(orphan) == 1
    store.stops = False
    assert world.publisher.publish_async(given(300 * KIB), CONTEXT) is not None
    assert world.objects.contents == orphan


class Faster(Interrupted):
    """Somebody publishes the same version just before the first write."""

    def __init__(self, rival: CommandInput) -> None:
        super().__init__()
        self.rival: CommandInput | None = rival
        self.objects: MemoryObjects | None = None

    def before(self) -> None:
        if self.rival is not None:
            rival, self.rival = self.rival, None
            other = World(store=self)
            assert self.objects is not None
            other.publisher._attributes = AttributeStore(self.objects)
            other.publish(rival)


@pytest.mark.parametrize(
    ("rival", "objects"),
    [(given(KIB), 1), (given(300 * KIB, mark="other"), 2), (given(300 * KIB), 1)],
    ids=["small", "other content", "same content"],
)
def test_a_lost_race_removes_its_own_object_only(rival: CommandInput, objects: int) -> None:
    store = Faster(rival)
    world = World(store=store)
    store.objects = world.objects
    world.publisher.publish_async(given(300 * KIB, -1), CONTEXT)
    whole = [row["attributes"] for row in world.repository.versions(KEY)]
    expected = [rival.attributes, attributes_of(300 * KIB)]
    assert whole == (expected if rival.attributes != expected[1] else expected[:1])
    assert len(world.objects.contents) == objects


def test_tidying_up_never_fails_a_publish() -> None:
    class Broken(MemoryObjects):
        def delete(self, key: str) -> None:
            raise RuntimeError("no permission")

    store = Faster(given(KIB))
    world = World(store=store)
    store.objects = Broken()
    world.publisher._attributes = AttributeStore(store.objects)
    command = world.publisher.publish_async(given(300 * KIB, -1), CONTEXT)
    assert command is not None
    assert command.version == 2
    assert len(store.objects.contents) == 2


class AnswersLate(MemoryTableStore):
    """The write succeeds, its answer is lost, and the SDK writes again."""

    def put(self, table: str, item: dict[str, Any], condition: Any = None) -> None:
        super().put(table, item, condition)
        if table == COMMANDS:
            super().put(table, item, condition)


def test_a_write_that_the_sdk_repeats_is_no_conflict() -> None:
    world = World(store=AnswersLate())
    world.publish(given(KIB))
    command = world.publisher.publish_async(given(300 * KIB, 1), CONTEXT)
    assert command is not None
    assert [row["version"] for row in world.repository.versions(KEY)] == [1, 2]
    assert len(world.objects.contents) == 1


def test_a_pointer_to_another_bucket_is_refused() -> None:
    world = World()
    world.publish(given(300 * KIB))
    elsewhere = AttributeStore(MemoryObjects("another"))
    with pytest.raises(AttributesDamaged, match="in bucket 'memory', but this stack's is 'another'"):
        elsewhere.decoded(world.row(1))


@pytest.mark.parametrize("body", [b"{}", None])
def test_damage_is_named(body: bytes | None) -> None:
    world = World()
    world.publish(given(300 * KIB))
    (key,) = world.objects.contents
    world.objects.contents[key] = body if body is not None else world.objects.contents[key].replace(b"xx", b"xy", 1)
    with pytest.raises(AttributesDamaged, match=r"TENANT#t1 ORDER#o1@0000000001: s3://memory/attributes/.* the row"):
        world.repository.latest(KEY)


def test_a_missing_object_is_named() -> None:
    world = World()
    world.publish(given(300 * KIB))
    world.objects.contents.clear()
    with pytest.raises(ObjectMissing, match=r"s3://memory/attributes/t1/[0-9a-f]{32}/0000000001-[0-9a-f]{64}\.json"):
        world.repository.latest(KEY)


def test_a_row_that_is_not_decoded_is_no_command() -> None:
    world = World()
    world.publish(given(300 * KIB))
    with pytest.raises(ValueError, match="decode the row first"):
        Command.from_row(world.row(1))


def test_object_keys_are_safe_short_and_distinct() -> None:
    entities = [
        EntityKey("TENANT", "t1", "ORDER", "o1"),
        EntityKey("TENANT", "t1", "ORDER", "o2"),
        EntityKey("OTHER", "t1", "ORDER", "o1"),
        EntityKey("TENANT", "t/../1", "ORDER", "o1"),
        EntityKey("TENANT", "ü" * 900, "ORDER", "c" * 900),
    ]
    keys = [object_key(VersionKey(entity, 1), "d" * 64) for entity in entities]
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert len(key.encode()) < 300
        assert key.count("/") == 3
        assert set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.!")


@pytest.mark.parametrize("limit", [MIN_INLINE_LIMIT - 1, MAX_INLINE_LIMIT + 1])
def test_the_limit_has_a_range(limit: int) -> None:
    with pytest.raises(ValueError, match="not within 1024 to 196608"):
        AttributeStore(MemoryObjects(), limit)


def test_the_highest_limit_fits_into_an_item() -> None:
    """The worst growth from JSON to DynamoDB's own count is half as much again: numbers of one digit in lists."""
    numbers = [1] * ((MAX_INLINE_LIMIT - 7) // 2)
    world = World(inline_limit=MAX_INLINE_LIMIT)
    world.publish(CommandInput("ORDER", "o1", "n" * 1000, {"n": numbers}))
    row = world.row(1)
    assert "attributes" in row
    assert dynamo_bytes(row) < 400 * KIB - 64 * KIB


def dynamo_bytes(value: Any) -> int:
    """Developer Guide, "DynamoDB item sizes and formats"."""
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, int | float):
        return len(repr(value)) // 2 + 2
    if isinstance(value, list):
        return 3 + sum(1 + dynamo_bytes(entry) for entry in value)
    return 3 + sum(1 + len(name.encode()) + dynamo_bytes(entry) for name, entry in value.items())
