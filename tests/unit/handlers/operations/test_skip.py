from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.run import Run
from handlers.core.errors import NotFound, SkipRefused
from handlers.core.keys import open_shard
from handlers.store.port import COMMANDS, DATA, Change
from tests.support.operations import Operator, fail, failed, next_attempt, waiting
from tests.support.pipelines import KEY, LEASE_SECONDS, World, order


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def operator(world: World) -> Operator:
    return Operator(world)


def refused(operator: Operator, version: int) -> str:
    before = operator.world.row(version)
    with pytest.raises(SkipRefused) as caught:
        operator.skip(VersionKey(KEY, version))
    assert operator.world.row(version) == before
    return str(caught.value)


def test_the_alarm_of_a_failure_goes_out_before_it_is_skipped(world: World, operator: Operator) -> None:
    run = world.publish(order(0, n=1))
    error = {"type": "RuntimeError", "message": "secret", "state": "check_version"}
    world.pipeline.record_failure._progress.fail(run, "check_version", error)
    assert world.alarms.messages == []
    operator.skip(VersionKey(KEY, 1))
    assert [one["alarmId"] for one in world.alarms.attributes] == ["TENANT#t1#ORDER#o1@0000000001#1"]
    assert world.row(1)["status"] == "skipped"
    assert "openShard" not in world.row(1)


def test_ord_10_the_successor_goes_on(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    failed(world, 2)
    third = waiting(world, 3)
    skipped = operator.skip(VersionKey(KEY, 2))
    assert (skipped.woken, skipped.applied, skipped.attempt) == (True, {}, 1)
    row = world.row(2)
    assert (row["status"], row["rank"]) == ("skipped", 1990)
    assert row["error"]["type"] == "RuntimeError"
    assert "openShard" not in row
    assert [token for token, _ in world.workflows.resumed] == ["token of 3"]
    world.apply(third)
    assert world.row(3)["status"] == "finish:FINISHED"
    data = world.repository.data(KEY)
    assert data is not None
    assert (data["version"], data["attributes"]) == (3, {"n": 3})
    assert [row["version"] for row in world.repository.history(KEY)] == [1]


def test_a_crash_before_the_tail_leaves_it_to_the_sweeper(world: World, operator: Operator) -> None:
    failed(world, 1)
    waiting(world, 2)
    skipper = operator.skip
    row = skipper._attempts.skip(world.row(1))
    assert row["openShard"] == open_shard(KEY.pk, KEY.version_sk(1))
    assert row["dueAt"] == int(world.clock.now())
    assert world.workflows.resumed == []
    assert world.pipeline.finisher.complete_tail(VersionKey(KEY, 1), row)
    assert [token for token, _ in world.workflows.resumed] == ["token of 2"]
    closed = world.row(1)
    assert closed["status"] == "skipped"
    assert "openShard" not in closed
    assert "dueAt" not in closed


def test_ord_19_refused_while_the_predecessor_runs(world: World, operator: Operator) -> None:
    first = world.publish(order(0, n=1))
    failed(world, 2)
    world.pipeline.check_version(first, first_entry=True)
    assert "its predecessor @1 is not done (check_version:FINISHED): wait for it" in refused(operator, 2)
    fail(world, first)
    assert "its predecessor @1 is not done (check_version:FAILED)" in refused(operator, 2)


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_ord_19_refused_while_the_map_runs(detail: str) -> None:
    reasons: list[str] = []

    class Search:
        def up(self, command: Any) -> None:
            reasons.append(refused(Operator(own), 1))

    own = World(handlers={"search": ("ORDER", Search())}, detail=detail)
    own.publish_and_apply(order(0, n=1))
    assert len(reasons) == 1
    assert "a run holds it until 2026-01-01T00:02:00.000Z" in reasons[0]
    if detail == "full":
        assert "(sync_data:" in reasons[0]


def test_ord_19_refused_with_a_live_lease(world: World, operator: Operator) -> None:
    run = world.publish(order(0, n=1))
    world.pipeline.check_version(run, first_entry=True)
    assert "a run holds it" in refused(operator, 1)
    world.clock.advance(LEASE_SECONDS + 1)
    assert "it is not FAILED but check_version:FINISHED" in refused(operator, 1)
    fail(world, run)
    claim = {"runId": "late", "leaseUntil": int(world.clock.now()) + 60}
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(1), Change(set=claim))
    assert "a run holds it" in refused(operator, 1)


def test_a_claim_between_our_read_and_our_write_wins(world: World, operator: Operator) -> None:
    failed(world, 1)
    skipper = operator.skip
    read = skipper._repository.neighbourhood

    def then_redriven(key: VersionKey) -> Any:
        rows = read(key)
        operator.redrive(1)
        return rows

    skipper._repository.neighbourhood = then_redriven  # type: ignore[method-assign]
    with pytest.raises(SkipRefused, match="it changed meanwhile and is publish:ACCEPTED, attempt 2 now"):
        skipper(VersionKey(KEY, 1))
    assert world.row(1)["status"] == "publish:ACCEPTED"


def test_finished_and_skipped_ones_are_refused(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    assert "it is finished (finish:FINISHED)" in refused(operator, 1)
    failed(world, 2)
    operator.skip(VersionKey(KEY, 2))
    assert "it is finished (skipped)" in refused(operator, 2)


def test_a_predecessor_that_expired(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    failed(world, 2)
    failed(world, 3)
    items = world.memory._items
    items[COMMANDS, KEY.pk, KEY.version_sk(2)]["ttl"] = 1
    assert "its predecessor @2 is missing and the data row is at version 1" in refused(operator, 3)
    items[COMMANDS, KEY.pk, KEY.version_sk(1)]["ttl"] = 1
    items[DATA, KEY.pk, KEY.sk]["version"] = 2
    assert operator.skip(VersionKey(KEY, 3)).key.version == 3


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_targets_that_had_applied_are_reported(detail: str) -> None:
    class Broken:
        def up(self, command: Any) -> None:
            raise RuntimeError("no route")

    world = World(handlers={"search": ("ORDER", Broken())}, detail=detail)
    run = world.publish(order(0, n=1))
    with pytest.raises(RuntimeError):
        world.apply(run)
    fail(world, run)
    assert Operator(world).explain().versions[0].targets == {"data": "APPLIED"}
    assert Operator(world).skip(VersionKey(KEY, 1)).applied == {"data": "APPLIED"}


def test_a_dry_run_changes_nothing(world: World, operator: Operator) -> None:
    failed(world, 1)
    before = world.row(1)
    assert operator.skip(VersionKey(KEY, 1), dry_run=True).dry_run
    assert world.row(1) == before


def test_unknown_version(operator: Operator) -> None:
    with pytest.raises(NotFound, match="@1: unknown key"):
        operator.skip(VersionKey(KEY, 1))


def test_a_zombie_of_a_skipped_command_writes_nothing(world: World, operator: Operator) -> None:
    run = failed(world, 1)
    operator.skip(VersionKey(KEY, 1))
    before = world.row(1)
    assert world.pipeline.check_version(Run(run.key, run.id, 1, "zombie"), first_entry=True) == {"result": 2}
    assert world.pipeline.check_version(next_attempt(run), first_entry=True) == {"result": 2}
    assert world.row(1) == before


def test_the_content_of_a_skipped_command_can_be_published_again(world: World, operator: Operator) -> None:
    failed(world, 1)
    operator.skip(VersionKey(KEY, 1))
    world.publish_and_apply(order(1, n=1))
    data = world.repository.data(KEY)
    assert data is not None
    assert (data["version"], data["attributes"]) == (2, {"n": 1})
