from __future__ import annotations

import pytest

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.pipeline.run import Run
from handlers.core.errors import NotFound
from handlers.operations.explain import SHOWN, Explanation
from handlers.store.port import COMMANDS, DATA, Change
from tests.support.operations import Operator, expired, fail, failed, waiting
from tests.support.pipelines import KEY, LEASE_SECONDS, World, order


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def operator(world: World) -> Operator:
    return Operator(world)


def stands(explanation: Explanation) -> list[tuple[int, str]]:
    return [(view.version, view.situation) for view in explanation.versions]


def test_all_is_done(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    world.publish_and_apply(order(1, n=2))
    explanation = operator.explain()
    assert explanation.key == "TENANT#t1 ORDER#o1"
    assert stands(explanation) == [(1, "DONE"), (2, "DONE")]
    assert explanation.data is not None
    assert (explanation.data["version"], explanation.data["command"]) == (2, KEY.version_sk(2))
    assert explanation.what_to_do == ["nothing: every version is done"]
    assert explanation.versions[0].targets == {"data": "APPLIED"}


def test_ops_01_a_failed_command_and_who_waits_for_it(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    failed(world, 2)
    waiting(world, 3)
    waiting(world, 4)
    explanation = operator.explain()
    assert stands(explanation) == [(1, "DONE"), (2, "FAILED"), (3, "WAITING"), (4, "WAITING")]
    second, third, fourth = explanation.versions[1:]
    assert second.error == {"type": "RuntimeError", "message": "it broke", "state": "check_version"}
    assert second.status == "check_version:FAILED"
    assert (second.attempt, second.blocked_by, second.waiting_since) == (1, None, None)
    assert "redrive TENANT#t1 ORDER#o1@2" in second.what_to_do
    assert "skip TENANT#t1 ORDER#o1@2" in second.what_to_do
    assert third.blocked_by is not None
    assert fourth.blocked_by is not None
    assert (third.blocked_by.next, third.blocked_by.root, third.blocked_by.root_situation) == (2, 2, "FAILED")
    assert (fourth.blocked_by.next, fourth.blocked_by.root) == (3, 2)
    assert third.waiting_since == "2026-01-01T00:00:00.000Z"
    assert third.what_to_do == "nothing here: it continues once @2 (FAILED) is done"
    assert explanation.what_to_do == [f"@2: {second.what_to_do}"]


def test_one_version(world: World, operator: Operator) -> None:
    failed(world, 1)
    waiting(world, 2)
    explanation = operator.explain(version=2)
    assert (explanation.key, stands(explanation)) == ("TENANT#t1 ORDER#o1@2", [(2, "WAITING")])
    assert explanation.what_to_do[0].startswith("@1: redrive TENANT#t1 ORDER#o1@1")


def test_a_run_that_lives_and_one_that_died(world: World, operator: Operator) -> None:
    run = world.publish(order(0, n=1))
    assert operator.explain().versions[0].situation == "OPEN"
    world.pipeline.check_version(run, first_entry=True)
    view = operator.explain().versions[0]
    assert (view.situation, view.lease.live if view.lease else None) == ("RUNNING", True)
    assert view.what_to_do.startswith("wait: a run holds it until 2026-01-01T00:02:00")
    world.clock.advance(LEASE_SECONDS + 1)
    view = operator.explain().versions[0]
    assert (view.situation, view.lease.live if view.lease else None) == ("OPEN", False)
    assert view.what_to_do.startswith("wait: it is due; the sweeper checks it after 2026-01-01T00:05:00")


def test_an_expired_wait_points_at_what_it_waited_for(world: World, operator: Operator) -> None:
    failed(world, 1)
    expired(world, 2, blocked_by=1)
    expired(world, 3, blocked_by=2)
    explanation = operator.explain()
    assert stands(explanation) == [(1, "FAILED"), (2, "FAILED"), (3, "FAILED")]
    wanted = "redrive TENANT#t1 ORDER#o1@1: that redrives this one, too"
    assert [view.what_to_do for view in explanation.versions[1:]] == [wanted, wanted]
    assert [line.partition(":")[0] for line in explanation.what_to_do] == ["@1"]


def test_an_expired_wait_that_names_nobody_waited_for_the_version_before_it(world: World, operator: Operator) -> None:
    failed(world, 1)
    fail(world, waiting(world, 2), "WaitExpired")
    assert operator.explain().versions[1].what_to_do == "redrive TENANT#t1 ORDER#o1@1: that redrives this one, too"


def test_an_expired_wait_whose_predecessor_is_done_by_now(world: World, operator: Operator) -> None:
    first = world.publish(order(0, n=1))
    expired(world, 2, blocked_by=1)
    world.apply(first)
    assert operator.explain().what_to_do == ["@2: redrive TENANT#t1 ORDER#o1@2"]


def test_a_gap(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    second = world.publish(order(1, n=2))
    world.publish(order(2, n=3))
    world.memory._items[COMMANDS, KEY.pk, KEY.version_sk(2)]["ttl"] = 1
    third = Run(second.key.next(), world.row(3)["id"], 1, "run of 3")
    fail(world, third, "VersionGap")
    explanation = operator.explain()
    assert explanation.versions[-1].blocked_by is not None
    assert explanation.versions[-1].blocked_by.root_situation == "MISSING"
    assert "restore @2" in explanation.versions[-1].what_to_do
    assert explanation.what_to_do[0].startswith("@2: restore TENANT#t1 ORDER#o1@2 in the commands table")


def test_a_mismatch(world: World, operator: Operator) -> None:
    first = world.publish(order(0, n=1))
    world.store.put(DATA, {"pk": KEY.pk, "sk": KEY.sk, "version": 2})
    fail(world, first, "VersionMismatch")
    assert operator.explain().what_to_do == [
        "@1: skip TENANT#t1 ORDER#o1@1: the data row is at version 2 already, a redrive would fail again"
    ]


def test_expired_command_rows_leave_the_data_row(world: World, operator: Operator) -> None:
    for version in range(3):
        world.publish_and_apply(order(version, n=version))
    items = world.memory._items
    for version in (1, 2):
        items[COMMANDS, KEY.pk, KEY.version_sk(version)]["ttl"] = 1
    assert stands(operator.explain()) == [(3, "DONE")]
    items[COMMANDS, KEY.pk, KEY.version_sk(3)]["ttl"] = 1
    explanation = operator.explain()
    assert (explanation.versions, explanation.what_to_do) == ([], ["nothing: every version is done"])
    assert explanation.data is not None
    assert explanation.data["version"] == 3
    assert operator.explain(version=2).what_to_do == [
        "nothing: it was applied or replaced, the data row is at version 3"
    ]
    assert operator.explain(version=4).what_to_do == ["nothing: version 4 was never published; the latest is 3"]


def test_unknown_key(operator: Operator) -> None:
    with pytest.raises(NotFound, match="TENANT#t1 ORDER#nope: unknown key"):
        operator.explain(EntityKey("TENANT", "t1", "ORDER", "nope"))


def test_pub_16_versions_in_numeric_order(world: World, operator: Operator) -> None:
    for version in range(100):
        world.publish_and_apply(order(version, n=version))
    explanation = operator.explain()
    shown = [view.version for view in explanation.versions]
    assert shown == list(range(101 - SHOWN, 101))
    assert explanation.older_versions
    assert [operator.explain(version=v).versions[0].version for v in (9, 10, 99, 100)] == [9, 10, 99, 100]


def test_the_first_that_failed_is_shown_however_many_wait(world: World, operator: Operator) -> None:
    failed(world, 1)
    for version in range(2, SHOWN * 2):
        waiting(world, version)
    explanation = operator.explain()
    assert (explanation.versions[0].version, explanation.older_versions) == (1, False)
    assert [line.partition(":")[0] for line in explanation.what_to_do] == ["@1"]


def test_edge_65_the_root_is_the_first_that_still_waits_when_what_it_waited_for_is_done(
    world: World, operator: Operator
) -> None:
    """v1 is done and v2 was not woken yet: v3 hangs on v2, not on v1."""
    world.publish(order(0, n=1))
    waiting(world, 2)
    waiting(world, 3)
    first = world.row(1)
    world.apply(Run(VersionKey(KEY, 1), first["id"], 1, "execution"))
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(2), Change(set={"taskToken": "lost"}))
    third = operator.explain().versions[-1]
    assert third.blocked_by is not None
    assert (third.blocked_by.next, third.blocked_by.root) == (2, 2)
