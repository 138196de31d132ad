from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.commands.attempts import Attempts
from handlers.commands.failure import Failure
from handlers.commands.keys import EntityKey
from handlers.commands.pipeline.run import Run
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from tests.support.pipelines import CONTEXT, KEY, World, order

DAY = 86_400


@pytest.mark.parametrize(
    ("tenant", "type_", "days"),
    [("t1", "ORDER", 7), ("t2", "ORDER", 8), ("t1", "OTHER", 9), ("t2", "OTHER", 90)],
)
def test_overrides_from_the_most_specific(tenant: str, type_: str, days: int) -> None:
    policy = TtlPolicy(90, {"t1/ORDER": 7, "*/ORDER": 8, "t1/*": 9})
    assert policy.expires_at(EntityKey("TENANT", tenant, type_, "c"), 1000.5) == 1000 + days * DAY


def test_absent_policy_keeps_for_ever() -> None:
    assert TtlPolicies().of("commands").expires_at(KEY, 0) is None


def test_a_commands_ttl_comes_with_its_successor_and_only_when_done() -> None:
    world = World(ttl=TtlPolicies({"commands": TtlPolicy(90), "history": TtlPolicy(30), "data": TtlPolicy(10)}))
    now = int(world.clock.now())
    world.publish_and_apply(order(0, n=1))
    assert "ttl" not in world.row(1)
    world.publish_and_apply(order(1, n=2))
    assert world.row(1)["ttl"] == now + 90 * DAY
    assert "ttl" not in world.row(2)
    (kept,) = world.repository.history(KEY)
    assert kept["ttl"] == now + 30 * DAY
    data = world.repository.data(KEY)
    assert data is not None
    assert data["ttl"] == now + 10 * DAY


def test_ttl_is_set_once() -> None:
    world = World(ttl=TtlPolicies({"commands": TtlPolicy(90)}))
    world.publish_and_apply(order(0, n=1))
    run = world.publish(order(1, n=2))
    world.pipeline.check_version(run, first_entry=True)
    assert world.pipeline.set_ttl_command(run) == {"changed": True}
    before = world.row(1)["ttl"]
    world.clock.advance(60)
    assert world.pipeline.set_ttl_command(run) == {"changed": False}
    assert world.row(1)["ttl"] == before


@pytest.mark.parametrize("state", ["open", "FAILED"])
def test_pub_14_a_predecessor_that_is_not_done_gets_no_ttl(state: str) -> None:
    world = World(ttl=TtlPolicies({"commands": TtlPolicy(90)}))
    run = world.publish(order(0, n=1))
    if state == "FAILED":
        world.pipeline.record_failure(run, Failure("Broken", "no"))
    successor = world.publish(order(1, n=2))
    before = world.row(1)
    assert world.pipeline.applier.set_ttl_of_previous(successor.key) is False
    assert world.row(1) == before
    assert "ttl" not in before


def test_a_skipped_predecessor_stays_so_that_its_successor_can_be_redriven_whenever() -> None:
    world = World(ttl=TtlPolicies({"commands": TtlPolicy(90)}))
    world.publish_and_apply(order(0, n=1))
    world.pipeline.record_failure(world.publish(order(1, n=2)), Failure("Broken", "no"))
    attempts = Attempts(world.store, world.clock)
    attempts.skip(world.row(2))
    failing = world.publish(order(2, n=3))
    world.pipeline.check_version(failing, first_entry=True)
    assert world.pipeline.set_ttl_command(failing) == {"changed": False}
    world.pipeline.record_failure(failing, Failure("Broken", "no"))
    assert "ttl" not in world.row(2)
    world.clock.advance(365 * DAY)
    redriven = attempts.begin_next(world.row(3))
    again = Run(failing.key, redriven["id"], redriven["attempt"], "redriven")
    assert world.pipeline.check_version(again, first_entry=True) == {"result": 0}


def test_pub_15_soft_delete_and_revival() -> None:
    world = World()
    world.publish_and_apply(order(0, n=1))
    world.publish_and_apply(replace(order(1, n=1), is_deleted=True))
    deleted = world.repository.data(KEY)
    assert deleted is not None
    assert (deleted["version"], deleted["isDeleted"]) == (2, True)
    world.publish_and_apply(order(2, n=1))
    revived = world.repository.data(KEY)
    assert revived is not None
    assert (revived["version"], revived["isDeleted"], revived["createdAt"]) == (3, False, deleted["createdAt"])
    assert [(row["version"], row["isDeleted"]) for row in world.repository.history(KEY)] == [(1, False), (2, True)]


def test_pub_15_a_deletion_that_is_repeated_is_not_dirty() -> None:
    world = World()
    world.publish_and_apply(replace(order(0, n=1), is_deleted=True))
    assert world.publisher.publish_async(replace(order(1, n=1), is_deleted=True), CONTEXT) is None
