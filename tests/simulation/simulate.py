"""A run from a seed: the seed alone decides what is deployed, what is published and what goes wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from contract.state_machines import STARTED_MACHINES
from handlers.store.memory import Listener, MemoryTableStore
from local.scheduler import VIRTUAL_EPOCH
from local.states.definition.model import EXPRESS, STANDARD
from tests.simulation.command_line import Ran
from tests.simulation.plan import FaultPlan, ListedFaults, SeededFaults, rates
from tests.simulation.workload import Workload, entity_names
from tests.simulation.world import Setup, SimulatedWorld

#: Faults end so many virtual seconds after the start.
FAULTY_SECONDS = 2 * 3600.0
WORKFLOWS = tuple(STARTED_MACHINES)


R = TypeVar("R", bound=Ran)


@dataclass(frozen=True, kw_only=True)
class Outcome(Ran):
    """What a run of commands showed."""

    changes: int
    alarms: int
    repeats: tuple[str, ...]
    slowest_wake: float


def draw_setup(seed: int) -> Setup:
    """What is deployed in a run of this seed."""
    rng = random.Random(f"setup {seed}")
    return Setup(
        command_workflow=(STANDARD, EXPRESS)[seed % 2],
        status_detail=rng.choice(("full", "terminal")),
        lanes=rng.choice((1, 4, 10)),
        duplicate=rng.choice((0.0, 0.2)),
        delay=rng.choice((0.0, 2.0, 30.0)),
    )


def draw_mixed(seed: int) -> tuple[Setup, list[tuple[float, str]]]:
    """What is deployed first in a run of all three workflows, and when which of them is deployed next."""
    rng = random.Random(f"mixed {seed}")
    setup = replace(draw_setup(seed), command_workflow=rng.choice(WORKFLOWS))
    moments = sorted(rng.uniform(1.0, rng.choice((20.0, 600.0))) for _ in range(rng.choice((1, 2, 4))))
    return setup, [(moment, rng.choice(WORKFLOWS)) for moment in moments]


def draw_plan(seed: int) -> FaultPlan:
    """What goes wrong in a run of this seed."""
    rng = random.Random(f"plan {seed}")
    total = rng.choice((0.0, 0.0003, 0.001, 0.003, 0.01))
    begin = VIRTUAL_EPOCH + rng.uniform(0.0, 60.0)
    return SeededFaults(
        seed,
        rates(total),
        until=VIRTUAL_EPOCH + FAULTY_SECONDS,
        starts_throttled=(begin, begin + rng.choice((0.0, 5.0, 90.0, 1800.0))),
        # Few enough that every retry policy gets through, or as many as come.
        most_per_state=rng.choice((2, None)),
    )


def simulate(
    seed: int,
    *,
    entities: int | Sequence[str],
    versions: int,
    plan: FaultPlan | None = None,
    setup: Setup | None = None,
    everything_done: bool = False,
    switches: Sequence[tuple[float, str]] = (),
    memory: Callable[[Listener], MemoryTableStore] = MemoryTableStore,
    tell: bool = True,
    story_of: str | None = None,
) -> Outcome:
    """One run to its end, or to the first broken guarantee. ``switches``: seconds after the start, and the workflow
    that is deployed then. ``tell``: digest of the trace; ``story_of`` an entity.
    """
    began = time.perf_counter()
    plan = plan if plan is not None else draw_plan(seed)
    world = SimulatedWorld(seed, plan, setup or draw_setup(seed), memory=memory)
    names = entity_names(entities) if isinstance(entities, int) else entities
    Workload(world, seed, entities=names, versions=versions)
    for seconds, workflow in switches:
        world.scheduler.call_later(seconds, partial(world.switch, workflow))
    world.run()
    if not world.watcher.violations:
        world.watcher.at_rest(everything_done=everything_done)
    violations = tuple(world.watcher.violations)
    return Outcome(
        seed=seed,
        commands=sum(len(entity.rows) for entity in world.watcher.entities.values()),
        seconds=time.perf_counter() - began,
        violations=violations,
        faults=dict(getattr(plan, "met", {})),
        crossings=world.gate.crossings,
        changes=world.watcher.changes,
        alarms=sum(world.watcher.alarms.values()),
        repeats=tuple(world.watcher.repeats),
        slowest_wake=world.watcher.slowest_wake,
        digest=world.story.digest() if tell else "",
        story=world.story.tell(violations[0].entity if violations else story_of) if violations or story_of else "",
    )


def shrink(
    failed: Outcome,
    *,
    entities: int,
    versions: int,
    memory: Callable[[Listener], MemoryTableStore] = MemoryTableStore,
) -> tuple[Outcome, list[str]]:
    """Leave out entities and faults as long as a guarantee of the same kind is broken. The rest, and its entities."""
    first = failed.violations[0]
    names, faults, best = entity_names(entities), dict(failed.faults), failed

    def still(entity_list: list[str], listed: dict[str, str]) -> Outcome | None:
        plan = ListedFaults(listed)
        again = simulate(failed.seed, entities=entity_list, versions=versions, plan=plan, memory=memory)
        return again if any(one.guarantee == first.guarantee for one in again.violations) else None

    if (alone := still([first.entity], faults)) is not None:
        names, best = [first.entity], alone
    if (same := still(names, faults)) is not None:
        best, faults = same, dict(same.faults)
    else:
        return best, names  # it needs faults that only a seed brings (a window of throttled starts)
    return fewest(best, lambda kept: still(names, kept)), names


def fewest(failed: R, still: Callable[[dict[str, str]], R | None]) -> R:
    """Leave out faults, half of them, a quarter and so on, as long as ``still`` gives a run that fails."""
    best, faults = failed, dict(failed.faults)
    step = max(len(faults) // 2, 1)
    while step and faults:
        removed = False
        for start in range(0, len(faults), step):
            kept = dict(list(faults.items())[:start] + list(faults.items())[start + step :])
            if (smaller := still(kept)) is not None:
                best, faults, removed = smaller, kept, True
                break
        if not removed:
            step //= 2
    return best
