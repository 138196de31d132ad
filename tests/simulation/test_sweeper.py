"""DUP-08: what a crash or a lost message left is found in ``open``, and finishes."""

from __future__ import annotations

import pytest

from contract.state_machines import EXPRESS, INLINE, STANDARD
from tests.simulation.one_fault import Recorder, final_state, places, run, run_sync, run_with
from tests.simulation.plan import ListedFaults, NoFaults, SeededFaults
from tests.simulation.sites import ABORT, ANSWER_LOST, CRASH, CRASH_AFTER, KINDS, THROTTLE
from tests.simulation.world import Setup
from tests.support.parts import IN_PARTS, part_of

BEGIN = 1_767_225_600.0
BOTH = pytest.mark.parametrize("workflow", [STANDARD, EXPRESS])


@BOTH
def test_dup_08_a_start_that_was_lost(workflow: str) -> None:
    """StartExecution is throttled for longer than the stream's retries: the records go to the on-failure queue."""
    setup = Setup(command_workflow=workflow)
    world = run(SeededFaults(1, {}, until=BEGIN + 7200, starts_throttled=(BEGIN, BEGIN + 900)), setup)
    assert len(world.discarded) > 0
    assert world.violations == []
    assert final_state(world) == final_state(run(NoFaults(), setup))


@IN_PARTS
def test_dup_08_an_express_execution_killed_at_each_call(part: int) -> None:
    """No rule tells of it; the sweeper starts another."""
    setup = Setup(command_workflow=EXPRESS)
    expected = final_state(run(NoFaults(), setup))
    found = [(site, kind) for site, kind in places(setup, (ABORT,)) if site.startswith("o1@")]
    assert len(found) > 20
    for site, kind in part_of(found, part):
        world, plan = run_with(site, kind, setup)
        assert plan.met == {site: kind}
        assert not world.violations, f"{site}\n{world.violations}\n{world.story.tell()}"
        assert final_state(world) == expected, f"{site}\n{world.story.tell()}"


@IN_PARTS
def test_dup_08_a_standard_execution_killed_at_each_call(part: int) -> None:
    """The rule writes FAILED (NotRunning) with an alarm, unless the outcome is stored already."""
    setup = Setup()
    for site, kind in part_of(places(setup, (ABORT,)), part):
        world, _ = run_with(site, kind, setup)
        assert not world.violations, f"{site}\n{world.violations}\n{world.story.tell()}"
        rows = [row for entity in world.watcher.entities.values() for row in entity.rows.values()]
        assert {row["error"]["type"] for row in rows if "error" in row} <= {"NotRunning", "WaitExpired", "Refused"}


@pytest.mark.parametrize("workflow", [STANDARD, EXPRESS, INLINE])
def test_dup_08_pub_12_publish_sync_died_at_each_call(workflow: str) -> None:
    setup = Setup(command_workflow=workflow)
    recorder = Recorder()
    done = run_sync(recorder, setup)
    assert [row["status"] for row in done.watcher.entities["o1"].rows.values()] == ["finish:FINISHED"]
    died = 0
    for site, category in recorder.sites.items():
        for kind in (CRASH, CRASH_AFTER, THROTTLE, ANSWER_LOST):
            if kind not in KINDS[category] or "sync_caller" not in site:
                continue
            world = run_sync(ListedFaults({site: kind}), setup)
            assert not world.violations, f"{kind} at {site}\n{world.violations}\n{world.story.tell()}"
            died += len(world.watcher.entities.get("o1", done.watcher.entities["o1"]).rows)
    assert died > 20
