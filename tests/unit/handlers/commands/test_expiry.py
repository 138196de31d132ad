"""Waits that expired behind another command: silent only for as long as that one has an alarm or may still get one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.operate.skip import rendered
from handlers.commands.execution_ended import CommandExecutionEndedHandler
from handlers.commands.failure import Failure
from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.run import Run
from handlers.commands.starter import execution_name
from handlers.commands.sweeper import RESCHEDULE_SECONDS
from handlers.operations.redrive import Redriver
from handlers.store.port import COMMANDS, Change
from tests.support.operations import ENTERED, Operator, failed, next_attempt, waiting
from tests.support.pipelines import KEY, World, order

LIMIT = 24 * 3600


@pytest.fixture(params=["full", "terminal"])
def world(request: Any) -> World:
    return World(detail=request.param)


def expire(world: World, run: Run) -> None:
    """What the machine does at the next look at a command that waits for too long."""
    refusal = world.pipeline.check_version(run, first_entry=False)
    assert refusal["error"] == "WaitExpired"
    world.pipeline.record_failure(run, Failure.from_state_input(refusal))


def alarmed(world: World) -> list[str]:
    return [one["sk"] for one in world.alarms.messages]


def sweep(world: World, after: float = RESCHEDULE_SECONDS + 1) -> None:
    world.clock.advance(after)
    assert world.sweeper.sweep(world.clock.now() + 60).errors == 0


def test_one_that_expired_behind_a_waiting_one_alarms_when_that_one_goes_on(world: World) -> None:
    """v2 ends just after v4's limit and before v3's: nobody else would ever tell of v4."""
    world.publish_and_apply(order(0, n=1))
    second = world.publish(order(1, n=2))
    third, fourth = world.publish(order(2, n=3)), world.publish(order(3, n=4))
    world.pipeline.wait(fourth, "t4", ENTERED)
    world.clock.advance(1000)
    world.pipeline.wait(third, "t3", ENTERED)
    world.clock.advance(LIMIT - 500)
    expire(world, fourth)
    assert alarmed(world) == []
    sweep(world)
    assert alarmed(world) == []
    world.apply(second)
    world.apply(third)
    sweep(world)
    assert alarmed(world) == [KEY.version_sk(4)]
    assert "alarmedAt" in world.row(4)
    assert "openShard" not in world.row(4)


def test_one_that_expired_behind_a_working_one_alarms_when_that_one_is_done(world: World) -> None:
    world.publish_and_apply(order(0, n=1))
    second = waiting_behind_nothing(world)
    third = waiting(world, 3)
    world.clock.advance(LIMIT + 1)
    world.pipeline.claim(second, world.row(2))
    expire(world, third)
    world.apply(second)
    sweep(world)
    assert alarmed(world) == [KEY.version_sk(3)]


def waiting_behind_nothing(world: World) -> Run:
    """v2 whose status says that it waits, though v1 is done."""
    run = world.publish(order(1, n=2))
    world.pipeline.wait(run, "t2", ENTERED)
    return run


def test_one_that_expired_behind_a_failed_one_is_closed_without_an_alarm(world: World) -> None:
    failed(world, 1)
    second = waiting(world, 2)
    third = waiting(world, 3)
    world.clock.advance(LIMIT + 1)
    expire(world, third)
    expire(world, second)
    sweep(world)
    assert alarmed(world) == [KEY.version_sk(1)]
    for version in (2, 3):
        assert "alarmedAt" in world.row(version)
        assert "openShard" not in world.row(version)


def test_one_that_expires_while_its_predecessor_is_redriven_is_not_forgotten(world: World) -> None:
    """The operator saw it waiting; it expired before the operator's write."""
    first = failed(world, 1)
    second = waiting(world, 2)
    world.clock.advance(LIMIT + 1)
    refusal = world.pipeline.check_version(second, first_entry=False)
    assert Operator(world).redrive(1) == [(1, "REDRIVEN"), (2, "WAIT_RESTARTED")]
    world.pipeline.record_failure(second, Failure.from_state_input(refusal))
    world.apply(next_attempt(first))
    sweep(world)
    row = world.row(2)
    assert row["status"] != "wait_prev_command:FAILED" or alarmed(world)[1:] == [KEY.version_sk(2)]


def test_redrive_takes_along_what_expired_under_its_hands(world: World) -> None:
    failed(world, 1)
    second = waiting(world, 2)
    world.clock.advance(LIMIT + 1)
    operator = Operator(world)
    redriver: Redriver = operator.redriver()
    begin = redriver._attempts.begin_next

    def late(row: Any) -> Any:
        if row["version"] == 1:
            expire(world, second)
        return begin(row)

    redriver._attempts.begin_next = late  # type: ignore[method-assign]
    outcomes = [(one.key.version, one.outcome) for one in redriver.version(VersionKey(KEY, 1))]
    assert outcomes == [(1, "REDRIVEN"), (2, "REDRIVEN")]
    assert world.row(2)["attempt"] == 2


def test_a_redrive_that_stops_half_way_leaves_nobody_behind(world: World) -> None:
    """Those behind come first: once the cause is redriven, everything that waits for it is open."""
    failed(world, 1)
    second = waiting(world, 2)
    world.clock.advance(LIMIT + 1)
    expire(world, second)
    sweep(world)
    redriver = Operator(world).redriver()
    begin = redriver._attempts.begin_next

    def stops(row: Any) -> Any:
        if row["version"] == 1:
            begin(row)
            raise KeyboardInterrupt
        return begin(row)

    redriver._attempts.begin_next = stops  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        redriver.version(VersionKey(KEY, 1))
    assert world.row(1)["attempt"] == 2
    assert world.row(2)["attempt"] == 2


def test_a_skip_reports_the_one_that_expired_behind_it(world: World) -> None:
    first, second = failed(world, 1), waiting(world, 2)
    world.clock.advance(LIMIT + 1)
    expire(world, second)
    skipped = Operator(world).skip(first.key)
    assert (skipped.woken, skipped.expired) == (False, second.key)
    assert f"next: ./cqrs redrive {second.key}" in rendered(skipped)
    assert Operator(world).redrive(2) == [(2, "REDRIVEN")]


def test_the_end_of_an_old_execution_fails_nothing_that_a_newer_one_waits_for(world: World) -> None:
    world.publish(order(0, n=1))
    run = world.publish(order(1, n=2))
    world.pipeline.progress.restart(run, 0, int(world.clock.now()))
    newer = Run(run.key, run.id, 1, "arn:newer")
    world.workflows.open_tokens.add("t")
    assert world.pipeline.wait(newer, "t", ENTERED) == {"waiting": True}
    before, ended = world.row(2), CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)

    def aborted(restart: int) -> dict[str, Any]:
        name = execution_name(before["pk"], before["sk"], before["id"], 1, restart)
        key = {field: before[field] for field in ("pk", "sk", "id", "attempt")}
        return {"detail": {"status": "ABORTED", "name": name, "executionArn": f"arn:{name}", "input": json.dumps(key)}}

    assert "left" in ended(aborted(0))
    assert world.row(2) == before
    ended(aborted(1))
    assert world.row(2)["status"] == "wait_prev_command:FAILED"
    assert alarmed(world) == [KEY.version_sk(2)]


def test_one_that_expired_and_whose_predecessor_is_gone_alarms(world: World) -> None:
    """The row that it waited for expired meanwhile: it can't tell any more whether it has an alarm of its own."""
    failed(world, 1)
    second = waiting(world, 2)
    world.clock.advance(LIMIT + 1)
    expire(world, second)
    assert alarmed(world) == [KEY.version_sk(1)]
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(1), Change(set={"ttl": 1}))
    sweep(world)
    assert alarmed(world) == [KEY.version_sk(1), KEY.version_sk(2)]
    assert "alarmedAt" in world.row(2)
