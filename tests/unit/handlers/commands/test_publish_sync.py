"""``publish_sync`` that stops on the way: repeated by its caller, or taken over by the sweeper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.pipeline.run import Run
from handlers.commands.starter import START_GRACE_SECONDS
from handlers.commands.ttl_policies import TtlPolicies
from handlers.core.errors import (
    CommandFailed,
    PendingVersions,
    RequestConflict,
    TransientConflict,
    TransientError,
    TransientThrottle,
)
from handlers.store.memory import MemoryTableStore
from handlers.store.port import Item
from tests.support.pipelines import CONTEXT, KEY, LEASE_SECONDS, World, order

REQUEST = replace(CONTEXT, request_id="r-1")


class Stopped(BaseException):
    """The process died."""


class FragileStore:
    """Dies before or after its ``at``-th call, once."""

    def __init__(self, inner: MemoryTableStore) -> None:
        self.inner = inner
        self.count = 0
        self.at = 0
        self.after = False

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self.inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at and not self.after:
                raise Stopped
            try:
                return method(*args, **kwargs)
            finally:
                if self.count == self.at:
                    raise Stopped

        return call


class Search:
    def __init__(self) -> None:
        self.versions: list[int] = []

    def up(self, command: Any) -> None:
        self.versions.append(command.version)


def make(detail: str) -> tuple[World, FragileStore, Search]:
    search = Search()
    store = FragileStore(MemoryTableStore())
    world = World(store=store, handlers={"search": ("ORDER", search)}, detail=detail)
    world.publish_and_apply(order(0, n=1))
    store.count = 0
    return world, store, search


def state(world: World) -> dict[tuple[str, str, str], Item]:
    """All rows, less what is drawn or measured anew in every run."""
    volatile = ("id", "runId", "requestId", "leaseUntil")
    inner: MemoryTableStore = world.store.inner  # type: ignore[attr-defined]
    rows = {key: {k: v for k, v in item.items() if k not in volatile} for key, item in inner._items.items()}
    return {key: row for key, row in rows.items() if not key[2].startswith("REQ#")}


def calls_of_one_publish(detail: str) -> int:
    world, store, _ = make(detail)
    world.sync.publish_sync(order(1, n=2), REQUEST)
    return store.count


@pytest.mark.parametrize("detail", ["full", "terminal"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_pub_12_stopped_at_every_call_and_repeated(detail: str, after: bool) -> None:
    world, _, _ = make(detail)
    world.sync.publish_sync(order(1, n=2), REQUEST)
    expected = state(world)
    calls = calls_of_one_publish(detail)
    assert calls > 8
    for at in range(1, calls + 1):
        world, store, search = make(detail)
        store.at, store.after = at, after
        with pytest.raises(Stopped):
            world.sync.publish_sync(order(1, n=2), REQUEST)
        command = world.sync.publish_sync(order(1, n=2), REQUEST)
        assert command is not None
        assert command.version == 2
        assert state(world) == expected, f"stopped {'after' if after else 'before'} call {at}"
        assert sorted(set(search.versions)) == [1, 2]


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_pub_12_stopped_at_every_call_and_taken_over(detail: str) -> None:
    calls = calls_of_one_publish(detail)
    taken_over = 0
    for at in range(1, calls + 1):
        world, store, search = make(detail)
        store.at, store.after = at, True
        with pytest.raises(Stopped):
            world.sync.publish_sync(order(1, n=2), REQUEST)
        row = store.inner.get("commands", KEY.pk, KEY.version_sk(2))
        if row is None:
            continue  # it stopped while reading: nothing was accepted
        world.clock.advance(START_GRACE_SECONDS + LEASE_SECONDS + 1)
        outcomes = world.sweeper.sweep(world.clock.now() + 60).outcomes
        if outcomes == {"restarted": 1}:
            taken_over += 1
            world.apply(Run(*(lambda command: (command.key, command.id))(world.command(2)), 1, "execution"))
        assert world.row(2)["status"] == "finish:FINISHED"
        assert "openShard" not in world.row(2)
        assert sorted(set(search.versions)) == [1, 2]
    assert taken_over > 4


def test_a_live_run_of_another_is_not_disturbed() -> None:
    world, store, _ = make("full")
    store.at, store.after = 5, True
    with pytest.raises(Stopped):
        world.sync.publish_sync(order(1, n=2), REQUEST)
    world.clock.advance(LEASE_SECONDS + 1)
    command = world.command(2)
    world.pipeline.check_version(Run(command.key, command.id, 1, "execution"), first_entry=True)
    with pytest.raises(TransientConflict, match="another run is applying it"):
        world.sync.publish_sync(order(1, n=2), REQUEST)


def test_a_command_that_failed_is_reported_again() -> None:
    class Broken:
        def up(self, command: object) -> None:
            raise RuntimeError("no")

    world = World(handlers={"search": ("ORDER", Broken())})
    with pytest.raises(RuntimeError):
        world.sync.publish_sync(order(0, n=1), REQUEST)
    with pytest.raises(CommandFailed, match="RuntimeError: no; redrive or skip it"):
        world.sync.publish_sync(order(0, n=1), REQUEST)
    assert len(world.alarms.messages) == 1


def test_a_transient_error_records_nothing_and_may_be_repeated() -> None:
    class Busy:
        calls = 0

        def up(self, command: object) -> None:
            self.calls += 1
            if self.calls == 1:
                raise TransientThrottle("busy")

    world = World(handlers={"search": ("ORDER", Busy())})
    with pytest.raises(TransientThrottle):
        world.sync.publish_sync(order(0, n=1), REQUEST)
    assert world.alarms.messages == []
    assert world.sync.publish_sync(order(0, n=1), REQUEST) is not None
    assert world.row(1)["status"] == "finish:FINISHED"


def test_other_content_under_the_same_request_id_is_refused() -> None:
    world, _, _ = make("full")
    world.sync.publish_sync(order(1, n=2), REQUEST)
    with pytest.raises(RequestConflict):
        world.sync.publish_sync(order(1, n=3), REQUEST)


def test_ord_16_sync_behind_a_waiting_version_is_refused() -> None:
    world, _, _ = make("full")
    second = world.publish(order(1, n=2))
    world.pipeline.park(second)
    before = state(world)
    with pytest.raises(PendingVersions):
        world.sync.publish_sync(order(2, n=3), CONTEXT)
    assert state(world) == before


#: Each step to what fails in it, and the target that is to be named.
PARTS: dict[str, tuple[Callable[[World, Search], tuple[Any, str]], str | None]] = {
    "set_ttl_command": (lambda world, _: (world.pipeline.applier, "set_ttl_of_previous"), None),
    "history_copy": (lambda world, _: (world.pipeline.applier, "copy_to_history"), None),
    "transform_data": (lambda world, _: (world.pipeline.synchroniser, "targets"), None),
    "sync_data": (lambda _, search: (search, "up"), "search"),
    "finish": (lambda world, _: (world.pipeline, "finisher"), None),
}


def broken(part: str, detail: str, error: Exception) -> tuple[World, Callable[[], None]]:
    """A world in which this part fails, until that is mended."""
    search = Search()
    ttl = TtlPolicies.parse('{"commands": {"default": 1}}')
    world = World(handlers={"search": ("ORDER", search)}, detail=detail, ttl=ttl)
    world.publish_and_apply(order(0, n=1))
    owner, name = PARTS[part][0](world, search)
    works = getattr(owner, name)

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    setattr(owner, name, fail)
    return world, lambda: setattr(owner, name, works)


@pytest.mark.parametrize("detail", ["full", "terminal"])
@pytest.mark.parametrize("part", PARTS)
def test_pub_12_the_part_that_fails_is_named(part: str, detail: str) -> None:
    world, _ = broken(part, detail, ValueError("broken"))
    with pytest.raises(ValueError, match="broken") as raised:
        world.sync.publish_sync(order(1, n=2), REQUEST)
    assert f"state: {part}" in raised.value.__notes__
    row, target = world.row(2), PARTS[part][1]
    assert row["status"] == f"{part}:FAILED"
    named = {} if target is None else {"target": target}
    assert row["error"] == {"type": "ValueError", "message": "broken", "state": part, **named}
    (alarm,) = (one["content"] for one in world.alarms.messages)
    assert alarm["errorMessage"] == f"{part} failed: ValueError" + ("" if target is None else f", target {target}")


@pytest.mark.parametrize("detail", ["full", "terminal"])
@pytest.mark.parametrize("part", PARTS)
def test_pub_12_whatever_part_it_is_what_may_pass_fails_nothing(part: str, detail: str) -> None:
    """As in the machine, which tries such a state again."""
    world, mend = broken(part, detail, ConnectionResetError("gone"))
    with pytest.raises(TransientError, match="ConnectionResetError: gone"):
        world.sync.publish_sync(order(1, n=2), REQUEST)
    assert not world.row(2)["status"].endswith("FAILED")
    assert world.alarms.messages == []
    mend()
    assert world.sync.publish_sync(order(1, n=2), REQUEST) is not None
    assert world.row(2)["status"] == "finish:FINISHED"
