from __future__ import annotations

import json

import pytest

from handlers.commands.execution_ended import CommandExecutionEndedHandler
from handlers.commands.failure import Failure
from handlers.commands.pipeline.run import Run
from handlers.commands.starter import execution_name
from handlers.core.errors import ValidationError
from tests.support.pipelines import CONTEXT, World, order

CATCH = {
    "Error": "RuntimeError",
    "Cause": json.dumps(
        {"errorMessage": "customer 4711 is broke", "errorType": "RuntimeError", "stackTrace": ['File "/var/task/x.py"']}
    ),
}


@pytest.fixture
def world() -> World:
    return World()


def started(world: World) -> Run:
    run = world.publish(order(0, n=1))
    world.pipeline.check_version(run, first_entry=True)
    world.pipeline.history_copy(run)
    return run


def test_failure_is_recorded_alarmed_and_answered(world: World) -> None:
    run = started(world)
    answer = world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    assert answer == {"error": "RuntimeError", "cause": "customer 4711 is broke"}
    row = world.row(1)
    assert row["status"] == "history_copy:FAILED"
    assert row["error"] == {"type": "RuntimeError", "message": "customer 4711 is broke", "state": "history_copy"}
    for gone in ("runId", "leaseUntil", "taskToken", "openShard", "dueAt"):
        assert gone not in row
    assert "alarmedAt" in row


def test_pipe_12_alarm_message(world: World) -> None:
    run = started(world)
    world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    assert world.alarms.messages == [
        {
            "action": "sfn-alarm",
            "id": "TENANT#t1#ORDER#o1@0000000001",
            "table": "cqrs-test-commands",
            "pk": "TENANT#t1",
            "sk": "ORDER#o1@0000000001",
            "tenantCode": "t1",
            "content": {"errorMessage": "history_copy failed: RuntimeError", "sfnId": run.run_id},
        }
    ]
    assert world.alarms.attributes == [{"action": "sfn-alarm", "alarmId": "TENANT#t1#ORDER#o1@0000000001#1"}]


def test_refusals_give_their_reason_in_the_alarm(world: World) -> None:
    run = world.publish(order(0, n=1))
    refusal = {"result": -1, "error": "VersionGap", "cause": "version 2 is missing", "blockedBy": None, "alarm": True}
    world.pipeline.record_failure(run, Failure.from_state_input(refusal))
    assert world.row(1)["status"] == "check_version:FAILED"
    assert (
        world.alarms.messages[0]["content"]["errorMessage"] == "check_version failed: VersionGap: version 2 is missing"
    )


def test_an_expired_wait_behind_a_failure_is_silent(world: World) -> None:
    run = world.publish(order(0, n=1))
    refusal = {
        "result": -1,
        "error": "WaitExpired",
        "cause": "waited",
        "blockedBy": "ORDER#o1@0000000001",
        "alarm": False,
    }
    world.pipeline.record_failure(run, Failure.from_state_input(refusal))
    row = world.row(1)
    assert row["error"]["blockedBy"] == "ORDER#o1@0000000001"
    assert "alarmedAt" not in row  # the sweeper looks whether the one before has told of it
    assert "openShard" in row
    world.pipeline.record_failure(run, Failure("NotRunning", "the execution ended as FAILED"))
    assert world.row(1) == row
    assert world.alarms.messages == []


def test_recording_twice_alarms_once(world: World) -> None:
    run = started(world)
    world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    before = world.row(1)
    world.pipeline.record_failure(run, Failure.from_state_input({"Error": "Other", "Cause": "x"}))
    assert world.row(1) == before
    assert len(world.alarms.messages) == 1


def test_a_crash_before_the_alarm_is_made_good_by_the_retry(world: World) -> None:
    run = started(world)
    world.pipeline.record_failure._progress.fail(run, "history_copy", {"type": "X"})
    assert world.alarms.messages == []
    assert "openShard" in world.row(1)
    world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    assert len(world.alarms.messages) == 1
    assert "alarmedAt" in world.row(1)


def test_done_is_never_left_but_operators_are_alerted(world: World) -> None:
    run = world.publish_and_apply(order(0, n=1))
    before = world.row(1)
    answer = world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    assert answer["error"] == "RuntimeError"
    assert {name: value for name, value in world.row(1).items() if name != "alarmedAt"} == before
    text = world.alarms.messages[0]["content"]["errorMessage"]
    assert text == "after it was applied: finish failed: RuntimeError"


def test_edge_16_a_failure_after_done_is_reported_once(world: World) -> None:
    """record_failure tells of it; then the execution ends as FAILED, which the rule on its end brings here, too."""
    run = world.publish(order(0, n=1))
    world.pipeline.check_version(run, first_entry=True)
    world.pipeline.progress.done(run)
    rule = CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)
    world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    assert "openShard" in world.row(1)  # its tail is still to be completed
    rule(ended(run, "FAILED", error="RuntimeError"))
    rule(ended(run, "FAILED", error="RuntimeError"))
    assert [one["alarmId"] for one in world.alarms.attributes] == ["TENANT#t1#ORDER#o1@0000000001#1"]
    assert world.row(1)["status"] == "finish:STARTED"


def test_edge_16_an_unreported_execution_that_died_after_done_is_reported_by_the_rule(world: World) -> None:
    run = world.publish_and_apply(order(0, n=1))
    CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)(ended(run, "ABORTED"))
    assert len(world.alarms.messages) == 1


def of_target(target: str, error: dict[str, str]) -> dict[str, str]:
    """What the Map's Catch gets from the state ``target_failed``."""
    return {"Error": error["Error"], "Cause": json.dumps({"target": target, "failure": error})}


@pytest.mark.parametrize("error", [CATCH, {"Error": "States.Timeout", "Cause": ""}, {"Error": "Sandbox.Timedout"}])
def test_edge_53_the_target_that_failed_is_in_the_row_and_the_alarm(world: World, error: dict[str, str]) -> None:
    run = started(world)
    world.pipeline.record_failure(run, Failure.from_state_input(of_target("search", error)))
    row = world.row(1)
    assert row["error"]["target"] == "search"
    assert row["error"]["type"] == error["Error"]
    assert row["error"]["message"] == Failure.from_state_input(error).message
    (alarm,) = world.alarms.messages
    assert alarm["content"]["errorMessage"] == f"history_copy failed: {error['Error']}, target search"
    assert Failure.from_row(row).target == "search"


def test_edge_53_in_the_callers_process_the_target_is_named_too() -> None:
    def refuses(_: object) -> None:
        raise RuntimeError("index is full")

    world = World(handlers={"search": ("ORDER", type("Search", (), {"up": staticmethod(refuses)})())})
    with pytest.raises(RuntimeError, match="index is full") as raised:
        world.sync.publish_sync(order(0, n=1), CONTEXT)
    assert raised.value.__notes__ == ["sync target: search", "state: sync_data"]
    row = world.row(1)
    assert row["error"] == {
        "type": "RuntimeError",
        "message": "index is full",
        "state": "sync_data",
        "target": "search",
    }


def test_another_runs_live_claim_is_respected(world: World) -> None:
    run = started(world)
    zombie = Run(run.key, run.id, 1, "zombie")
    world.pipeline.record_failure(zombie, Failure.from_state_input(CATCH))
    assert world.row(1)["status"] == "history_copy:FINISHED"
    assert world.alarms.messages == []
    world.clock.advance(121)
    world.pipeline.record_failure(zombie, Failure.from_state_input(CATCH))
    assert world.row(1)["status"] == "history_copy:FAILED"


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ('{"errorMessage":"m","errorType":"T"}', "m"),
        ("plain text", "plain text"),
        ("[1, 2]", "[1, 2]"),
        (None, ""),
        ("x" * 5000, "x" * 973 + "... (4,027 more characters)"),
    ],
)
def test_causes(cause: object, message: str) -> None:
    assert Failure.from_state_input({"Error": "E", "Cause": cause}).message == message


def ended(run: Run, status: str = "ABORTED", **detail: object) -> dict[str, object]:
    execution_input = {"pk": run.key.pk, "sk": run.key.sk, "id": run.id, "attempt": run.attempt}
    return {
        "source": "aws.states",
        "detail": {
            "executionArn": run.run_id,
            "name": execution_name(run.key.pk, run.key.sk, run.id, run.attempt, 0),
            "status": status,
            "input": json.dumps(execution_input),
            **detail,
        },
    }


def test_pipe_13_an_execution_that_ended_unrecorded_is_found_by_the_rule(world: World) -> None:
    run = started(world)
    rule = CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)
    rule(ended(run, "FAILED", error="Unrecorded"))
    row = world.row(1)
    assert row["status"] == "history_copy:FAILED"
    assert row["error"]["type"] == "NotRunning"
    name = execution_name(row["pk"], row["sk"], row["id"], 1, 0)
    assert row["error"]["message"] == f"execution {name} ended as FAILED: Unrecorded"
    assert len(world.alarms.messages) == 1
    rule(ended(run, "FAILED"))
    assert len(world.alarms.messages) == 1


def test_the_rule_leaves_recorded_outcomes_alone(world: World) -> None:
    run = started(world)
    world.pipeline.record_failure(run, Failure.from_state_input(CATCH))
    before = world.row(1)
    CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)(ended(run, "FAILED"))
    assert world.row(1) == before


@pytest.mark.parametrize("text", [None, "no json", '{"pk": "TENANT#t1"}', "[]"])
def test_the_rule_names_a_wrong_input(world: World, text: object) -> None:
    event = {"source": "aws.states", "detail": {"executionArn": "a", "name": "n", "status": "FAILED", "input": text}}
    with pytest.raises(ValidationError, match=r"input|Input"):
        CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)(event)


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_a_command_that_waits_outlives_its_execution(detail: str) -> None:
    world = World(detail=detail)
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    world.pipeline.wait(second, "token", "2026-01-01T00:00:00.000Z")
    before = world.row(2)
    rule = CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)
    assert "sweeper" in rule(ended(second, "TIMED_OUT"))["left"]
    assert world.row(2) == before
    rule(ended(second, "ABORTED"))
    assert world.row(2)["error"]["type"] == "NotRunning"
    assert len(world.alarms.messages) == 1


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_one_that_had_waited_and_ran_does_not(detail: str) -> None:
    world = World(detail=detail)
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.pipeline.wait(second, "token", "2026-01-01T00:00:00.000Z")
    world.apply(first)
    world.pipeline.check_version(second, first_entry=False)
    CommandExecutionEndedHandler(world.pipeline.record_failure, world.repository)(ended(second, "TIMED_OUT"))
    assert world.row(2)["error"]["type"] == "NotRunning"
