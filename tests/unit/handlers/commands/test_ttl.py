from __future__ import annotations

import pytest

from handlers.commands.policies import TtlPolicies, TtlPolicy
from handlers.keys import EntityKey
from tests.support.pipelines import KEY, World, order

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
