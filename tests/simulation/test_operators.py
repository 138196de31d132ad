"""Operators between the faults: redrives until all is DONE, and a switch of the workflow under way."""

from __future__ import annotations

from itertools import permutations

import pytest

from local.scheduler import VIRTUAL_EPOCH
from tests.simulation.operator import Operator
from tests.simulation.plan import NoFaults, SeededFaults, rates
from tests.simulation.simulate import WORKFLOWS
from tests.simulation.sites import ABORT, PERMANENT
from tests.simulation.workload import Workload, entity_names
from tests.simulation.world import Setup, SimulatedWorld


@pytest.mark.parametrize("seed", range(12))
def test_ord_14_ops_02_redrive_brings_everything_through(seed: int) -> None:
    """Many commands fail for good or lose their execution; once the faults end, all are DONE, in order."""
    wanted = {**rates(0.002), PERMANENT: 0.1, ABORT: 0.01}
    plan = SeededFaults(seed, wanted, until=VIRTUAL_EPOCH + 7200)
    world = SimulatedWorld(seed, plan, Setup(command_workflow=WORKFLOWS[seed % 3], lanes=4))
    operator = Operator(world)
    Workload(world, seed, entities=entity_names(4), versions=5)
    world.run()
    if not world.watcher.violations:
        world.watcher.at_rest(everything_done=True)
    first = world.watcher.violations[0].entity if world.watcher.violations else ""
    assert not world.watcher.violations, f"{world.violations[0]}\n{world.story.tell(first)}"
    attempts = [row["attempt"] for entity in world.watcher.entities.values() for row in entity.rows.values()]
    assert operator.redrives > 0
    assert max(attempts) > 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("before", "after"), list(permutations(WORKFLOWS, 2)))
def test_ops_07_the_workflow_is_switched_with_100_commands_in_flight(before: str, after: str, seed: int) -> None:
    world = SimulatedWorld(seed, NoFaults(), Setup(command_workflow=before, lanes=4, delay=20.0))
    Workload(world, seed, entities=entity_names(10), versions=10)
    open_at_switch: list[int] = []

    def switch() -> None:
        world.scheduler.sleep(5.0)
        open_at_switch.append(world.watcher.open_commands)
        world.switch(after)

    world.spawn(switch, "operator")
    world.run()
    if not world.watcher.violations:
        world.watcher.at_rest(everything_done=True)
    first = world.watcher.violations[0].entity if world.watcher.violations else ""
    assert not world.watcher.violations, f"{world.violations[0]}\n{world.story.tell(first)}"
    assert open_at_switch[0] >= 30
    assert world.watcher.alarms == {}
    assert world.watcher.slowest_wake < 2
