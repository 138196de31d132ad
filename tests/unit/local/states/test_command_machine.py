"""The program's own command machine on the interpreter, with a stub in place of the states function."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.states import Execution

from .conftest import FUNCTION, Failed, Runtime

DEFINITION = Path(__file__).parents[4] / "infra" / "state_machines" / "command.asl.json"
INPUT = {"pk": "TENANT#t1", "sk": "ORDER#o1@0000000002", "id": "01", "attempt": 1}
ANSWERS: dict[str, Any] = {
    "check_version": {"result": 0},
    "set_ttl_command": {"ok": True},
    "history_copy": {"ok": True},
    "transform_data": [{"target": "data"}, {"target": "search"}],
    "sync_data": {"outcome": "applied"},
    "finish": {"ok": True},
}
STATES = ["check_version", "set_ttl_command", "history_copy", "transform_data", "sync_data", "finish"]


def run(runtime: Runtime, **overrides: Callable[[Any], Any]) -> Execution:
    """Run the machine; ``overrides`` answer the named states, the others do as ANSWERS says."""

    def workflow(event: Any) -> Any:
        name = event["context"]["State"]["Name"]
        if name in overrides:
            return [[overrides[name](event)]]
        if name == "record_failure":
            return [[{"error": str(event["input"]["Error"]), "cause": str(event["input"]["Cause"])}]]
        return [[ANSWERS[name]]]

    runtime.define(workflow=workflow)
    definition = json.loads(DEFINITION.read_text().replace("${StatesFunctionArn}", f"{FUNCTION}workflow"))
    return runtime.run(definition, INPUT)


def crash(event: Any) -> Any:
    raise Failed("Broken", "by the test")


def test_pipe_11_every_state_gets_its_context_and_the_output_before_it(runtime: Runtime) -> None:
    execution = run(runtime)
    assert execution.status == "SUCCEEDED"
    events = [call.payload for call in runtime.functions.calls]
    names = [event["context"]["State"]["Name"] for event in events]
    assert [name for name in names if name != "sync_data"] == [name for name in STATES if name != "sync_data"]
    inputs = {event["context"]["State"]["Name"]: event["input"] for event in events}
    assert inputs["check_version"] == INPUT
    assert inputs["set_ttl_command"] == {"result": 0}
    assert inputs["finish"] == [{"outcome": "applied"}] * 2
    synced = [event["input"] for event in events if event["context"]["State"]["Name"] == "sync_data"]
    assert sorted(item["target"] for item in synced) == ["data", "search"]
    for event in events:
        assert set(event) == {"source", "context", "input"}
        assert event["source"] == "step-function"
        assert event["context"]["Execution"] == {
            "Id": execution.arn,
            "Name": execution.name,
            "StartTime": "2026-01-01T00:00:00.000Z",
            "Input": INPUT,
        }
        assert event["context"]["StateMachine"] == {"Id": execution.machine.arn, "Name": execution.machine.name}
        assert set(event["context"]["State"]) == {"Name", "EnteredTime", "RetryCount"}


@pytest.mark.parametrize("state", STATES)
def test_pipe_13_a_crash_in_any_state_ends_in_fail_with_error_and_cause(runtime: Runtime, state: str) -> None:
    execution = run(runtime, **{state: crash})
    assert (execution.status, execution.error) == ("FAILED", "Broken")
    cause = json.loads(execution.cause or "")
    if state == "sync_data":  # the Map's own state names the target
        cause = json.loads(cause["failure"]["Cause"])
    assert cause["errorMessage"] == "by the test"
    assert execution.visited()[-2:] == ["record_failure", "fail"]


@pytest.mark.parametrize("state", STATES)
def test_pipe_13_when_record_failure_fails_too_it_ends_in_fail_unrecorded(runtime: Runtime, state: str) -> None:
    execution = run(runtime, **{state: crash, "record_failure": crash})
    assert (execution.status, execution.error) == ("FAILED", "Unrecorded")
    assert execution.visited()[-1] == "fail_unrecorded"


def test_a_wait_is_resumed_by_its_token_or_checked_again_after_its_timeout(runtime: Runtime) -> None:
    results = iter([1, 1, 0])
    resumed = {"Payload": [[{"result": "resumed_by_prev_version", "prevVersion": 1}]]}
    tokens: list[str] = []

    def wait(event: Any) -> Any:
        tokens.append(event["taskToken"])
        if len(tokens) == 2:
            runtime.manager.send_task_success(event["taskToken"], json.dumps(resumed))

    execution = run(runtime, check_version=lambda event: {"result": next(results)}, wait_prev_command=wait)
    assert execution.status == "SUCCEEDED"
    assert execution.visited()[:7] == [
        "check_version",
        "check_version_result",
        "wait_prev_command",
        "check_version",
        "check_version_result",
        "wait_prev_command",
        "check_version",
    ]
    assert runtime.seconds(execution) == 300
    checks = [c.payload for c in runtime.functions.calls if c.payload["context"]["State"]["Name"] == "check_version"]
    # after a timeout the input is what it was (ResultPath null), after a resume it is the resumer's answer
    assert [check["input"] for check in checks] == [INPUT, {"result": 1}, resumed["Payload"][0][0]]
