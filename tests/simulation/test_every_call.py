"""DUP and PIPE scenarios: one fault at each call of each state in turn, exhaustively."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import Any

import pytest

from contract.state_machines import EXPRESS, INLINE, STANDARD, STARTED_MACHINES
from tests.simulation.one_fault import EveryCall, final_state, function_sites, places, run, run_with
from tests.simulation.plan import ListedFaults, NoFaults, SeededFaults
from tests.simulation.sites import (
    ANSWER_LOST,
    CONFLICT,
    CRASH,
    CRASH_AFTER,
    HANG,
    INVOKE,
    LONG_HANG,
    LOST,
    PUBLISH,
    REFUSED,
    SDK_RETRY,
    SLOW,
    SLUGGISH,
    THROTTLE,
    TWICE,
    TWICE_LATE,
)
from tests.simulation.world import Setup, SimulatedWorld
from tests.support.parts import IN_PARTS, PARTS, part_of

SETUPS = {
    f"{workflow}-{detail}": Setup(command_workflow=workflow, status_detail=detail)
    for workflow in STARTED_MACHINES
    for detail in ("full", "terminal")
}
#: The successor's way up to its wait; with INLINE the second entity of a batch is the second visit.
WAITING = r"o1@2 (start|check_version|wait_prev_command|park)#1\.|o1@0 apply#2\."
#: The three defaults always, the others in the long runs.
DEPLOYED = pytest.mark.parametrize(
    "deployed",
    [
        "STANDARD-full",
        "EXPRESS-terminal",
        "INLINE-terminal",
        pytest.param("STANDARD-terminal", marks=pytest.mark.slow),
        pytest.param("EXPRESS-full", marks=pytest.mark.slow),
        pytest.param("INLINE-full", marks=pytest.mark.slow),
    ],
)
STATES = {"check_version", "set_ttl_command", "history_copy", "transform_data", "sync_data(data)", "sync_data(mail)"}
STATES |= {"finish", "record_failure"}
VISITED = {
    STANDARD: STATES | {"wait_prev_command"},
    EXPRESS: STATES | {"park"},
    INLINE: {"apply", "apply(mail)", "apply(search)"},
}


@cache
def expected(deployed: str) -> dict[str, Any]:
    """The end without faults."""
    world = run(NoFaults(), SETUPS[deployed])
    assert world.violations == []
    return final_state(world)


def assert_same_end(world: SimulatedWorld, deployed: str, what: str) -> None:
    story = "\n".join([what, *world.violations, world.story.tell()])
    assert not world.violations, story
    assert final_state(world) == expected(deployed), story


def assert_same_end_everywhere(
    deployed: str, kinds: tuple[str, ...], part: int, *, slowest_wake: float | None = None
) -> None:
    found = places(SETUPS[deployed], kinds)
    assert {kind for _, kind in found} == set(kinds)
    # One call sends the alarm: it comes in each part.
    alarms = {site for site, category in function_sites(SETUPS[deployed]).items() if category == PUBLISH}
    for site, kind in dict.fromkeys([*part_of(found, part), *(one for one in found if one[0] in alarms)]):
        world, plan = run_with(site, kind, SETUPS[deployed])
        assert plan.met == {site: kind}, f"the run never came to {site}"
        assert_same_end(world, deployed, f"{kind} at {site}")
        if slowest_wake is not None:
            assert world.watcher.slowest_wake <= slowest_wake, f"{kind} at {site}\n{world.story.tell()}"


@DEPLOYED
def test_the_scenario_has_every_state_and_ends_as_designed(deployed: str) -> None:
    end = expected(deployed)
    assert end["data"] == (2, {"n": 2})
    assert end["history"] == {1: {"n": 1}}
    assert end["effects"] == {"mail": [1, 2], "search": [1, 2]}
    assert end["targets"] == {version: ["data", "mail", "search"] for version in (1, 2)}
    assert [row[0] for row in end["o1"].values()] == ["finish:FINISHED"] * 2
    assert [(row[0], row[2]) for row in end["o2"].values()] == [("sync_data:FAILED", "Refused")]
    assert end["alarms"] == ["TENANT#t1#ORDER#o2@0000000001#1"]
    visited = {site.partition(" ")[2].partition("#")[0] for site in function_sites(SETUPS[deployed])}
    assert visited >= VISITED[SETUPS[deployed].command_workflow]


@DEPLOYED
@pytest.mark.parametrize("kind", [TWICE, TWICE_LATE])
def test_dup_02_every_lambda_call_is_delivered_twice(deployed: str, kind: str) -> None:
    assert_same_end(run(EveryCall(INVOKE, kind), SETUPS[deployed]), deployed, kind)


@IN_PARTS
@DEPLOYED
def test_dup_02_each_lambda_call_is_delivered_twice_or_refused(deployed: str, part: int) -> None:
    assert_same_end_everywhere(deployed, (TWICE, TWICE_LATE, REFUSED), part)


@IN_PARTS
@DEPLOYED
def test_dup_03_a_crash_before_and_after_each_call(deployed: str, part: int) -> None:
    assert_same_end_everywhere(deployed, (CRASH, CRASH_AFTER), part)


@IN_PARTS
@DEPLOYED
def test_dup_03_an_answer_lost_after_each_call_and_the_sdk_s_own_repeat(deployed: str, part: int) -> None:
    assert_same_end_everywhere(deployed, (ANSWER_LOST, SDK_RETRY), part)


@IN_PARTS
@DEPLOYED
def test_dup_04_throttling_on_each_call(deployed: str, part: int) -> None:
    assert_same_end_everywhere(deployed, (THROTTLE, CONFLICT), part)


@IN_PARTS
@DEPLOYED
def test_pipe_14_a_zombie_at_each_call_of_every_state(deployed: str, part: int) -> None:
    """Its function ran out of time; the call comes 40 s later, or 400 s later, when the lease has ended too."""
    assert_same_end_everywhere(deployed, (HANG, LONG_HANG), part)


@pytest.mark.parametrize("deployed", ["STANDARD-full", "STANDARD-terminal"])
def test_ord_12_each_resume_is_lost(deployed: str) -> None:
    for part in range(PARTS):
        assert_same_end_everywhere(deployed, (LOST,), part)


@IN_PARTS
@DEPLOYED
def test_ord_06_07_a_slow_call_at_any_point_delays_no_successor(deployed: str, part: int) -> None:
    """Neither half of the handshake may need the poll or the sweeper, wherever one side is held up for 3 s."""
    assert_same_end_everywhere(deployed, (SLOW,), part, slowest_wake=5)


@DEPLOYED
def test_ord_06_07_slow_calls_on_both_sides_delay_no_successor(deployed: str) -> None:
    """Each call of finish(v1) against each call of v2 up to its wait, one held up longer than the other."""
    sites = [site for site, kind in places(SETUPS[deployed], (SLOW,))]
    finish = [site for site in sites if site.startswith(("o1@1 finish#1.", "o1@0 apply#1."))]
    wait = [site for site in sites if re.match(WAITING, site)]
    assert len(finish) * len(wait) >= 12
    for kinds in ((SLOW, SLUGGISH), (SLUGGISH, SLOW)):
        for pair in product(finish, wait):
            world = run(ListedFaults(dict(zip(pair, kinds, strict=True))), SETUPS[deployed])
            assert_same_end(world, deployed, f"{kinds} at {pair}")
            assert world.watcher.slowest_wake <= 5, f"{kinds} at {pair}\n{world.story.tell()}"


@pytest.mark.parametrize("deployed", ["STANDARD-full", "EXPRESS-terminal"])
@pytest.mark.parametrize("seconds", [5.0, 60.0, 240.0])
def test_dup_07_starts_are_throttled_for_a_while(deployed: str, seconds: float) -> None:
    begin = 1_767_225_600.0
    plan = SeededFaults(1, {}, until=begin + 7200, starts_throttled=(begin, begin + seconds))
    world = run(plan, SETUPS[deployed])
    assert plan.met
    assert world.discarded == []
    assert_same_end(world, deployed, "StartExecution throttled")
    names = [line.what for line in world.story.lines if line.what.startswith("starts execution")]
    assert len(set(names)) == 3
    # A parked command is started again under its name, which EXPRESS allows.
    assert len(names) == 3 or SETUPS[deployed].command_workflow == EXPRESS
