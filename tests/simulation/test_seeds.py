"""ORD-14: random interleavings and faults, all of them from a seed."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.simulation.__main__ import replay_command, summary, work_of
from tests.simulation.command_line import run_seeds
from tests.simulation.plan import NoFaults
from tests.simulation.simulate import draw_setup, simulate
from tests.simulation.sites import ANSWER_LOST

ENTITIES, VERSIONS = 5, 6
#: Commands per second and process that make the long run end in time (issue 3).
NEEDED_RATE = 85


@pytest.mark.parametrize("seed", range(50))
def test_ord_14_guarantees_hold_under_faults(seed: int) -> None:
    outcome = simulate(seed, entities=ENTITIES, versions=VERSIONS)
    assert outcome.commands >= ENTITIES * VERSIONS
    assert not outcome.violations, outcome.report(replay_command(seed, ENTITIES, VERSIONS))


@pytest.mark.parametrize("seed", range(100, 112))
def test_ord_14_without_faults_everything_is_done_without_alarm(seed: int) -> None:
    outcome = simulate(seed, entities=4, versions=5, plan=NoFaults(), everything_done=True)
    assert not outcome.violations, outcome.report(replay_command(seed, 4, 5))
    assert (outcome.faults, outcome.alarms) == ({}, 0)
    # Nobody waits for a poll or a sweep: the predecessor's finish wakes its successor, or it sees for itself.
    assert outcome.slowest_wake < 2


def test_edge_17_a_restart_that_took_effect_though_its_start_got_an_error_stays_counted() -> None:
    """One violation in a million commands: the restart was taken back, and a late stream record started the first."""
    outcome = simulate(104_997, entities=12, versions=8, tell=False)
    assert not outcome.violations, outcome.report(replay_command(104_997, 12, 8))
    assert outcome.faults["e06@8 start#1.1"] == ANSWER_LOST


@pytest.mark.parametrize("seed", range(100, 104))
def test_edge_65_without_faults_and_duplicates_each_outcome_is_sent_once(seed: int) -> None:
    setup = replace(draw_setup(seed), duplicate=0.0)
    outcome = simulate(seed, entities=3, versions=4, plan=NoFaults(), setup=setup)
    assert not outcome.violations, outcome.report(replay_command(seed, 3, 4))
    assert (outcome.faults, outcome.repeats) == ({}, ())


def test_the_faults_are_met() -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    kinds = {kind for seed in (4, 6) for kind in simulate(seed, entities=5, versions=4).faults.values()}
    assert len(kinds) >= 10, kinds


@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first, second = (simulate(seed, entities=4, versions=4) for _ in range(2))
    assert first.digest == second.digest
    assert first.faults == second.faults
    assert simulate(seed + 1, entities=4, versions=4).digest != first.digest


@pytest.mark.slow
def test_ord_14_two_hundred_thousand_commands(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    outcomes = run_seeds(work_of(20, 10), range(1000), 2)
    seconds = time.perf_counter() - began
    with capsys.disabled():
        print(f"\n{summary(outcomes, seconds, 2)}")
    broken = [one for one in outcomes if one.violations]
    assert not broken, "\n".join(f"{one.violations[0]}: {replay_command(one.seed, 20, 10)}" for one in broken)
    assert sum(one.commands for one in outcomes) / seconds > 2 * NEEDED_RATE
