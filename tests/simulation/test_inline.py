"""INLINE: faults from a seed with the three workflows mixed, fall-back at every call, two consumers, bursts, poison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from contract.command_status import DONE
from contract.functions import APPLY
from contract.state_machines import INLINE, STARTED_MACHINES
from handlers.commands.model import CommandInput
from local.sources.streams import StreamSource
from tests.simulation import deployment
from tests.simulation.__main__ import replay_command, summary, work_of
from tests.simulation.command_line import run_seeds
from tests.simulation.one_fault import ENTITY, final_state, places, run, run_with
from tests.simulation.plan import NoFaults
from tests.simulation.simulate import draw_mixed, draw_plan, draw_setup, simulate
from tests.simulation.sites import ANSWER_LOST, CONFLICT, CRASH, INVOKE, THROTTLE, current_visit
from tests.simulation.workload import CONTEXT, Workload, entity_names
from tests.simulation.world import Setup, SimulatedWorld

ENTITIES, VERSIONS = 5, 6
BURST = 200


@pytest.mark.parametrize("seed", range(30))
def test_ord_14_the_guarantees_hold_under_faults(seed: int) -> None:
    setup = replace(draw_setup(seed), command_workflow=INLINE)
    outcome = simulate(seed, entities=ENTITIES, versions=VERSIONS, setup=setup)
    assert not outcome.violations, outcome.report(replay_command(seed, ENTITIES, VERSIONS))


@pytest.mark.parametrize("seed", range(100, 108))
def test_ord_14_without_faults_everything_is_done_without_alarm(seed: int) -> None:
    setup = replace(draw_setup(seed), command_workflow=INLINE)
    outcome = simulate(seed, entities=4, versions=5, plan=NoFaults(), setup=setup, everything_done=True)
    assert not outcome.violations, outcome.report(replay_command(seed, 4, 5))
    assert (outcome.faults, outcome.alarms) == ({}, 0)
    assert outcome.slowest_wake < 2


@pytest.mark.parametrize("seed", range(36))
def test_inl_02_three_workflows_mixed_and_switched_under_way(seed: int) -> None:
    setup, switches = draw_mixed(seed)
    outcome = simulate(seed, entities=ENTITIES, versions=VERSIONS, setup=setup, switches=switches)
    assert not outcome.violations, outcome.report(replay_command(seed, ENTITIES, VERSIONS, mixed=True))


def test_inl_02_the_mix_has_every_workflow_and_switch() -> None:
    drawn = [draw_mixed(seed) for seed in range(12)]  # of the ordinary run
    orders = [[setup.command_workflow, *(workflow for _, workflow in switches)] for setup, switches in drawn]
    pairs = {pair for order in orders for pair in pairwise(order)}
    assert len({one for one in pairs if one[0] != one[1]}) == len(STARTED_MACHINES) * (len(STARTED_MACHINES) - 1)


@pytest.mark.slow
def test_inl_02_a_thousand_seeds_of_200_commands(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_seeds(work_of(20, 10, mixed=True), range(1000), 2)
    with capsys.disabled():
        print(f"\n{summary(outcomes, sum(one.seconds for one in outcomes) / 2, 2)}")
    broken = [one for one in outcomes if one.violations]
    assert not broken, "\n".join(
        f"{one.violations[0]}: {replay_command(one.seed, 20, 10, mixed=True)}" for one in broken
    )


@pytest.mark.parametrize("detail", ["terminal", pytest.param("full", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [THROTTLE, CONFLICT, ANSWER_LOST])
def test_inl_03_falls_back_at_every_call(kind: str, detail: str) -> None:
    """A machine goes on at once: nobody waits for a sweep. Only what follows DONE needs no machine."""
    setup = Setup(command_workflow=INLINE, status_detail=detail)
    expected = final_state(run(NoFaults(), setup))
    handed_over = 0
    for site, _ in places(setup, (kind,)):
        world, plan = run_with(site, kind, setup)
        assert plan.met == {site: kind}
        assert not world.violations, f"{kind} at {site}\n{world.violations}\n{world.story.tell()}"
        assert final_state(world) == expected, f"{kind} at {site}\n{world.story.tell()}"
        assert world.watcher.seconds_until_done < 60, f"{kind} at {site}\n{world.story.tell()}"
        handed_over += any(line.what.startswith("starts execution") for line in world.story.lines)
    assert handed_over >= 8


@dataclass
class Poison:
    """The process dies at each call for one entity's target, in whichever function."""

    entity: str

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        of_inline = site.startswith(f"{self.entity}@0 apply(mail)")
        return CRASH if of_inline or site.startswith(f"{self.entity}@1 sync_data(mail)") else None


def publish(world: SimulatedWorld, *codes: str, versions: int = 1) -> None:
    """By one caller, without faults of its own."""
    publisher = world.publisher()

    def publish_all() -> None:
        current_visit.set(world.visit("", 0, "caller"))
        for version in range(versions):
            for code in codes:
                given = CommandInput("ORDER", code, f"v{version + 1}", {"n": version + 1}, version)
                assert publisher.publish_async(given, CONTEXT) is not None

    world.spawn(publish_all, "caller")


@pytest.mark.parametrize("seed", range(6))
def test_inl_04_a_command_that_ends_the_process_keeps_back_nobody(seed: int) -> None:
    """The batch comes again, the machine takes the command whose claim it finds, and all others are applied."""
    world = SimulatedWorld(seed, Poison("bad"), Setup(command_workflow=INLINE, lanes=1))
    codes = ["good1", "good2", "bad", "good3", "good4"]
    publish(world, *codes)
    world.run()
    assert not world.watcher.violations, f"{world.violations}\n{world.story.tell()}"
    world.watcher.at_rest()
    assert not world.watcher.violations, f"{world.violations}\n{world.story.tell()}"
    entities = world.watcher.entities
    assert {code: entities[code].rows[1]["status"] for code in codes if code != "bad"} == dict.fromkeys(
        ["good1", "good2", "good3", "good4"], DONE
    )
    row = entities["bad"].rows[1]
    assert (row["status"], row["error"]["type"]) == ("sync_data:FAILED", "Runtime.ExitError")
    assert list(world.watcher.alarms) == ["TENANT#t1#ORDER#bad@0000000001#1"]
    assert world.discarded == []


@dataclass
class DeadConsumer:
    """Every call of the function ends at once, for good."""

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        return CRASH if category == INVOKE and site.startswith("@0 apply#") else None


def test_dup_08_a_consumer_that_dies_at_each_call_leaves_all_to_the_sweeper() -> None:
    setup = Setup(command_workflow=INLINE)
    world = run(DeadConsumer(), setup)
    assert not world.watcher.violations, f"{world.violations}\n{world.story.tell()}"
    assert len(world.discarded) > 0
    assert final_state(world) == final_state(run(NoFaults(), setup))


@pytest.mark.parametrize(("seed", "lanes"), [(1, 1), (2, 1), (3, 4), (4, 10)])
def test_inl_05_two_hundred_versions_of_one_entity_in_one_burst(seed: int, lanes: int) -> None:
    world = SimulatedWorld(seed, NoFaults(), Setup(command_workflow=INLINE, lanes=lanes))
    publish(world, ENTITY, versions=BURST)
    world.run()
    world.watcher.at_rest(everything_done=True)
    assert not world.watcher.violations, f"{world.violations}\n{world.story.tell(most=60)}"
    effects = world.watcher.entities[ENTITY].effects
    assert effects == {target: list(range(1, BURST + 1)) for target in ("mail", "search")}
    assert sorted(world.watcher.entities[ENTITY].history) == list(range(1, BURST))
    assert world.watcher.seconds_until_done < 120


@pytest.mark.parametrize("seed", range(16))
def test_inl_07_two_consumers_on_each_entity(seed: int) -> None:
    """Worse than a split of a shard, where a record comes to one of the two: here each comes to both."""
    setup = replace(draw_setup(seed), command_workflow=INLINE)
    world = SimulatedWorld(seed, draw_plan(seed) if seed % 2 else NoFaults(), setup)
    mapping = deployment.stream_mappings(1 + seed % 4, INLINE)[0]
    world.streams.append(
        StreamSource(
            world.scheduler,
            replace(mapping, id="other-half"),
            world,
            world.host,
            lambda _, message: None,
            function_arn=deployment.function_arn(APPLY),
            faults=world.delivery,
        )
    )
    Workload(world, seed, entities=entity_names(4), versions=5)
    world.run()
    if not world.watcher.violations:
        world.watcher.at_rest(everything_done=not seed % 2)
    first = world.watcher.violations[0].entity if world.watcher.violations else ""
    assert not world.watcher.violations, f"{world.violations[0]}\n{world.story.tell(first)}"
