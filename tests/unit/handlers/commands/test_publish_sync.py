"""``publish_sync`` that stops on the way: repeated by its caller, or taken over by the sweeper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.pipeline.run import Run
from handlers.commands.publishing.publisher import START_GRACE_SECONDS
from handlers.core.errors import CommandFailed, PendingVersions, RequestConflict, TransientConflict, TransientThrottle
from handlers.store.memory import MemoryTableStore
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
    world = World(store=store, handlers={"search": ("ORDER", search)}, detail=detail)  # type: ignore[arg-type]
    world.publish_and_apply(order(0, n=1))
    store.count = 0
    return world, store, search


def state(world: World) -> dict[str, Any]:
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
