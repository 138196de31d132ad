"""Map and Parallel: concurrency, order, failure."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Failed, Runtime, chain, task


def mapped(state: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    processor = chain(("item", state or task()))
    return {"Type": "Map", "ItemProcessor": processor, **fields}


@pytest.mark.parametrize(
    ("limit", "items", "most", "seconds"), [(0, 10, 10, 5), (3, 10, 3, 20), (1, 4, 1, 20), (0, 90, 40, 15)]
)
def test_max_concurrency(runtime: Runtime, limit: int, items: int, most: int, seconds: float) -> None:
    def slow(event: Any) -> Any:
        runtime.scheduler.sleep(5)
        return event * 10

    runtime.define(work=slow)
    execution = runtime.run(chain(("m", mapped(MaxConcurrency=limit))), list(range(items)))
    assert execution.output == [n * 10 for n in range(items)]
    assert runtime.functions.most_running == most
    assert runtime.seconds(execution) == seconds


def test_concurrency_from_a_path(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(5))
    runtime.run(chain(("m", mapped(MaxConcurrencyPath="$.n", ItemsPath="$.items"))), {"n": 2, "items": [1, 2, 3]})
    assert runtime.functions.most_running == 2


def test_with_concurrency_one_the_items_come_in_order(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(1))
    runtime.run(chain(("m", mapped(MaxConcurrency=1))), [3, 1, 2])
    assert [call.payload for call in runtime.functions.calls] == [3, 1, 2]


def test_an_empty_array_gives_an_empty_array(runtime: Runtime) -> None:
    assert runtime.run(chain(("m", mapped())), []).output == []


@pytest.mark.parametrize("data", [{"a": 1}, "text", None])
def test_items_that_are_no_array_are_a_runtime_error(runtime: Runtime, data: Any) -> None:
    execution = runtime.run(chain(("m", mapped(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "m"}]))), data)
    assert execution.error == "States.Runtime"


def test_a_failed_iteration_fails_the_map_and_ends_the_others(runtime: Runtime) -> None:
    def behave(event: Any) -> Any:
        runtime.scheduler.sleep(2 if event == "bad" else 10)
        if event == "bad":
            raise Failed("Boom")

    runtime.define(work=behave, after=lambda event: event)
    two_steps = chain(("item", task()), ("after", task("after")))
    catch = [{"ErrorEquals": ["Boom"], "Next": "end"}]
    state = {"Type": "Map", "ItemProcessor": two_steps, "Catch": catch, "End": True}
    execution = runtime.run(chain(("m", state), ("end", {"Type": "Succeed"})), ["good", "bad", "good"])
    assert execution.status == "SUCCEEDED"
    assert execution.output["Error"] == "Boom"
    assert runtime.seconds(execution) == 2
    assert "after" not in [call.function for call in runtime.functions.calls]
    types = [event.type for event in execution.history.events]
    assert types.count("MapIterationStarted") == 3
    assert types.count("MapIterationFailed") == 1
    assert "MapStateFailed" in types


def test_a_retry_of_the_map_runs_all_items_again(runtime: Runtime) -> None:
    tries = {"n": 0}

    def behave(event: Any) -> Any:
        tries["n"] += event == 2
        if event == 2 and tries["n"] == 1:
            raise Failed("Once")
        return event

    runtime.define(work=behave)
    execution = runtime.run(chain(("m", mapped(MaxConcurrency=1, Retry=[{"ErrorEquals": ["Once"]}]))), [1, 2])
    assert execution.output == [1, 2]
    assert [call.payload for call in runtime.functions.calls] == [1, 2, 1, 2]


def test_item_context_is_only_for_the_selector_not_for_states_inside(runtime: Runtime) -> None:
    inside = {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index"}}
    assert runtime.run(chain(("m", mapped(inside))), [1]).error == "States.Runtime"
    selector = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "all.$": "$.n"}
    state = mapped({"Type": "Pass"}, ItemsPath="$.items", ItemSelector=selector)
    execution = runtime.run(chain(("m", state)), {"items": ["x", "y"], "n": 2})
    assert execution.output == [{"i": 0, "v": "x", "all": 2}, {"i": 1, "v": "y", "all": 2}]


def test_nested_maps(runtime: Runtime) -> None:
    runtime.define(work=lambda event: event + 1)
    inner = {"Type": "Map", "ItemProcessor": chain(("leaf", task())), "MaxConcurrency": 2}
    assert runtime.run(chain(("m", mapped(inner))), [[1, 2], [], [3]]).output == [[2, 3], [], [4]]


def test_stopping_ends_nested_iterations_before_their_next_call(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(10), after=lambda event: event)
    inner = {"Type": "Map", "ItemProcessor": chain(("leaf", task()), ("after", task("after")))}
    execution = runtime.start(chain(("m", mapped(inner))), [[1, 2], [3]])
    runtime.scheduler.run_for(5)
    runtime.manager.stop_execution(execution.arn, "Operator", "enough")
    runtime.scheduler.run_until_idle()
    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Operator", "enough")
    assert {call.function for call in runtime.functions.calls} == {"work"}
    assert execution.history.events[-1].type == "ExecutionAborted"


def test_a_branch_of_parallel_that_fails_ends_the_others(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(10), after=lambda event: event)
    branches = [chain(("slow", task()), ("after", task("after"))), chain(("f", {"Type": "Fail", "Error": "E"}))]
    execution = runtime.run(chain(("p", {"Type": "Parallel", "Branches": branches})))
    assert (execution.error, runtime.seconds(execution)) == ("E", 0)
    assert [call.function for call in runtime.functions.calls if call.function == "after"] == []
