"""The sweeper on in-memory ports: what it finds in the ``open`` index, and what it does about it."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.run import Run
from handlers.commands.pipeline.successor import Waker
from handlers.commands.starter import START_GRACE_SECONDS, CommandStarter, execution_name
from handlers.commands.sweeper import MAX_RESTARTS, RESCHEDULE_SECONDS
from handlers.core.errors import TransientError, TransientThrottle
from handlers.store.open_rows import SweepReport
from handlers.store.port import COMMANDS, Change
from tests.support.pipelines import KEY, LEASE_SECONDS, MACHINE, World, order

DUE = START_GRACE_SECONDS + 1


@pytest.fixture
def world() -> World:
    return World(detail="terminal")


def sweep(world: World, *, after: float = 0) -> SweepReport:
    world.clock.advance(after)
    return world.sweeper.sweep(world.clock.now() + 60)


def name_of(row: dict[str, Any], restart: int) -> str:
    return execution_name(row["pk"], row["sk"], row["id"], row["attempt"], restart)


def test_dup_08_a_lost_start_is_started_under_a_name_of_its_own(world: World) -> None:
    world.publish(order(0, n=1))
    assert sweep(world).outcomes == {}
    assert sweep(world, after=DUE).outcomes == {"restarted": 1}
    assert list(world.workflows.started) == [(MACHINE, name_of(world.row(1), 1))]
    assert world.row(1)["restart"] == 1
    assert sweep(world).outcomes == {}


def test_a_command_that_no_execution_finishes_fails_with_an_alarm(world: World) -> None:
    world.publish(order(0, n=1))
    for count in range(MAX_RESTARTS):
        assert sweep(world, after=DUE).outcomes == {"restarted": 1}
        assert world.row(1)["restart"] == count + 1
    assert sweep(world, after=DUE).outcomes == {"failed": 1}
    row = world.row(1)
    assert row["status"] == "check_version:FAILED"
    assert row["error"]["type"] == "NotRunning"
    assert len(world.alarms.messages) == 1
    assert sweep(world, after=DUE).outcomes == {}


def test_a_start_that_is_throttled_does_not_count(world: World) -> None:
    world.publish(order(0, n=1))
    world.workflows.refuse_starts = True
    for _ in range(MAX_RESTARTS + 3):
        assert sweep(world, after=DUE).errors == 1
        assert world.row(1)["restart"] == 0
    world.workflows.refuse_starts = False
    assert sweep(world, after=RESCHEDULE_SECONDS).outcomes == {"restarted": 1}
    assert list(world.workflows.started) == [(MACHINE, name_of(world.row(1), 1))]


@pytest.mark.parametrize("error", [TransientError("no answer"), TransientThrottle("InternalFailure")])
def test_edge_17_a_start_whose_answer_is_lost_stays_counted(world: World, error: TransientError) -> None:
    """The stream's record comes late: it finds the restart counted, and both executions have a name of their own."""
    world.publish(order(0, n=1))
    world.workflows.lost_answer = error
    assert sweep(world, after=DUE).errors == 1
    assert world.row(1)["restart"] == 1
    assert list(world.workflows.started) == [(MACHINE, name_of(world.row(1), 1))]

    assert sweep(world, after=RESCHEDULE_SECONDS).outcomes == {}
    world.workflows.lost_answer = None
    assert sweep(world, after=DUE).outcomes == {"restarted": 1}
    assert list(world.workflows.started) == [(MACHINE, name_of(world.row(1), number)) for number in (1, 2)]


def test_edge_17_answers_that_are_always_lost_end_with_an_alarm(world: World) -> None:
    world.publish(order(0, n=1))
    world.workflows.lost_answer = TransientError("no answer")
    for count in range(MAX_RESTARTS):
        assert sweep(world, after=DUE).errors == 1
        assert world.row(1)["restart"] == count + 1
    assert sweep(world, after=DUE).outcomes == {"failed": 1}
    assert len(world.alarms.messages) == 1


def test_a_live_claim_is_left_alone_and_a_dead_one_taken_over(world: World) -> None:
    run = world.publish(order(0, n=1))
    world.clock.advance(DUE - 1)
    world.pipeline.check_version(run, first_entry=True)
    assert sweep(world, after=1).outcomes == {"running": 1}
    assert sweep(world, after=LEASE_SECONDS + 1).outcomes == {"restarted": 1}
    again = Run(run.key, run.id, 1, "restarted execution")
    world.apply(again)
    assert world.row(1)["status"] == "finish:FINISHED"


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_ord_18_a_tail_that_finish_could_not_complete(detail: str) -> None:
    world = World(detail=detail)
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    assert world.pipeline.park(second) == {"result": 1}
    world.pipeline.check_version(first, first_entry=True)
    world.pipeline.progress.done(first)
    assert world.workflows.started == {}
    assert sweep(world, after=DUE).outcomes["tail completed"] == 1
    assert [payload["sk"] for payload in world.workflows.started.values()] in ([second.key.sk], [second.key.sk] * 2)
    assert world.row(1)["status"] == "finish:FINISHED"
    assert "openShard" not in world.row(1)


def test_an_alarm_that_a_crash_swallowed_is_repeated_once(world: World) -> None:
    run = world.publish(order(0, n=1))
    world.pipeline.progress.fail(run, "sync_data", {"type": "X", "message": "m", "state": "sync_data"})
    assert sweep(world, after=DUE).outcomes == {"alarm repeated": 1}
    assert [one["content"]["errorMessage"] for one in world.alarms.messages] == ["sync_data failed: X"]
    assert "alarmedAt" in world.row(1)
    assert sweep(world, after=DUE).outcomes == {}


def test_ops_05_parked_behind_a_done_predecessor_is_restarted(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.pipeline.park(second)
    world.workflows.refuse_starts = True  # the start that finish made got lost
    with pytest.raises(TransientThrottle):
        world.apply(first)
    world.workflows.refuse_starts = False
    world.pipeline.progress.tail_finished(first)
    assert sweep(world, after=DUE).outcomes == {"restarted": 1}
    assert (MACHINE, name_of(world.row(2), 1)) in world.workflows.started


def test_waiting_behind_an_open_predecessor_is_no_restart(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.pipeline.check_version(first, first_entry=True)
    world.pipeline.park(second)
    for _ in range(MAX_RESTARTS + 3):
        world.clock.advance(DUE)
        world.pipeline.claim(first, world.row(1))
        assert sweep(world).outcomes == {"running": 1, "waiting": 1}
    assert world.row(2).get("restart", 0) == 0


def test_a_start_lost_behind_an_open_predecessor_is_parked(world: World) -> None:
    first = world.publish(order(0, n=1))
    world.publish(order(1, n=2))
    world.clock.advance(DUE)
    world.pipeline.check_version(first, first_entry=True)
    assert sweep(world).outcomes == {"running": 1, "waiting": 1}
    assert world.row(2)["status"] == "wait_prev_command:STARTED"
    world.apply(first)
    assert (MACHINE, name_of(world.row(2), 0)) in world.workflows.started


def test_a_lost_resume_is_sent_again(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.workflows.open_tokens.add("t2")
    world.pipeline.wait(second, "t2", "2026-01-01T00:00:00.000Z")
    world.pipeline.check_version(first, first_entry=True)
    world.pipeline.progress.done(first)
    world.pipeline.progress.tail_finished(first)  # the resume between the two got lost
    assert sweep(world, after=DUE).outcomes == {"woken": 1}
    assert [token for token, _ in world.workflows.resumed] == ["t2"]
    assert sweep(world, after=RESCHEDULE_SECONDS).outcomes == {"restarted": 1}


def test_a_parked_command_without_predecessor_fails_as_a_gap(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.pipeline.park(second)
    del world.memory._items[COMMANDS, KEY.pk, VersionKey(KEY, 1).sk]
    world.memory._open.clear()
    world.memory._index(COMMANDS, (KEY.pk, second.key.sk), None, world.row(2))
    assert first.key.version == 1
    assert sweep(world, after=DUE).outcomes == {"failed": 1}
    assert world.row(2)["error"]["type"] == "VersionGap"


def test_ord_11_waits_expire_behind_a_failed_command_with_one_alarm(world: World) -> None:
    first = world.publish(order(0, n=1))
    waiting = [world.publish(order(version, n=version + 1)) for version in range(1, 51)]
    world.pipeline.check_version(first, first_entry=True)
    world.pipeline.record_failure(first, world.failure("OutOfStock"))
    for run in waiting:
        world.pipeline.park(run)
    while any("openShard" in world.row(run.key.version) for run in waiting):
        assert sweep(world, after=25 * 3600).errors == 0
    rows = [world.row(run.key.version) for run in waiting]
    assert {row["error"]["type"] for row in rows} == {"WaitExpired"}
    keys = [first.key.sk, *(run.key.sk for run in waiting)]
    for position, row in enumerate(rows, start=1):  # the one before, or what that one waited for
        assert row["error"]["blockedBy"] in keys[:position]
    assert all("alarmedAt" in row and "openShard" not in row for row in rows)
    assert [one["sk"] for one in world.alarms.messages] == [first.key.sk]


def test_a_row_that_raises_does_not_keep_back_the_others(world: World) -> None:
    world.publish(order(0, code="a", n=1))
    bad = world.publish(order(0, code="b", n=1))
    world.store.update(COMMANDS, bad.key.pk, bad.key.sk, Change(set={"updatedAt": "yesterday"}))
    report = sweep(world, after=DUE)
    assert (report.errors, report.outcomes) == (1, {"restarted": 1})


def test_the_age_of_the_oldest_open_command(world: World) -> None:
    world.publish(order(0, code="a", n=1))
    world.clock.advance(1000)
    world.publish(order(0, code="b", n=1))
    assert sweep(world, after=DUE).oldest_seconds == pytest.approx(1000 + DUE, abs=1)


def test_a_sweep_without_time_left_says_so_and_starts_elsewhere_next_time(world: World) -> None:
    world.publish(order(0, n=1))
    world.clock.advance(DUE)
    report = world.sweeper.sweep(world.clock.now())
    assert not report.complete
    assert report.outcomes == {}
    assert sweep(world).outcomes == {"restarted": 1}


@pytest.mark.parametrize(
    ("lease_left", "due_in"), [(RESCHEDULE_SECONDS + 40, RESCHEDULE_SECONDS + 40), (5, RESCHEDULE_SECONDS)]
)
def test_edge_65_a_running_command_is_looked_at_again_behind_its_lease(
    world: World, lease_left: int, due_in: int
) -> None:
    """Not before the others: else a short sweep would see the same ones each time."""
    run = world.publish(order(0, n=1))
    world.clock.advance(DUE)
    world.pipeline.check_version(run, first_entry=True)
    now = int(world.clock.now())
    world.store.update(COMMANDS, run.key.pk, run.key.sk, Change(set={"leaseUntil": now + lease_left}))
    assert sweep(world).outcomes == {"running": 1}
    assert world.row(1)["dueAt"] == now + due_in


def test_edge_63_nobody_is_resumed_without_a_token(world: World) -> None:
    """Step Functions refuses a call without one; the command that waits without a token is parked."""
    asked: list[object] = []
    world.workflows.resume = lambda token, output: asked.append(token) or True  # type: ignore[method-assign,func-returns-value]
    world.publish(order(0, n=1))
    assert Waker(world.workflows, CommandStarter(world.workflows, MACHINE)).resume(world.row(1), 1) is False
    assert asked == []
