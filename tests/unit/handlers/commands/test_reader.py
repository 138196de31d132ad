"""APP-05 and what readers are told: current states, lists, versions, waiting for one's own write."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from handlers.commands.keys import EntityKey
from handlers.commands.model import CommandInput
from handlers.commands.reader import EntityReader, VersionState
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from handlers.core.context import InvokeContext
from handlers.core.errors import NotFound, ValidationError
from handlers.store.memory import MemoryTableStore
from handlers.store.port import DATA, Page
from tests.support.pipelines import KEY, World, order


def reader_of(world: World, **options: Any) -> EntityReader:
    options.setdefault("sleep", world.clock.advance)
    return EntityReader(world.store, world.clock, world.attributes.decoded, **options)


def key(code: str) -> EntityKey:
    return EntityKey("TENANT", "t1", "ORDER", code)


@pytest.fixture
def world() -> World:
    return World(inline_limit=1024)


class TestCurrent:
    def test_the_applied_state_is_returned_as_the_command_that_made_it(self, world: World) -> None:
        world.publish_and_apply(order(0, n=1))
        world.publish(order(1, n=2))
        found = reader_of(world).get(KEY)
        assert found is not None
        assert (found.version, found.attributes, str(found.key)) == (1, {"n": 1}, "TENANT#t1 ORDER#o1@1")

    def test_nothing_stored_is_none(self, world: World) -> None:
        assert reader_of(world).get(KEY) is None

    def test_a_deleted_one_is_only_there_for_who_asks(self, world: World) -> None:
        world.publish_and_apply(order(0))
        world.publish_and_apply(CommandInput("ORDER", "o1", "gone", {}, version=1, is_deleted=True))
        assert reader_of(world).get(KEY) is None
        found = reader_of(world).get(KEY, deleted=True)
        assert found is not None
        assert (found.version, found.is_deleted) == (2, True)

    def test_one_past_its_ttl_is_not_there(self) -> None:
        world = World(ttl=TtlPolicies({"data": TtlPolicy(1)}))
        world.publish_and_apply(order(0))
        world.clock.advance(2 * 86_400)
        assert reader_of(world).get(KEY, deleted=True) is None

    def test_large_attributes_come_whole(self, world: World) -> None:
        world.publish_and_apply(order(0, text="x" * 3000))
        found = reader_of(world).get(KEY)
        assert found is not None
        assert found.attributes == {"text": "x" * 3000}


class TestList:
    def test_by_code_with_prefix_and_pages(self, world: World) -> None:
        for code in ("b2", "a1", "b1", "b3", "c"):
            world.publish_and_apply(order(0, code=code))
        world.publish_and_apply(CommandInput("ORDERS", "b0", "another type", {}))
        world.store.put(DATA, {"pk": "TENANT#t1", "sk": "ORDER#b15", "total": 3})  # a handler's own row
        reader = reader_of(world)
        assert [one.code for one in reader.list("t1", "ORDER").items] == ["a1", "b1", "b2", "b3", "c"]
        first = reader.list("t1", "ORDER", prefix="b", limit=2)
        assert [one.code for one in first.items] == ["b1", "b2"]
        second = reader.list("t1", "ORDER", prefix="b", limit=2, cursor=first.cursor)
        assert ([one.code for one in second.items], second.cursor) == (["b3"], None)

    def test_another_tenant_has_its_own_list(self, world: World) -> None:
        world.apply(world.publish(order(0, code="theirs"), InvokeContext("u", "t2")))
        assert reader_of(world).list("t1", "ORDER").items == []
        assert [one.code for one in reader_of(world).list("t2", "ORDER").items] == ["theirs"]

    def test_deleted_ones_are_left_out_and_do_not_shorten_a_page(self, world: World) -> None:
        for code in ("a", "b", "c", "d"):
            world.publish_and_apply(order(0, code=code))
        for code in ("a", "b"):
            world.publish_and_apply(CommandInput("ORDER", code, "gone", {}, version=1, is_deleted=True))
        reader = reader_of(world)
        assert [one.code for one in reader.list("t1", "ORDER", limit=2).items] == ["c", "d"]
        assert [one.code for one in reader.list("t1", "ORDER", deleted=True).items] == ["a", "b", "c", "d"]

    @pytest.mark.parametrize(
        ("options", "field"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 1001}, "limit"),
            ({"limit": True}, "limit"),
            ({"cursor": "nonsense!"}, "cursor"),
            ({"cursor": "WzFd"}, "cursor"),
            ({"cursor": 7}, "cursor"),
        ],
    )
    def test_wrong_limits_and_cursors_are_named(self, world: World, options: dict[str, Any], field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            reader_of(world).list("t1", "ORDER", **options)
        assert caught.value.field == field

    def test_the_cursor_of_another_tenant_or_prefix_is_refused(self, world: World) -> None:
        for code in ("a", "b"):
            world.publish_and_apply(order(0, code=code))
        cursor = reader_of(world).list("t1", "ORDER", limit=1).cursor
        assert cursor is not None
        for arguments in (("t2", "ORDER"), ("t1", "OTHER")):
            with pytest.raises(ValidationError, match="the cursor of an earlier page of the same list"):
                reader_of(world).list(*arguments, cursor=cursor)
        with pytest.raises(ValidationError, match="cursor"):
            reader_of(world).list("t1", "ORDER", prefix="b", cursor=cursor)


class BusyStore(MemoryTableStore):
    """Others write before each page."""

    others: Callable[[], None] | None = None

    def query(self, table: str, pk: str, **arguments: Any) -> Page:
        others, self.others = self.others, None  # what they do reads, too
        if others is not None:
            others()
        self.others = others
        return super().query(table, pk, **arguments)


@pytest.mark.parametrize("seed", range(20))
def test_app_05_lists_under_concurrent_writes_and_deletes(seed: int) -> None:
    """What is there all the time is in exactly one page; what is deleted all the time in none."""
    store = BusyStore()
    world, chance = World(store=store), random.Random(seed)
    codes = [f"{number:02d}" for number in range(20)]
    for code in codes:
        world.publish_and_apply(order(0, code=code))
    touched = set(chance.sample(codes, 10))

    def change(code: str) -> None:
        latest = world.repository.latest(key(code))
        version, deleted = (0, False) if latest is None else (latest["version"], latest["isDeleted"])
        world.publish_and_apply(CommandInput("ORDER", code, f"v{version}", {}, version=version, is_deleted=not deleted))

    def others() -> None:
        change(chance.choice([*sorted(touched), f"new{chance.randrange(100)}"]))

    store.others = others
    found: list[str] = []
    cursor: str | None = None
    while True:
        listing = reader_of(world).list("t1", "ORDER", limit=3, cursor=cursor)
        found += [one.code for one in listing.items]
        cursor = listing.cursor
        if cursor is None:
            break
    assert found == sorted(set(found))
    assert set(codes) - touched <= set(found)


class TestVersions:
    def test_history_is_newest_first_in_pages_with_the_current_state(self, world: World) -> None:
        for version in range(5):
            world.publish_and_apply(order(version, n=version))
        reader = reader_of(world)
        assert [one.version for one in reader.history(KEY).items] == [5, 4, 3, 2, 1]
        first = reader.history(KEY, limit=2)
        second = reader.history(KEY, limit=2, cursor=first.cursor)
        third = reader.history(KEY, limit=2, cursor=second.cursor)
        versions = [[one.version for one in page.items] for page in (first, second, third)]
        assert (versions, third.cursor) == ([[5, 4], [3, 2], [1]], None)

    def test_a_version_that_is_applied_meanwhile_does_not_come_twice(self) -> None:
        store = BusyStore()
        world = World(store=store)
        world.publish_and_apply(order(0))
        run = world.publish(order(1, n=1))

        def others() -> None:
            store.others = None
            world.apply(run)

        reader = reader_of(world)
        store.others = others
        assert [one.version for one in reader.history(KEY).items] == [1]

    def test_one_version_shows_its_outcome_targets_and_error(self, world: World) -> None:
        run = world.publish_and_apply(order(0))
        failed = world.publish(order(1, n=1))
        world.pipeline.check_version(failed, first_entry=True)
        world.pipeline.record_failure(failed, world.failure("Boom"))
        reader = reader_of(world)
        first, second = reader.version(KEY, 1), reader.version(KEY, 2)
        assert first is not None
        assert second is not None
        assert (first.outcome, first.status, first.error, run.key.version) == ("APPLIED", "finish:FINISHED", None, 1)
        assert first.targets["data"]["outcome"] == "APPLIED"
        assert (second.outcome, second.error and second.error["type"]) == ("FAILED", "Boom")
        assert reader.version(KEY, 3) is None

    def test_pending_versions_in_order(self, world: World) -> None:
        reader = reader_of(world)
        assert reader.pending(KEY) == []
        world.publish_and_apply(order(0))
        failed = world.publish(order(1, n=1))
        world.pipeline.check_version(failed, first_entry=True)
        world.pipeline.record_failure(failed, world.failure("Boom"))
        world.publish(order(2, n=2))
        assert [(one.command.version, one.outcome) for one in reader.pending(KEY)] == [(2, "FAILED"), (3, "OPEN")]


class TestWait:
    def test_it_looks_until_the_version_is_applied(self, world: World) -> None:
        run = world.publish(order(0, n=1))
        command, looks = world.command(1), []

        def sleep(seconds: float) -> None:
            looks.append(seconds)
            world.clock.advance(seconds)
            if len(looks) == 3:
                world.apply(run)

        reader = reader_of(world, sleep=sleep)
        assert reader.wait(command, 60).outcome == "APPLIED"
        assert looks == [0.1, 0.2, 0.4]
        assert reader.get(KEY) is not None

    def test_a_failure_is_reported_at_once(self, world: World) -> None:
        run = world.publish(order(0))
        world.pipeline.check_version(run, first_entry=True)
        world.pipeline.record_failure(run, world.failure("Boom"))
        assert reader_of(world).wait(world.command(1), 60).outcome == "FAILED"

    def test_after_the_timeout_it_is_still_open(self, world: World) -> None:
        world.publish(order(0))
        before = world.clock.now()
        state: VersionState = reader_of(world).wait(world.command(1), 5)
        assert state.outcome == "OPEN"
        assert world.clock.now() - before == pytest.approx(5)

    def test_one_whose_row_has_expired_was_applied(self) -> None:
        world = World(ttl=TtlPolicies({"commands": TtlPolicy(1)}))
        world.publish_and_apply(order(0))
        first = world.command(1)
        world.publish_and_apply(order(1, n=1))
        world.clock.advance(2 * 86_400)
        assert reader_of(world).wait(first, 1).outcome == "APPLIED"

    def test_one_that_is_nowhere_is_an_error(self, world: World) -> None:
        world.publish(order(0))
        with pytest.raises(NotFound, match="neither in the log nor in the read model"):
            reader_of(World()).wait(world.command(1), 1)

    @pytest.mark.parametrize("timeout", [-1, 901, True, "5"])
    def test_a_wrong_timeout_is_named(self, world: World, timeout: Any) -> None:
        world.publish(order(0))
        with pytest.raises(ValidationError, match="timeout"):
            reader_of(world).wait(world.command(1), timeout)
