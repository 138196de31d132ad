"""Calls that were believed dead and come late, found by the simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.commands.model import Command
from handlers.commands.pipeline.run import LostRun, Run
from tests.support.pipelines import LEASE_SECONDS, World, order


def test_a_late_call_of_the_same_run_leaves_the_outcome_of_its_retry() -> None:
    runs: list[Run] = []

    class Slow:
        def up(self, command: Command) -> None:
            """Out of time: its retry comes to the end before it."""
            if len(runs) == 1:
                runs.append(runs[0])
                world.pipeline.sync_data(runs[0], "slow")
                outcomes.append(world.row(1)["targets"]["slow"])
                world.clock.advance(40)

    outcomes: list[object] = []
    world = World(handlers={"slow": ("ORDER", Slow())})
    runs.append(world.publish(order(0, n=1)))
    world.pipeline.check_version(runs[0], first_entry=True)
    world.pipeline.sync_data(runs[0], "slow")
    assert outcomes == [world.row(1)["targets"]["slow"]]


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda world, run: world.pipeline.set_ttl_command(run), id="set_ttl_command"),
        pytest.param(lambda world, run: world.pipeline.history_copy(run), id="history_copy"),
        pytest.param(lambda world, run: world.pipeline.transform_data(run), id="transform_data"),
        pytest.param(lambda world, run: world.pipeline.sync_data(run, "data"), id="sync_data"),
        pytest.param(lambda world, run: world.pipeline.finish(run), id="finish"),
    ],
)
def test_pipe_14_a_run_whose_claim_was_taken_over_writes_nothing_more(step: Callable[[World, Run], Any]) -> None:
    world = World()
    dead = world.publish(order(0, n=1))
    world.pipeline.check_version(dead, first_entry=True)
    world.clock.advance(LEASE_SECONDS + 1)
    alive = Run(dead.key, dead.id, dead.attempt, "execution-of-another")
    assert world.pipeline.check_version(alive, first_entry=True) == {"result": 0}
    before = world.row(1)
    with pytest.raises(LostRun):
        step(world, dead)
    assert world.row(1) == before
    assert world.store.get("data", dead.key.pk, dead.key.entity.sk) is None


@pytest.mark.parametrize("late", ["wait", "park"])
def test_pipe_14_a_late_call_of_the_wait_stores_nothing_over_the_run_that_goes_on(late: str) -> None:
    world = World()
    world.publish_and_apply(order(0, n=1))
    run = world.publish(order(1, n=2))
    assert world.pipeline.check_version(run, first_entry=True) == {"result": 0}
    world.pipeline.history_copy(run)
    before = world.row(2)
    if late == "wait":
        world.pipeline.wait(run, "a token that timed out", "2026-01-01T00:00:00.000Z")
    else:
        world.pipeline.park(run)
    assert world.row(2) == before
