from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from contract.tables import TABLES
from handlers.commands.model import CommandInput
from handlers.commands.publishing.publisher import ExtraWriteRefused
from handlers.core.context import InvokeContext
from handlers.core.errors import (
    NotFound,
    PendingVersions,
    RequestConflict,
    TransientConflict,
    ValidationError,
    VersionConflict,
)
from handlers.store.conditions import equals
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, TASKS, Change, Item, Update, Write
from tests.support.pipelines import CONTEXT, KEY, World, order


@pytest.fixture
def world() -> World:
    return World()


def stored(world: World) -> list[Item]:
    return list(world.repository.versions(KEY))


@pytest.mark.parametrize("version", [0, None, -1])
def test_pub_01_first_version(world: World, version: int | None) -> None:
    command = world.publisher.publish_async(order(version, price=3), CONTEXT)
    assert command is not None
    assert (command.pk, command.sk, command.version) == ("TENANT#t1", "ORDER#o1@0000000001", 1)
    row = world.row(1)
    assert row["status"] == "publish:ACCEPTED"
    assert row["attributes"] == {"price": 3}
    assert row["createdBy"] == row["updatedBy"] == "u1"
    assert 0 <= row["openShard"] < 16


@pytest.mark.parametrize("version", [3, -1])
def test_pub_02_next_version(world: World, version: int) -> None:
    for number in range(3):
        world.publish(order(number, n=number))
    command = world.publisher.publish_async(order(version, n=99), replace(CONTEXT, user_id="u2"))
    assert command is not None
    assert command.sk == "ORDER#o1@0000000004"
    assert (command.created_by, command.updated_by) == ("u1", "u2")


def test_pub_03_stale_version_names_both(world: World) -> None:
    for number in range(3):
        world.publish(order(number, n=number))
    before = stored(world)
    with pytest.raises(VersionConflict, match="published on version 2, but the latest version is 3") as caught:
        world.publisher.publish_async(order(2, n=99), CONTEXT)
    assert caught.value.current == before[-1]
    assert stored(world) == before


def test_pub_04_version_of_nothing(world: World) -> None:
    with pytest.raises(VersionConflict, match="published on version 5, but nothing is stored"):
        world.publisher.publish_async(order(5), CONTEXT)
    assert stored(world) == []


def test_pub_05_one_of_20_wins(world: World) -> None:
    for number in range(3):
        world.publish(order(number, n=number))
    results: list[object] = []
    start = threading.Barrier(20)

    def publish(number: int) -> None:
        start.wait()
        try:
            results.append(world.publisher.publish_async(order(3, n=100 + number), CONTEXT))
        except VersionConflict as conflict:
            results.append(conflict)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, VersionConflict) for result in results) == 19
    assert len(results) == 20
    assert len(stored(world)) == 4


def test_latest_publishers_all_get_a_version_of_their_own(world: World) -> None:
    threads = [
        threading.Thread(target=world.publisher.publish_async, args=(order(-1, n=number), CONTEXT))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row["version"] for row in stored(world)] == list(range(1, 9))


def test_pub_06_same_request_gives_the_first_result(world: World) -> None:
    context = replace(CONTEXT, request_id="r-1")
    first = world.publisher.publish_async(order(0, n=1), context)
    world.publish(order(1, n=2))
    before = stored(world)
    assert world.publisher.publish_async(order(0, n=1), context) == first
    assert stored(world) == before


def test_pub_07_same_request_with_other_content(world: World) -> None:
    context = replace(CONTEXT, request_id="r-1")
    world.publisher.publish_async(order(0, n=1), context)
    before = stored(world)
    with pytest.raises(RequestConflict, match="'r-1' was used for ORDER#o1@0000000001 with different content"):
        world.publisher.publish_async(order(0, n=2), context)
    assert stored(world) == before


def test_pub_08_not_dirty_writes_nothing(world: World) -> None:
    world.publish(order(0, n=1, flag=True))
    before = stored(world)
    assert world.publisher.publish_async(order(1, n=1, flag=True), CONTEXT) is None
    assert world.publisher.publish_async(order(-1, n=1, flag=True), CONTEXT) is None
    assert stored(world) == before
    assert world.publisher.publish_async(order(1, n=1, flag=1), CONTEXT) is not None


BAD_INPUTS: list[tuple[str, dict[str, Any]]] = [
    ("type", {"type": "OR#DER"}),
    ("type", {"type": "OR@DER"}),
    ("code", {"code": "a@b"}),
    ("code", {"code": "a#b"}),
    ("code", {"code": ""}),
    ("kind", {"kind": "X#Y"}),
    ("sk", {"code": "c" * 1020}),
    ("attributes.x", {"attributes": {"x": math.nan}}),
    ("attributes.x", {"attributes": {"x": math.inf}}),
    ("attributes.x", {"attributes": {"x": 1e200}}),
    ("attributes.x", {"attributes": {"x": 10**38 + 1}}),
    ("attributes.x[1]", {"attributes": {"x": [1, {1, 2}]}}),
    ("attributes.x", {"attributes": {"x": (1,)}}),
    ("attributes.x", {"attributes": {"x": b"raw"}}),
    ("attributes.x", {"attributes": {"x": "\ud800"}}),
    ("attributes", {"attributes": {1: 2}}),
    ("attributes", {"attributes": ["a"]}),
    ("attributes", {"attributes": {"x": "a" * 20 * 1024 * 1024}}),
    ("name", {"name": None}),
    ("name", {"name": "n" * 1001}),
    ("isDeleted", {"is_deleted": 1}),
    ("seq", {"seq": "1"}),
    ("version", {"version": -2}),
    ("version", {"version": "1"}),
    ("version", {"version": True}),
    ("version", {"version": 1.0}),
]


@pytest.mark.parametrize(("field", "change"), BAD_INPUTS)
def test_pub_09_bad_input_names_the_field(world: World, field: str, change: dict[str, Any]) -> None:
    given = CommandInput(**{"type": "ORDER", "code": "o1", "name": "n", "attributes": {}, **change})
    with pytest.raises(ValidationError) as caught:
        world.publisher.publish_async(given, CONTEXT)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")
    assert [world.store.scan(table).items for table in TABLES] == [[]] * len(TABLES)


def test_pub_09_nesting_is_bounded(world: World) -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"x": deep}
    with pytest.raises(ValidationError, match="at most 31 levels of nested lists and objects"):
        world.publisher.publish_async(order(0, **deep), CONTEXT)


@pytest.mark.parametrize("tenant", ["", "a#b", "a@b"])
def test_pub_09_tenant_of_the_caller(world: World, tenant: str) -> None:
    with pytest.raises(ValidationError, match="tenantCode"):
        world.publisher.publish_async(order(), InvokeContext("u1", tenant))


def test_pub_10_partial_update_inherits_business_fields_only(world: World) -> None:
    run = world.publish(order(0, keep=1, change=2))
    world.pipeline.wait(world.publish(order(1, keep=1, change=3)), "token-of-2", "2026-01-01T00:00:00.000Z")
    assert world.row(2)["taskToken"] == "token-of-2"
    context = replace(CONTEXT, user_id="u2", request_id="r-9")
    command = world.publisher.publish_partial_async(
        KEY.pk, KEY.sk, 2, {"attributes": {"change": None, "new": True}}, context
    )
    assert command is not None
    row = world.row(3)
    assert row["attributes"] == {"keep": 1, "change": None, "new": True}
    assert row["name"] == "first"
    assert (row["status"], row["attempt"], row["requestId"], row["updatedBy"]) == ("publish:ACCEPTED", 1, "r-9", "u2")
    for inherited in ("taskToken", "waitingSince", "syncMode", "runId", "error", "ttl", "alarmedAt"):
        assert inherited not in row
    assert row["id"] != world.row(2)["id"] != run.id


def test_pub_10_partial_update_of_nothing(world: World) -> None:
    with pytest.raises(NotFound, match=r"TENANT#t1 ORDER#o1: nothing is stored"):
        world.publisher.publish_partial_async(KEY.pk, KEY.sk, -1, {"name": "x"}, CONTEXT)


@pytest.mark.parametrize(
    ("pk", "changes", "field"),
    [
        ("TENANT", {"name": "x"}, "pk"),
        ("TENANT#t2", {"name": "x"}, "pk"),
        ("TENANT#t1", {"status": "finish:FINISHED"}, "status"),
        ("TENANT#t1", {"attributes": [1]}, "attributes"),
    ],
)
def test_pub_10_partial_update_refuses(world: World, pk: str, changes: dict[str, Any], field: str) -> None:
    world.publish(order(0, n=1))
    with pytest.raises(ValidationError) as caught:
        world.publisher.publish_partial_async(pk, KEY.sk, -1, changes, CONTEXT)
    assert caught.value.field == field


CHANGES: dict[str, Any] = {"attributes": {"change": 2}}


@pytest.mark.parametrize("version", [-1, 1])
def test_pub_06_a_repeated_partial_update_is_not_merged_into_what_came_behind_it(world: World, version: int) -> None:
    world.publish(order(0, keep=1, change=1))
    context = replace(CONTEXT, request_id="r-1")
    first = world.publisher.publish_partial_async(KEY.pk, KEY.sk, version, CHANGES, context)
    world.publish(order(2, keep=3, change=3))
    before = stored(world)
    assert world.publisher.publish_partial_async(KEY.pk, KEY.sk, version, dict(CHANGES), context) == first
    assert stored(world) == before


@pytest.mark.parametrize(
    ("version", "changes"),
    [
        (-1, {"attributes": {"change": 3}}),
        (-1, {"attributes": {"change": 2, "keep": 1}}),  # what the merged state is, but more than was sent
        (-1, {"attributes": {"change": 2}, "name": "first"}),
        (-1, {}),
        (1, CHANGES),
    ],
)
def test_pub_07_same_request_with_another_partial_update(world: World, version: int, changes: dict[str, Any]) -> None:
    world.publish(order(0, keep=1, change=1))
    context = replace(CONTEXT, request_id="r-1")
    world.publisher.publish_partial_async(KEY.pk, KEY.sk, -1, CHANGES, context)
    before = stored(world)
    with pytest.raises(RequestConflict, match="'r-1' was used for ORDER#o1@0000000002 with different content"):
        world.publisher.publish_partial_async(KEY.pk, KEY.sk, version, changes, context)
    with pytest.raises(RequestConflict):  # the same state, published as a whole
        world.publisher.publish_async(order(-1, keep=1, change=2), context)
    assert stored(world) == before


class Stopped(BaseException):
    """The process died."""


class Interrupted:
    """``act`` happens before the ``at``-th call, or behind it."""

    def __init__(self, inner: Any, at: int, act: Callable[[], object], *, behind: bool) -> None:
        self.inner = inner
        self.left = at
        self.act = act
        self.behind = behind

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            is_now = self.left == 0
            if is_now and not self.behind:
                self.act()
            answer = method(*args, **kwargs)
            if is_now and self.behind:
                self.act()
            return answer

        return call


@pytest.mark.parametrize("at", range(1, 8))
@pytest.mark.parametrize(
    ("dies", "behind"), [(False, False), (True, False), (True, True)], ids=["goes on", "dies before", "dies behind"]
)
def test_pub_10_somebody_publishes_at_any_call_of_a_partial_update(
    world: World, at: int, dies: bool, behind: bool
) -> None:
    """Nothing of either is undone, and the repeated request finds what it had written or writes it now, once."""
    world.publish(order(0, mine=1, theirs=1))
    context = replace(CONTEXT, request_id="r-1")

    def somebody() -> None:
        world.publisher.publish_partial_async(KEY.pk, KEY.sk, -1, {"attributes": {"theirs": 2}}, CONTEXT)
        if dies:
            raise Stopped

    mine = {"attributes": {"mine": 2}}
    store = Interrupted(world.store, at, somebody, behind=behind)
    with pytest.raises(Stopped) if dies else nullcontext():
        World(store=store).publisher.publish_partial_async(KEY.pk, KEY.sk, -1, mine, context)
    assert store.left <= 0
    again = world.publisher.publish_partial_async(KEY.pk, KEY.sk, -1, mine, context)
    rows = stored(world)
    assert again is not None
    assert [row.get("requestId") for row in rows].count("r-1") == 1
    assert len(rows) == 3
    assert rows[-1]["attributes"] == {"mine": 2, "theirs": 2}


@pytest.mark.parametrize(("latest", "expected"), [(9, 10), (99, 100)])
def test_pub_16_versions_are_numbers(world: World, latest: int, expected: int) -> None:
    for number in range(latest):
        world.publish_and_apply(order(number, n=number))
    command = world.publisher.publish_async(order(-1, n=-1), CONTEXT)
    assert command is not None
    assert command.version == expected
    assert [row["version"] for row in stored(world)] == list(range(1, expected + 1))
    assert [row["version"] for row in world.repository.history(KEY)] == list(range(1, latest))


@pytest.mark.parametrize(("version", "outcome"), [(-1, 6), (5, 6), (0, VersionConflict)])
def test_pub_17_expired_commands(world: World, version: int, outcome: object) -> None:
    assert isinstance(world.store, MemoryTableStore)
    for number in range(5):
        world.publish_and_apply(order(number, n=number))
    for key in [key for key in world.store._items if key[0] == COMMANDS]:
        world.store._items[key]["ttl"] = int(world.clock.now()) - 1
    if outcome is VersionConflict:
        with pytest.raises(VersionConflict):
            world.publisher.publish_async(order(version, n=9), CONTEXT)
    else:
        command = world.publisher.publish_async(order(version, n=9), CONTEXT)
        assert command is not None
        assert command.version == outcome


def test_expired_data_counts_as_absent(world: World) -> None:
    assert isinstance(world.store, MemoryTableStore)
    world.publish_and_apply(order(0, n=1))
    for item in world.store._items.values():
        item["ttl"] = int(world.clock.now()) - 1
    world.publish_and_apply(order(0, n=1))
    data = world.repository.data(KEY)
    assert data is not None
    assert (data["version"], data["cpk"], data["csk"]) == (1, KEY.pk, KEY.version_sk(1))


def test_pub_18_replay_after_a_later_publish(world: World) -> None:
    context = replace(CONTEXT, request_id="lost-answer")
    first = world.publisher.publish_async(order(-1, n=1), context)
    world.publish(order(-1, n=2))
    assert world.publisher.publish_async(order(-1, n=1), context) == first
    assert len(stored(world)) == 2


def test_publish_costs_two_reads_and_a_write_whatever_the_version(world: World) -> None:
    for number in range(30):
        world.publish(order(number, n=number))
    calls = CountingStore(world.store)
    world.publisher._store = calls
    world.publisher._rows._store = calls
    world.publisher.publish_async(order(-1, n=99), CONTEXT)
    assert calls.names == ["query", "get", "put"]


class CountingStore:
    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.names.append(name)
        return getattr(self.inner, name)


@pytest.mark.parametrize("conflicts", [1, 2])
def test_a_conflict_with_another_transaction_is_no_publish(world: World, conflicts: int) -> None:
    """Nothing is known to be written then: the version is tried again."""
    context = replace(CONTEXT, request_id="r1")
    transact = world.store.transact
    left = [TransientConflict("another transaction")] * conflicts

    def conflicting(writes: Sequence[Write]) -> None:
        if left:
            raise left.pop()
        transact(writes)

    world.store.transact = conflicting  # type: ignore[method-assign]
    command = world.publisher.publish_async(order(0, n=1), context)
    assert command is not None
    assert [row["version"] for row in stored(world)] == [command.version] == [1]
    left.extend([TransientConflict("another transaction")] * 1_000)
    with pytest.raises(TransientConflict, match="others kept publishing"):
        world.publisher.publish_async(order(1, n=2), replace(CONTEXT, request_id="r2"))
    assert len(stored(world)) == 1


def test_pub_13_sync_publish_refuses_a_pending_predecessor(world: World) -> None:
    world.publish(order(0, n=1))
    before = stored(world)
    with pytest.raises(PendingVersions, match="version 1 is not applied yet"):
        world.sync.publish_sync(order(1, n=2), CONTEXT)
    assert stored(world) == before


def test_sync_publish_applies_before_it_answers(world: World) -> None:
    world.publish_and_apply(order(0, n=1))
    command = world.sync.publish_sync(order(1, n=2), replace(CONTEXT, user_id="u2"))
    assert command is not None
    data = world.store.get(DATA, KEY.pk, KEY.sk)
    assert data is not None
    assert (data["version"], data["attributes"], data["createdBy"], data["updatedBy"]) == (2, {"n": 2}, "u1", "u2")
    assert world.row(2)["status"] == "finish:FINISHED"
    assert [row["version"] for row in world.repository.history(KEY)] == [1]


def test_sync_publish_that_is_not_dirty(world: World) -> None:
    world.publish_and_apply(order(0, n=1))
    assert world.sync.publish_sync(order(1, n=1), CONTEXT) is None


class Broken:
    def up(self, command: object) -> None:
        raise RuntimeError("secret record data")


def test_sync_publish_reports_the_handlers_error_and_alarms() -> None:
    world = World(handlers={"search": ("ORDER", Broken())})
    with pytest.raises(RuntimeError, match="secret record data"):
        world.sync.publish_sync(order(0, n=1), CONTEXT)
    assert world.row(1)["status"] == "sync_data:FAILED"
    assert len(world.alarms.messages) == 1
    assert "secret" not in str(world.alarms.messages)


def test_sync_publish_with_the_same_request_goes_on_where_it_stopped() -> None:
    class StopsOnce:
        calls = 0

        def up(self, command: object) -> None:
            self.calls += 1
            if self.calls == 1:
                raise KeyboardInterrupt

    world = World(handlers={"search": ("ORDER", StopsOnce())})
    context = replace(CONTEXT, request_id="r-1")
    with pytest.raises(KeyboardInterrupt):
        world.sync.publish_sync(order(0, n=1), context)
    command = world.sync.publish_sync(order(0, n=1), context)
    assert command is not None
    assert world.row(1)["status"] == "finish:FINISHED"


def marks(command: Item) -> list[Write]:
    return [Update(TASKS, "p", "s", Change(set={"sk2": command["sk"]}), equals("state", "open"))]


def test_extra_writes_are_made_with_the_command_or_neither_is(world: World) -> None:
    world.store.put(TASKS, {"pk": "p", "sk": "s", "state": "open"})
    context = replace(CONTEXT, request_id="r1")
    first = world.publisher.publish_async(order(0, n=1), context, extra_writes=marks)
    assert first is not None
    marked = world.store.get(TASKS, "p", "s")
    assert marked is not None
    assert marked["sk2"] == first.sk
    world.store.put(TASKS, {"pk": "p", "sk": "s", "state": "closed"})
    assert world.publisher.publish_async(order(0, n=1), context, extra_writes=marks) == first  # a repeated request
    for request_id in (None, "r2"):
        with pytest.raises(ExtraWriteRefused, match="ORDER#o1@0000000002: its related rows have changed"):
            world.publisher.publish_async(order(1, n=2), replace(CONTEXT, request_id=request_id), extra_writes=marks)
    assert len(stored(world)) == 1
