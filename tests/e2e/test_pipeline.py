"""PIPE scenarios: the real definition and handlers on the local runtime, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.state_machines import EXPRESS, INLINE
from handlers.commands.keys import EntityKey
from handlers.core.errors import TransientError
from local.functions.model import InvokeResult, SimulatedCrash
from local.states.running.executions import Execution
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY, STATUSES, order

WAY = [
    "check_version",
    "check_version_result",
    "set_ttl_command",
    "history_copy",
    "transform_data",
    "sync_data_all",
    "sync_data",
    "sync_data",
    "sync_data",
    "sync_data",
    "finish",
    "success",
]
LAMBDA_STATES = ["check_version", "set_ttl_command", "history_copy", "transform_data", "sync_data", "finish"]


def executed(deployed: Deployed, workflow: str, count: int = 1) -> list[Execution]:
    """The executions of so many commands: one each, of EXPRESS another for each that was parked, and none where nothing
    needs one.
    """
    executions = deployed.executions()
    if workflow == EXPRESS:
        assert count <= len(executions) < 2 * count
    else:
        assert len(executions) == (0 if workflow == INLINE else count)
    return executions


def test_pipe_01_one_command(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.publish(order(0, price=3))
        deployed.run()
        assert deployed.statuses(1) == STATUSES
        data = deployed.data()
        assert (data["version"], data["attributes"], data["cpk"], data["csk"]) == (
            1,
            {"price": 3},
            KEY.pk,
            KEY.version_sk(1),
        )
        assert deployed.history() == []
        assert deployed.alarms() == []
        for execution in executed(deployed, any_workflow):
            assert execution.status == "SUCCEEDED"
            assert execution.visited() == WAY


def test_pipe_02_three_versions(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.publish_versions(3)
        deployed.run()
        assert deployed.applied_versions() == [1, 2, 3]
        assert deployed.data()["version"] == 3
        was = [image for image in deployed.images("data") if image["sk"] == KEY.sk]
        kept = [{**row, "sk": KEY.sk} for row in deployed.history()]
        assert kept == was[:2]
        assert [row["sk"] for row in deployed.history()] == [KEY.version_sk(1), KEY.version_sk(2)]
        assert {execution.status for execution in executed(deployed, any_workflow, 3)} <= {"SUCCEEDED"}


def test_pipe_03_three_handlers_in_parallel(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(4)
        deployed.publish(order(0, price=3))
        deployed.run()
        assert sorted(deployed.recorder.calls) == [("one", "o1", 1), ("three", "o1", 1), ("two", "o1", 1)]
        assert deployed.recorder.ends[-1] == ("one", "o1", 1)
        assert {command.attributes["price"] for command in deployed.recorder.commands} == {3}
        assert deployed.row(1)["status"] == "finish:FINISHED"


class OutOfStock(Exception):
    pass


def refuse(command: Any) -> None:
    raise OutOfStock("customer 4711 wants too much")


def test_pipe_04_a_permanent_error(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.recorder.behaviours["two"] = refuse
        deployed.publish(order(0, price=3))
        deployed.run()
        row = deployed.row(1)
        assert row["status"] == "sync_data:FAILED"
        assert row["error"] == {
            "type": "OutOfStock",
            "message": "customer 4711 wants too much",
            "state": "sync_data",
            "target": "two",
        }
        for execution in executed(deployed, any_workflow):
            assert (execution.status, execution.error, execution.cause) == (
                "FAILED",
                "OutOfStock",
                "customer 4711 wants too much",
            )
            assert execution.visited()[-2:] == ["record_failure", "fail"]
        assert len(deployed.alarms()) == 1
        assert deployed.data()["version"] == 1
        assert row["targets"]["data"]["outcome"] == "APPLIED"
        assert deployed.recorder.versions("two") == [1]


def test_pipe_05_a_transient_error_twice(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        tries: list[float] = []

        def sometimes(command: Any) -> None:
            tries.append(deployed.scheduler.now())
            if len(tries) <= 2:
                raise TransientError("busy")

        deployed.recorder.behaviours["two"] = sometimes
        deployed.publish(order(0, price=3))
        deployed.run()
        assert len(tries) == 3
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert deployed.recorder.versions("one") == [1]
        assert deployed.alarms() == []


@pytest.mark.parametrize("state", [*LAMBDA_STATES, "wait"])
@pytest.mark.parametrize("times", [1, 2])
def test_pipe_07_a_crash_is_retried(tmp_path: Path, workflow: str, state: str, times: int) -> None:
    with Deployed(tmp_path, workflow=workflow) as deployed:
        crashes: list[str] = []

        def crash(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if len(crashes) < times:
                crashes.append(state)
                raise SimulatedCrash
            return proceed(payload)

        wait = "wait_prev_command" if workflow == "STANDARD" else "park"
        deployed.intercept(wait if state == "wait" else state, crash)
        deployed.publish_versions(2)
        deployed.run()
        assert len(crashes) == times
        assert deployed.applied_versions() == [1, 2]
        assert [deployed.row(version)["status"] for version in (1, 2)] == ["finish:FINISHED"] * 2
        assert deployed.alarms() == []


@pytest.mark.parametrize("state", LAMBDA_STATES)
def test_pipe_07_13_a_crash_for_good_in_every_state(tmp_path: Path, workflow: str, state: str) -> None:
    with Deployed(tmp_path, workflow=workflow) as deployed:

        def crash(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            raise SimulatedCrash

        deployed.intercept(state, crash)
        deployed.publish(order(0, price=3))
        deployed.run()
        (execution,) = deployed.executions()
        assert execution.status == "FAILED"
        assert execution.visited()[-2:] == ["record_failure", "fail"]
        assert execution.error == "Runtime.ExitError"
        assert isinstance(execution.cause, str)
        row = deployed.row(1)
        assert row["status"].endswith(":FAILED")
        assert len(deployed.alarms()) == 1


def test_pipe_07_a_function_that_runs_out_of_time(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.recorder.behaviours["two"] = lambda _: deployed.scheduler.sleep(3600)
        deployed.publish(order(0, price=3))
        deployed.run()
        assert deployed.row(1)["status"] == "sync_data:FAILED"
        # the state's own limit: above the function's in STANDARD, below it in EXPRESS
        expected = "Sandbox.Timedout" if any_workflow == "STANDARD" else "States.Timeout"
        assert deployed.row(1)["error"]["type"] == expected
        assert len(deployed.alarms()) == 1


@pytest.mark.parametrize("state", ["check_version", "sync_data", "finish"])
def test_pipe_13_record_failure_itself_fails(tmp_path: Path, workflow: str, state: str) -> None:
    with Deployed(tmp_path, workflow=workflow) as deployed:

        def crash(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            raise SimulatedCrash

        deployed.intercept(state, crash)
        deployed.intercept("record_failure", crash)
        deployed.publish(order(0, price=3))
        deployed.run()
        assert {one.visited()[-1] for one in deployed.executions()} == {"fail_unrecorded"}
        if workflow == "EXPRESS":  # these have no status events: the sweeper restarts the command, then gives up
            deployed.scheduler.run_for(3 * 3600)
            assert len(deployed.executions()) == 6
        row = deployed.row(1)
        assert row["status"].endswith(":FAILED")
        assert row["error"]["type"] == "NotRunning"
        assert len(deployed.alarms()) == 1


def test_pipe_08_no_custom_handler(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        given = order(0, price=3)
        key = EntityKey("TENANT", "t1", "INVOICE", "o1")
        deployed.publish(type(given)("INVOICE", "o1", "first", {"price": 3}))
        deployed.run()
        assert deployed.data(key)["version"] == 1
        assert deployed.row(1, key)["status"] == "finish:FINISHED"
        assert deployed.recorder.calls == []


def test_pipe_11_inputs_contexts_and_outputs(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        deployed.publish_versions(2)
        deployed.run()
        execution = deployed.executions()[-1]
        payloads = [payload for name, payload in deployed.payloads if name.endswith("-states")]
        answers = [result for name, _, result in deployed.answers if name.endswith("-states")]
        seen = set()
        for payload in payloads:
            state = payload["context"]["State"]["Name"]
            seen.add(state)
            token = {"taskToken"} if state == "wait_prev_command" else set()
            assert set(payload) == {"source", "context", "input"} | token
            assert payload["source"] == "step-function"
            assert set(payload["context"]) == {"Execution", "State", "StateMachine"}
            assert set(payload["context"]["Execution"]) == {"Id", "Name", "StartTime", "Input"}
            assert set(payload["context"]["Execution"]["Input"]) == {"pk", "sk", "id", "attempt"}
            assert set(payload["context"]["State"]) == {"EnteredTime", "Name", "RetryCount"}
            assert set(payload["context"]["StateMachine"]) == {"Id", "Name"}
        assert seen == {*LAMBDA_STATES, "wait_prev_command"}
        for answer in answers:
            assert isinstance(answer.payload, list)
            assert len(answer.payload) == 1
            assert len(answer.payload[0]) == 1
        inputs = {payload["context"]["State"]["Name"]: payload["input"] for payload in payloads}
        assert inputs["sync_data"]["target"] in ("data", "one", "two", "three")
        assert isinstance(inputs["finish"], list)
        assert execution.visited().count("wait_prev_command") == 1
        resumed = [
            payload["input"]
            for payload in payloads
            if payload["context"]["State"]["Name"] == "check_version" and "result" in payload["input"]
        ]
        assert resumed == [{"result": "resumed_by_prev_version", "prevVersion": 1}]


def test_pipe_12_the_alarm(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.recorder.behaviours["two"] = refuse
        deployed.publish(order(0, price=3))
        deployed.run()
        runs = [one.arn for one in executed(deployed, any_workflow)] or [f"inline:{deployed.row(1)['id']}:1"]
        assert deployed.alarms() == [
            {
                "action": "sfn-alarm",
                "id": "TENANT#t1#ORDER#o1@0000000001",
                "table": deployed.tables["commands"],
                "pk": "TENANT#t1",
                "sk": "ORDER#o1@0000000001",
                "tenantCode": "t1",
                "content": {"errorMessage": "sync_data failed: OutOfStock, target two", "sfnId": runs[0]},
            }
        ]
