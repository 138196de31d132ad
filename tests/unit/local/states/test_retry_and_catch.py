"""Retries: exact counts and delays. Catch: what the next state gets, and which errors nothing catches."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest

from local.states.limits import PAYLOAD_BYTES
from local.states.running.retry import Retrier, Retries, matches

from .conftest import Failed, Runtime, chain, task


def fail_with(error_type: str) -> Any:
    def behave(event: Any) -> Any:
        raise Failed(error_type, "broken")

    return behave


def waits(runtime: Runtime) -> list[float]:
    return [round(b.at - a.at, 3) for a, b in pairwise(runtime.functions.calls)]


def test_retry_delays_follow_the_documented_formula_and_cap(runtime: Runtime) -> None:
    runtime.define(work=fail_with("Transient"))
    retry = [
        {
            "ErrorEquals": ["Transient"],
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 6,
            "MaxDelaySeconds": 20,
        }
    ]
    execution = runtime.run(chain(("a", task(Retry=retry))))
    # interval x rate^(n-1), at most MaxDelaySeconds; 1 call and 6 retries
    assert waits(runtime) == [2, 4, 8, 16, 20, 20]
    assert (execution.status, execution.error) == ("FAILED", "Transient")
    assert json.loads(execution.cause or "")["errorMessage"] == "broken"


def test_full_jitter_stays_between_zero_and_the_delay_and_replays_with_the_seed() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 6, "JitterStrategy": "FULL"}]
    seen = []
    for _ in range(2):
        runtime = Runtime()
        runtime.define(work=fail_with("E"))
        runtime.run(chain(("a", task(Retry=retry))))
        seen.append(waits(runtime))
    assert seen[0] == seen[1]
    assert all(0 <= wait <= 2 * 2**n for n, wait in enumerate(seen[0]))
    assert seen[0] != [2, 4, 8, 16, 32, 64]


def test_retry_defaults_are_one_second_three_attempts_rate_two(runtime: Runtime) -> None:
    runtime.define(work=fail_with("E"))
    runtime.run(chain(("a", task(Retry=[{"ErrorEquals": ["E"]}]))))
    assert waits(runtime) == [1, 2, 4]


def test_first_matching_retrier_decides_even_when_it_is_used_up(runtime: Runtime) -> None:
    runtime.define(work=fail_with("E"))
    retry = [{"ErrorEquals": ["E"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]
    runtime.run(chain(("a", task(Retry=retry))))
    assert len(runtime.functions.calls) == 2


def test_retry_counters_start_anew_at_the_next_visit_of_the_state(runtime: Runtime) -> None:
    runtime.define(work=fail_with("E"), count=lambda event: event)
    again = {"Type": "Choice", "Choices": [{"Variable": "$.Error", "StringEquals": "E", "Next": "b"}]}
    catch: dict[str, Any] = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "choose"}]}
    retry: dict[str, Any] = {"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]}
    definition = {
        "StartAt": "a",
        "States": {
            "a": task(**retry, **catch, End=True),
            "choose": again,
            "b": task(**retry, End=True),
        },
    }
    runtime.run(definition)
    assert len(runtime.functions.calls) == 4


def test_retry_count_is_in_the_context_and_zero_again_in_the_next_state(runtime: Runtime) -> None:
    seen: list[Any] = []

    def behave(event: Any) -> Any:
        seen.append((event["state"], event["count"]))
        if event["state"] == "a" and event["count"] < 2:
            raise Failed("E")
        return event

    runtime.define(work=behave)
    parameters = {"count.$": "$$.State.RetryCount", "state.$": "$$.State.Name"}
    fields: dict[str, Any] = {"Parameters": parameters, "Retry": [{"ErrorEquals": ["E"]}]}
    runtime.run(chain(("a", task(**fields)), ("b", task(**fields))))
    assert seen == [("a", 0), ("a", 1), ("a", 2), ("b", 0)]


def test_pipe_13_catch_of_a_state_with_array_input_replaces_it(runtime: Runtime) -> None:
    runtime.define(work=fail_with("Boom"))
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$", "Next": "record"}]
    fail = {"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"}
    execution = runtime.run(chain(("a", task(Catch=catch, End=True)), ("record", fail)), [1, 2])
    assert (execution.status, execution.error) == ("FAILED", "Boom")
    assert json.loads(execution.cause or "") == {"errorMessage": "broken", "errorType": "Boom", "stackTrace": []}


def test_catch_with_result_path_null_hands_on_the_input_without_output_path(runtime: Runtime) -> None:
    runtime.define(work=fail_with("Boom"))
    catch = [{"ErrorEquals": ["Boom"], "ResultPath": None, "Next": "b"}]
    state = task(Catch=catch, InputPath="$.inner", OutputPath="$.Payload", End=True)
    execution = runtime.run(chain(("a", state), ("b", {"Type": "Succeed"})), {"inner": {"x": 1}})
    assert execution.output == {"inner": {"x": 1}}


def test_caught_timeout_has_an_empty_cause(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(100))
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "b"}]
    execution = runtime.run(chain(("a", task(TimeoutSeconds=5, Catch=catch, End=True)), ("b", {"Type": "Succeed"})))
    assert execution.output == {"Error": "States.Timeout", "Cause": ""}


@pytest.mark.parametrize("broken", [{"InputPath": "$.missing"}, {"OutputPath": "$.missing"}])
def test_runtime_errors_are_neither_retried_nor_caught(runtime: Runtime, broken: dict[str, Any]) -> None:
    runtime.define(work=lambda event: event)
    guards: dict[str, Any] = {
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "b"}],
    }
    execution = runtime.run(chain(("a", task(**broken, **guards, End=True)), ("b", {"Type": "Succeed"})))
    assert (execution.status, execution.error, execution.visited()) == ("FAILED", "States.Runtime", ["a"])
    assert "the state 'a' (entered at the event id #2)" in (execution.cause or "")


def test_data_limit_is_not_caught_by_all_but_by_its_name(runtime: Runtime) -> None:
    runtime.define(work=lambda event: "x" * PAYLOAD_BYTES)
    for name, status in (("States.ALL", "FAILED"), ("States.DataLimitExceeded", "SUCCEEDED")):
        catch = [{"ErrorEquals": [name], "Next": "b"}]
        execution = runtime.run(chain(("a", task(Catch=catch, End=True)), ("b", {"Type": "Succeed"})))
        assert execution.status == status


@pytest.mark.parametrize(
    ("names", "error", "expected"),
    [
        (["States.ALL"], "Anything", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.ALL"], "States.Runtime", False),
        (["States.TaskFailed"], "Lambda.Unknown", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.Timeout"], "States.HeartbeatTimeout", True),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
        (["Boom"], "boom", False),
    ],
)
def test_which_names_match_which_errors(names: list[str], error: str, expected: bool) -> None:
    assert matches(names, error, of_task=True) is expected


def test_huge_attempt_numbers_do_not_overflow() -> None:
    retries = Retries([Retrier(("E",), max_attempts=10_000)], of_task=True)
    delays = [retries.next_delay("E", random.Random(1)) for _ in range(5_000)]
    assert delays[:3] == [1, 2, 4]
    assert delays[-1] == 31_622_400.0
