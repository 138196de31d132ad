"""Executions: names, inputs, ends, limits, history, memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.states import ApiError, Execution, visited_states
from local.states.errors import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    InvalidExecutionInput,
    InvalidName,
    StateMachineAlreadyExists,
    StateMachineDoesNotExist,
)
from local.states.limits import HISTORY_EVENTS, PAYLOAD_BYTES

from .conftest import ROLE, Runtime, chain, task

WAIT = chain(("w", {"Type": "Wait", "Seconds": 60}))
PASS = chain(("p", {"Type": "Pass"}))
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m1"


# -- names and inputs -----------------------------------------------------------------------------------


def test_same_name_and_input_while_running_is_the_same_execution(runtime: Runtime) -> None:
    arn = runtime.machine(WAIT)
    first = runtime.manager.start_execution(arn, "n", '{"a":1}')
    assert runtime.manager.start_execution(arn, "n", '{"a":1}') is first
    assert first.arn == "arn:aws:states:us-east-1:123456789012:execution:m1:n"
    runtime.scheduler.run_until_idle()
    assert len(runtime.manager.list_executions(arn)) == 1


def test_a_used_name_with_other_input_or_closed_is_refused(runtime: Runtime) -> None:
    arn = runtime.machine(WAIT)
    runtime.manager.start_execution(arn, "n", '{"a":1}')
    with pytest.raises(ExecutionAlreadyExists, match="Execution Already Exists: 'arn:aws:states"):
        runtime.manager.start_execution(arn, "n", '{"a":2}')
    runtime.scheduler.run_until_idle()
    with pytest.raises(ExecutionAlreadyExists):
        runtime.manager.start_execution(arn, "n", '{"a":1}')


def test_names_stay_taken_when_the_execution_itself_was_dropped() -> None:
    runtime = Runtime(keep_closed=2, keep_histories=1)
    arn = runtime.machine(PASS)
    executions = []
    for number in range(4):
        executions.append(runtime.manager.start_execution(arn, f"n{number}"))
        runtime.scheduler.run_until_idle()
    with pytest.raises(ExecutionDoesNotExist):
        runtime.manager.describe_execution(executions[1].arn)
    with pytest.raises(ExecutionAlreadyExists):
        runtime.manager.start_execution(arn, "n1")
    assert runtime.manager.history(executions[2].arn) == []
    assert executions[2].output == {}
    assert visited_states(runtime.manager.history(executions[3].arn)) == ["p"]


@pytest.mark.parametrize("name", ["", "x" * 81, "a b", "a/b", "a:b", "a#b", "a*b", "a\x00b", "a{b"])
def test_bad_names_are_refused(runtime: Runtime, name: str) -> None:
    arn = runtime.machine(PASS)
    with pytest.raises(InvalidName):
        runtime.manager.start_execution(arn, name)
    with pytest.raises(InvalidName):
        runtime.manager.create_state_machine(name, PASS, ROLE)


def test_a_name_may_have_80_characters_and_a_missing_one_is_made_up(runtime: Runtime) -> None:
    arn = runtime.machine(PASS)
    assert runtime.manager.start_execution(arn, "x" * 80).name == "x" * 80
    first, second = runtime.manager.start_execution(arn), runtime.manager.start_execution(arn)
    assert len(first.name) == 36
    assert first.name != second.name


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": Infinity}', '"' + "é" * (PAYLOAD_BYTES // 2) + '"'])
def test_bad_inputs_are_refused(runtime: Runtime, text: str) -> None:
    with pytest.raises(InvalidExecutionInput):
        runtime.manager.start_execution(runtime.machine(PASS), "n", text)


@pytest.mark.parametrize(("size", "fits"), [(PAYLOAD_BYTES, True), (PAYLOAD_BYTES + 1, False)])
def test_an_input_may_have_262144_bytes_of_utf8_and_no_more(runtime: Runtime, size: int, fits: bool) -> None:
    text = '"é' + "x" * (size - 4) + '"'
    assert len(text.encode()) == size
    arn = runtime.machine(PASS)
    if fits:
        execution = runtime.manager.start_execution(arn, "n", text)
        runtime.scheduler.run_until_idle()
        assert execution.status == "SUCCEEDED"
    else:
        with pytest.raises(InvalidExecutionInput, match="262145 bytes"):
            runtime.manager.start_execution(arn, "n", text)


def test_a_missing_machine_is_named(runtime: Runtime) -> None:
    with pytest.raises(StateMachineDoesNotExist, match="State Machine Does Not Exist: 'arn:x'"):
        runtime.manager.start_execution("arn:x", "n")


def test_a_start_may_be_refused_from_outside() -> None:
    class Throttled(ApiError):
        code = "ThrottlingException"

    def gate(arn: str, name: str) -> None:
        if name == "too-many":
            raise Throttled("Rate exceeded")

    runtime = Runtime(before_start=gate)
    arn = runtime.machine(PASS)
    with pytest.raises(Throttled):
        runtime.manager.start_execution(arn, "too-many")
    assert runtime.manager.list_executions(arn) == []
    assert runtime.manager.start_execution(arn, "fine").status == "RUNNING"


# -- machines -------------------------------------------------------------------------------------------


def test_creating_the_same_machine_again_is_fine_another_one_of_that_name_is_not(runtime: Runtime) -> None:
    arn = runtime.machine(PASS, name="same")
    assert runtime.machine(PASS, name="same") == arn
    with pytest.raises(StateMachineAlreadyExists):
        runtime.machine(WAIT, name="same")
    with pytest.raises(StateMachineAlreadyExists):
        runtime.machine(PASS, name="same", machine_type="EXPRESS")


def test_a_running_execution_keeps_its_definition_when_the_machine_changes_or_goes(runtime: Runtime) -> None:
    arn = runtime.machine(chain(("w", {"Type": "Wait", "Seconds": 60}), ("old", {"Type": "Succeed"})))
    execution = runtime.manager.start_execution(arn, "n")
    runtime.scheduler.run_for(1)
    runtime.manager.update_state_machine(arn, chain(("new", {"Type": "Pass"})))
    later = runtime.manager.start_execution(arn, "n2")
    runtime.manager.delete_state_machine(arn)
    runtime.scheduler.run_until_idle()
    assert (execution.visited(), later.visited()) == (["w", "old"], ["new"])


# -- how executions end ---------------------------------------------------------------------------------


def test_stop_aborts_and_the_function_goes_on_unheard(runtime: Runtime) -> None:
    finished: list[Any] = []

    def slow(event: Any) -> Any:
        runtime.scheduler.sleep(30)
        finished.append(event)
        return "late"

    runtime.define(work=slow)
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "b"}]
    execution = runtime.start(chain(("a", task(Catch=catch, End=True)), ("b", {"Type": "Succeed"})))
    runtime.scheduler.run_for(10)
    runtime.manager.stop_execution(execution.arn, "Why", "because")
    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Why", "because")
    runtime.scheduler.run_until_idle()
    assert finished == [{}]
    assert execution.visited() == ["a"]
    assert [event.type for event in execution.history.events][-1] == "ExecutionAborted"
    runtime.manager.stop_execution(execution.arn, "Again")
    assert execution.error == "Why"


def test_stopped_before_it_began(runtime: Runtime) -> None:
    execution = runtime.start(PASS)
    runtime.manager.stop_execution(execution.arn)
    runtime.scheduler.run_until_idle()
    assert (execution.status, execution.visited()) == ("ABORTED", [])


def test_the_machines_timeout_ends_even_a_retrying_state(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(5))
    state = task(TimeoutSeconds=1, Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 99, "BackoffRate": 1}])
    execution = runtime.run(chain(("a", state), TimeoutSeconds=30))
    assert (execution.status, execution.error, runtime.seconds(execution)) == ("TIMED_OUT", "States.Timeout", 30)
    assert execution.history.events[-1].type == "ExecutionTimedOut"


def test_an_execution_may_run_for_ever_without_a_machine_timeout(runtime: Runtime) -> None:
    execution = runtime.run(chain(("w", {"Type": "Wait", "Seconds": 31_536_000})))
    assert execution.status == "SUCCEEDED"


def test_listeners_hear_of_every_end_once_on_the_schedulers_thread(runtime: Runtime) -> None:
    heard: list[tuple[str, str]] = []
    runtime.manager.on_status_change(lambda execution: heard.append((execution.name, execution.status)))
    arn = runtime.machine(chain(("w", {"Type": "Wait", "SecondsPath": "$.s"}), TimeoutSeconds=50))
    for name, data in (("ok", {"s": 1}), ("bad", {}), ("late", {"s": 99}), ("stopped", {"s": 40})):
        runtime.manager.start_execution(arn, name, json.dumps(data))
    runtime.scheduler.run_for(10)
    runtime.manager.stop_execution(f"{arn.replace('stateMachine', 'execution')}:stopped")
    assert ("stopped", "ABORTED") not in heard
    runtime.scheduler.run_until_idle()
    assert sorted(heard) == [("bad", "FAILED"), ("late", "TIMED_OUT"), ("ok", "SUCCEEDED"), ("stopped", "ABORTED")]


def test_a_defect_of_the_invoker_fails_the_execution_and_is_reported(runtime: Runtime) -> None:
    def defect(event: Any) -> Any:
        raise KeyError("oops")

    runtime.define(work=defect)
    execution = runtime.start(chain(("a", task())))
    with pytest.raises(KeyError, match="oops"):
        runtime.scheduler.run_until_idle()
    assert (execution.status, execution.cause) == ("FAILED", "KeyError: 'oops'")


# -- EXPRESS --------------------------------------------------------------------------------------------


def test_express_names_may_repeat_and_arns_differ(runtime: Runtime) -> None:
    arn = runtime.machine(PASS, "EXPRESS")
    first, second = (runtime.manager.start_execution(arn, "n", "{}") for _ in range(2))
    assert first.arn != second.arn
    assert first.arn.startswith("arn:aws:states:us-east-1:123456789012:express:m1:n:")
    runtime.scheduler.run_until_idle()
    assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED")


def test_express_ends_after_five_minutes(runtime: Runtime) -> None:
    definition = chain(("w", {"Type": "Wait", "Seconds": 400}), TimeoutSeconds=900)
    execution = runtime.run(definition, machine_type="EXPRESS")
    assert (execution.status, runtime.seconds(execution)) == ("TIMED_OUT", 300)


# -- history --------------------------------------------------------------------------------------------


def loop() -> dict[str, Any]:
    """Runs for ever: two events per visit of a Pass, two of a Choice."""
    choices = [{"Variable": "$.n", "IsPresent": True, "Next": "again"}]
    return {
        "StartAt": "again",
        "States": {
            "again": {"Type": "Pass", "Next": "choose"},
            "choose": {"Type": "Choice", "Choices": choices, "Default": "end"},
            "end": {"Type": "Succeed"},
        },
    }


def test_a_standard_execution_fails_on_its_25000th_event(runtime: Runtime) -> None:
    execution = runtime.run(loop(), {"n": 1})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "maximum number of history events (25000)" in (execution.cause or "")
    assert len(execution.history.events) == HISTORY_EVENTS
    assert execution.history.events[-1].type == "ExecutionFailed"


def test_the_history_limit_is_not_caught_around_a_map(runtime: Runtime) -> None:
    state = {
        "Type": "Map",
        "ItemProcessor": loop(),
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "caught"}],
        "End": True,
    }
    execution = runtime.run(chain(("m", state), ("caught", {"Type": "Succeed"})), [{"n": 1}, {"n": 2}])
    assert execution.status == "FAILED"
    assert "caught" not in execution.visited()
    assert len(execution.history.events) == HISTORY_EVENTS


def test_history_of_a_command_like_machine(runtime: Runtime) -> None:
    runtime.define(work=lambda event: [[event["input"]]])
    parameters = {"FunctionName": "work", "Payload": {"input.$": "$"}}
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
    state = {**invoke, "OutputPath": "$.Payload[0][0]", "TimeoutSeconds": 60}
    execution = runtime.run(chain(("a", state), ("b", {"Type": "Succeed"})), {"pk": "x"})
    assert execution.output == {"pk": "x"}
    described = [event.describe() for event in runtime.manager.history(execution.arn)]
    assert [event["type"] for event in described] == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert [event["id"] for event in described] == list(range(1, 10))
    assert [event["previousEventId"] for event in described] == list(range(9))
    assert described[1]["stateEnteredEventDetails"] == {
        "name": "a",
        "input": '{"pk":"x"}',
        "inputDetails": {"truncated": False},
    }
    scheduled = described[2]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"], scheduled["region"]) == ("lambda", "invoke", "us-east-1")
    assert json.loads(scheduled["parameters"]) == {"FunctionName": "work", "Payload": {"input": {"pk": "x"}}}
    assert visited_states(execution.history.events) == ["a", "b"]


def test_the_same_seed_gives_the_same_arns_tokens_and_history() -> None:
    def once() -> list[Any]:
        runtime = Runtime()
        seen: list[Any] = []
        runtime.define(ask=lambda event: seen.append(event["token"]))
        parameters = {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token", "u.$": "States.UUID()"}}
        resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
        state = {"Type": "Task", "Resource": resource, "Parameters": parameters, "TimeoutSeconds": 5}
        arn = runtime.machine(chain(("a", state)))
        executions: list[Execution] = [runtime.manager.start_execution(arn) for _ in range(3)]
        runtime.scheduler.run_until_idle()
        return [seen, [(e.arn, e.history.events) for e in executions]]

    assert once() == once()
