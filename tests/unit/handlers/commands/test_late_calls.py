"""Calls that were believed dead and come late, found by the simulation."""

from __future__ import annotations

from handlers.commands.model import Command
from handlers.commands.pipeline.run import Run
from tests.support.pipelines import World, order


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
