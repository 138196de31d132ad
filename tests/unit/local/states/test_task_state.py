"""Timeouts, heartbeats, task tokens, error names and payload limits of a Task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.functions.model import TooManyRequests
from local.states.errors import InvalidOutput, InvalidToken, TaskDoesNotExist, TaskTimedOut
from local.states.limits import PAYLOAD_BYTES
from local.states.running.tokens import Answer, TokenRegistry

from .conftest import INVOKE, Failed, Runtime, callback, chain, task


def event_types(execution: Any) -> list[str]:
    return [event.type for event in execution.history.events]


class Nobody:
    def accepted(self, answer: Any) -> None: ...

    def answered(self, answer: Any) -> None: ...

    def beat(self) -> None: ...


# -- timeouts -------------------------------------------------------------------------------------------


def test_timeout_ends_the_task_and_its_late_answer_is_ignored(runtime: Runtime) -> None:
    finished: list[float] = []

    def slow(event: Any) -> Any:
        runtime.scheduler.sleep(60)
        finished.append(runtime.scheduler.now())
        return "late"

    runtime.define(work=slow)
    execution = runtime.run(chain(("a", task(TimeoutSeconds=5))))
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "States.Timeout", None)
    assert runtime.seconds(execution) == 5
    assert len(finished) == 1  # the function itself went on
    assert "LambdaFunctionTimedOut" in event_types(execution)


def test_timeout_from_a_path(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(60))
    execution = runtime.run(chain(("a", task(TimeoutSecondsPath="$.limit"))), {"limit": 3})
    assert (execution.error, runtime.seconds(execution)) == ("States.Timeout", 3)
    execution = runtime.run(chain(("a", task(TimeoutSecondsPath="$.limit"))), {"limit": "3"})
    assert execution.error == "States.Runtime"


def test_heartbeats_keep_a_task_alive_until_one_is_missing(runtime: Runtime) -> None:
    def ask(event: Any) -> Any:
        for _ in range(3):
            runtime.scheduler.sleep(8)
            runtime.manager.send_task_heartbeat(event["token"])

    runtime.define(ask=ask)
    execution = runtime.run(chain(("a", callback(HeartbeatSeconds=10, TimeoutSeconds=300))))
    assert (execution.error, runtime.seconds(execution)) == ("States.HeartbeatTimeout", 34)


def test_a_task_that_never_sends_a_heartbeat_ends_when_the_first_is_due(runtime: Runtime) -> None:
    runtime.define(ask=lambda event: None)
    execution = runtime.run(chain(("a", callback(HeartbeatSeconds=10, TimeoutSeconds=300))))
    assert (execution.error, runtime.seconds(execution)) == ("States.HeartbeatTimeout", 10)


def test_heartbeats_do_not_move_the_timeout(runtime: Runtime) -> None:
    def ask(event: Any) -> Any:
        for _ in range(20):
            runtime.scheduler.sleep(2)
            try:
                runtime.manager.send_task_heartbeat(event["token"])
            except TaskTimedOut:
                return

    runtime.define(ask=ask)
    execution = runtime.run(chain(("a", callback(HeartbeatSeconds=5, TimeoutSeconds=15))))
    assert (execution.error, runtime.seconds(execution)) == ("States.Timeout", 15)


# -- tokens ---------------------------------------------------------------------------------------------


def test_a_function_may_answer_its_own_token_while_it_runs(runtime: Runtime) -> None:
    def ask(event: Any) -> Any:
        runtime.manager.send_task_success(event["token"], '{"resumed": true}')
        runtime.scheduler.sleep(30)
        raise Failed("TooLate")

    runtime.define(ask=ask)
    execution = runtime.run(chain(("a", callback(TimeoutSeconds=300))))
    assert (execution.status, execution.output) == ("SUCCEEDED", {"resumed": True})
    assert runtime.seconds(execution) == 0


def test_an_accepted_answer_wins_over_an_error_of_the_function_right_after_it(runtime: Runtime) -> None:
    def ask(event: Any) -> Any:
        runtime.manager.send_task_success(event["token"], "1")
        raise Failed("AfterTheAnswer")

    runtime.define(ask=ask)
    assert runtime.run(chain(("a", callback()))).output == 1


def test_an_accepted_answer_wins_over_a_timeout_at_the_same_moment(runtime: Runtime) -> None:
    tokens: list[str] = []
    runtime.define(ask=lambda event: tokens.append(event["token"]))
    execution = runtime.start(chain(("a", callback(TimeoutSeconds=60))))
    runtime.scheduler.run_for(30)
    accepted = runtime.manager.tokens.take(tokens[0])  # by another thread; the scheduler will hear of it later
    runtime.scheduler.run_for(60)
    assert execution.status == "RUNNING"
    accepted.answered(Answer(output=1))
    runtime.scheduler.run_until_idle()
    assert execution.output == 1


def test_the_functions_own_answer_is_ignored(runtime: Runtime) -> None:
    tokens: list[str] = []

    def ask(event: Any) -> str:
        tokens.append(event["token"])
        return "not this"

    runtime.define(ask=ask)
    execution = runtime.start(chain(("a", callback(TimeoutSeconds=300))))
    runtime.scheduler.run_for(20)
    assert execution.status == "RUNNING"
    runtime.manager.send_task_success(tokens[0], '"this"')
    runtime.scheduler.run_until_idle()
    assert execution.output == "this"
    assert event_types(execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_an_error_of_the_function_fails_the_task_and_a_retry_gets_a_new_token(runtime: Runtime) -> None:
    tokens: list[str] = []

    def ask(event: Any) -> Any:
        tokens.append(event["token"])
        if len(tokens) == 1:
            raise Failed("Transient")
        runtime.manager.send_task_success(event["token"], "1")

    runtime.define(ask=ask)
    execution = runtime.run(chain(("a", callback(Retry=[{"ErrorEquals": ["Transient"]}]))))
    assert execution.status == "SUCCEEDED"
    assert tokens[0] != tokens[1]
    with pytest.raises(TaskTimedOut):
        runtime.manager.send_task_success(tokens[0], "2")


def test_a_failure_sent_by_token_has_its_error_and_cause(runtime: Runtime) -> None:
    runtime.define(ask=lambda event: runtime.manager.send_task_failure(event["token"], "Refused", "no budget"))
    execution = runtime.run(chain(("a", callback())))
    assert (execution.status, execution.error, execution.cause) == ("FAILED", "Refused", "no budget")


def test_an_answer_after_the_timeout_is_refused(runtime: Runtime) -> None:
    tokens: list[str] = []
    runtime.define(ask=lambda event: tokens.append(event["token"]))
    execution = runtime.run(chain(("a", callback(TimeoutSeconds=60))))
    assert execution.error == "States.Timeout"
    with pytest.raises(TaskTimedOut, match="Provided task does not exist anymore"):
        runtime.manager.send_task_success(tokens[0], "1")


def test_only_the_first_answer_counts(runtime: Runtime) -> None:
    tokens: list[str] = []
    runtime.define(ask=lambda event: tokens.append(event["token"]))
    execution = runtime.start(chain(("a", callback())))
    runtime.scheduler.run_until_idle()
    runtime.manager.send_task_success(tokens[0], '"first"')
    # before the execution had a chance to see it, and after
    with pytest.raises(TaskTimedOut):
        runtime.manager.send_task_success(tokens[0], '"second"')
    runtime.scheduler.run_until_idle()
    with pytest.raises(TaskTimedOut):
        runtime.manager.send_task_failure(tokens[0], "E")
    assert execution.output == "first"


def test_unknown_and_malformed_tokens(runtime: Runtime) -> None:
    unknown = TokenRegistry(runtime.scheduler.random).new()
    with pytest.raises(TaskDoesNotExist):
        runtime.manager.send_task_success(unknown, "1")
    for malformed in ("", "abc", unknown[:-1]):
        with pytest.raises(InvalidToken):
            runtime.manager.send_task_heartbeat(malformed)


def test_closed_tokens_are_forgotten_beyond_a_limit(runtime: Runtime) -> None:
    registry = TokenRegistry(runtime.scheduler.random, remembered=1)
    first, second = registry.new(), registry.new()
    registry.issue(Nobody(), first)
    registry.issue(Nobody(), second)
    registry.close(first)
    registry.close(second)
    with pytest.raises(TaskDoesNotExist):
        registry.take(first)
    with pytest.raises(TaskTimedOut):
        registry.take(second)


@pytest.mark.parametrize("output", ["not json", "NaN", '"' + "x" * (PAYLOAD_BYTES - 1) + '"'])
def test_a_bad_output_is_refused_and_leaves_the_token_usable(runtime: Runtime, output: str) -> None:
    tokens: list[str] = []
    runtime.define(ask=lambda event: tokens.append(event["token"]))
    execution = runtime.start(chain(("a", callback())))
    runtime.scheduler.run_until_idle()
    with pytest.raises(InvalidOutput):
        runtime.manager.send_task_success(tokens[0], output)
    runtime.manager.send_task_success(tokens[0], "1")
    runtime.scheduler.run_until_idle()
    assert execution.output == 1


def test_there_is_no_token_outside_of_a_task_that_waits(runtime: Runtime) -> None:
    parameters = {"token.$": "$$.Task.Token"}
    execution = runtime.run(chain(("a", {"Type": "Pass", "Parameters": parameters})))
    assert execution.error == "States.Runtime"


# -- error names ----------------------------------------------------------------------------------------


def test_a_missing_function_and_a_throttle_have_lambdas_names(runtime: Runtime) -> None:
    def throttled(event: Any) -> Any:
        raise TooManyRequests("Rate exceeded")

    runtime.define(busy=throttled)
    assert runtime.run(chain(("a", task("nobody")))).error == "Lambda.ResourceNotFoundException"
    execution = runtime.run(chain(("a", task("busy"))))
    assert (execution.error, execution.cause) == ("Lambda.TooManyRequestsException", "Rate exceeded")


@pytest.mark.parametrize("name", ["Sandbox.Timedout", "Runtime.ExitError", "OrderConflict"])
def test_a_functions_error_type_is_the_error_name(runtime: Runtime, name: str) -> None:
    def broken(event: Any) -> Any:
        raise Failed(name, "why")

    runtime.define(work=broken)
    invoke = {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": "work", "Payload.$": "$"}}
    execution = runtime.run(chain(("a", invoke)))
    assert execution.error == name
    assert json.loads(execution.cause or "")["errorMessage"] == "why"
    assert event_types(execution) == [
        "ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed",
    ]  # fmt: skip


# -- payload limit --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("extra", "status"), [(0, "SUCCEEDED"), (1, "FAILED")])
def test_a_result_may_have_262144_bytes_of_utf8_and_no_more(runtime: Runtime, extra: int, status: str) -> None:
    # two quotes, a two-byte letter, the rest one byte each
    text = "é" + "x" * (PAYLOAD_BYTES - 4 + extra)
    runtime.define(work=lambda event: text)
    execution = runtime.run(chain(("a", task())))
    assert execution.status == status
    assert execution.error == (None if status == "SUCCEEDED" else "States.DataLimitExceeded")


@pytest.mark.parametrize(("extra", "status"), [(0, "SUCCEEDED"), (1, "FAILED")])
def test_a_states_output_and_a_tasks_input_are_limited_too(runtime: Runtime, extra: int, status: str) -> None:
    runtime.define(work=lambda event: None)
    half = "x" * (PAYLOAD_BYTES // 2 - 3)
    data = {"v": half[:-10]}
    rest = PAYLOAD_BYTES - len('{"a":"","b":""}') - len(data["v"]) + extra
    parameters = {"a.$": "$.v", "b": "y" * rest}
    assert runtime.run(chain(("p", {"Type": "Pass", "Parameters": parameters})), data).status == status
    assert runtime.run(chain(("t", task(Parameters=parameters))), data).status == status
