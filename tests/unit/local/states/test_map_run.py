"""The Map in Distributed mode: children, concurrency, tolerance, stop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.states import Execution
from local.states.maps.map_runs import KEEP_CHILDREN
from local.states.running.executions import RUNNING

from .conftest import WRITER, Failed, Runtime, callback, chain, csv_reader, distributed, task

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m1"


def events(execution: Execution) -> list[str]:
    return [event.type for event in execution.history.events]


def only_map_run(runtime: Runtime, execution: Execution) -> Any:
    (map_run,) = runtime.manager.map_runs.of_execution(execution.arn)
    return map_run


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_outputs_come_in_the_order_of_the_items(runtime: Runtime, kind: str) -> None:
    def slow(event: Any) -> Any:
        runtime.scheduler.sleep(10 - event)
        return event * 10

    runtime.define(work=slow)
    execution = runtime.run(chain(("m", distributed(kind=kind))), [3, 1, 2])
    assert execution.output == [30, 10, 20]
    assert events(execution) == [
        *("ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunSucceeded"),
        *("MapStateSucceeded", "MapStateExited", "ExecutionSucceeded"),
    ]


@pytest.mark.parametrize(
    ("limit", "items", "most", "seconds"), [(0, 90, 90, 5), (3, 10, 3, 20), (1, 4, 1, 20), (0, 1_500, 1_000, 10)]
)
def test_never_more_children_than_max_concurrency(
    runtime: Runtime, limit: int, items: int, most: int, seconds: float
) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(5))
    execution = runtime.run(chain(("m", distributed(MaxConcurrency=limit))), list(range(items)))
    assert runtime.functions.most_running == most
    assert runtime.seconds(execution) == seconds


def test_concurrency_from_a_path(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(5))
    state = distributed(MaxConcurrencyPath="$.n", ItemsPath="$.items")
    execution = runtime.run(chain(("m", state)), {"n": 2, "items": [1, 2, 3]})
    assert runtime.functions.most_running == 2
    assert only_map_run(runtime, execution).max_concurrency == 2


@pytest.mark.parametrize(("kind", "part"), [("STANDARD", "execution"), ("EXPRESS", "express")])
def test_a_child_has_a_context_of_its_own(runtime: Runtime, kind: str, part: str) -> None:
    seen = {"Type": "Pass", "Parameters": {"c.$": "$$"}}
    state = distributed(seen, kind, ItemSelector={"who.$": "$$.Execution.Name", "n.$": "$$.Map.Item.Value"})
    execution = runtime.run(chain(("m", state)), [7])
    (output,) = execution.output
    context = output["c"]
    child = context["Execution"]
    prefix = f"arn:aws:states:us-east-1:123456789012:{part}:m1/rows:{child['Name']}"
    assert child["Id"].startswith(prefix)
    assert len(child["Id"].split(":")) == (9 if kind == "EXPRESS" else 8)
    assert child["Name"] != execution.name
    assert child["Input"] == {"who": "e1", "n": 7}
    assert child["RoleArn"] == execution.machine.role_arn
    assert context["StateMachine"] == {"Id": f"{MACHINE}/rows", "Name": "m1/rows"}
    assert context["State"]["Name"] == "item"
    assert "Map" not in context


def test_the_selector_sees_input_context_and_index_over_the_whole_file(runtime: Runtime) -> None:
    runtime.objects.add("rows.csv", "code\n" + "".join(f"c{n}\n" for n in range(5)))
    selector = {
        "job.$": "$.job",
        "index.$": "$$.Map.Item.Index",
        "code.$": "$$.Map.Item.Value.code",
        "run.$": "$$.Execution.Name",
    }
    runtime.define(work=lambda event: event)
    state = distributed(ItemReader=csv_reader(), ItemSelector=selector, ItemBatcher={"MaxItemsPerBatch": 2})
    execution = runtime.run(chain(("m", state)), {"job": "j1"})
    rows = [row for batch in execution.output for row in batch["Items"]]
    assert rows == [{"job": "j1", "index": n, "code": f"c{n}", "run": "e1"} for n in range(5)]
    assert [len(batch["Items"]) for batch in execution.output] == [2, 2, 1]


def test_a_selector_that_finds_nothing_fails_the_map_run(runtime: Runtime) -> None:
    state = distributed(ItemSelector={"x.$": "$$.Map.Item.Value.missing"})
    execution = runtime.run(chain(("m", state)), [{}])
    assert execution.error == "States.Runtime"
    assert "MapRunFailed" in events(execution)


def fails_above(limit: int) -> Any:
    def behave(event: Any) -> Any:
        if event["n"] >= limit:
            raise Failed("Boom", "no")
        return event["n"]

    return behave


@pytest.mark.parametrize(
    ("fields", "failing", "error"),
    [
        ({}, 1, "States.ExceedToleratedFailureThreshold"),
        ({}, 0, None),
        ({"ToleratedFailureCount": 2}, 2, None),
        ({"ToleratedFailureCount": 2}, 3, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 30}, 3, None),
        ({"ToleratedFailurePercentage": 29.9}, 3, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 100}, 10, None),
        ({"ToleratedFailurePercentage": 0}, 1, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 50, "ToleratedFailureCount": 1}, 2, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 10, "ToleratedFailureCount": 9}, 2, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailureCountPath": "$.few"}, 2, None),
        ({"ToleratedFailurePercentagePath": "$.few"}, 2, "States.ExceedToleratedFailureThreshold"),
    ],
)
def test_tolerated_failures(runtime: Runtime, fields: dict[str, Any], failing: int, error: str | None) -> None:
    runtime.define(work=fails_above(10 - failing))
    items = [{"n": n} for n in range(10)]
    state = distributed(ItemsPath="$.items", MaxConcurrency=3, **fields)
    execution = runtime.run(chain(("m", state)), {"items": items, "few": 2})
    assert execution.error == error
    if error is not None:
        assert execution.cause == "The specified tolerated failure threshold was exceeded"
        assert events(execution)[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]
    assert only_map_run(runtime, execution).status == ("SUCCEEDED" if error is None else "FAILED")


def test_a_percentage_is_of_all_items_also_when_the_first_ones_fail(runtime: Runtime) -> None:
    def behave(event: Any) -> None:
        if event < 2:
            raise Failed("Boom")

    runtime.define(work=behave)
    state = distributed(MaxConcurrency=1, ToleratedFailurePercentage=20)
    assert runtime.run(chain(("m", state)), list(range(10))).status == "SUCCEEDED"
    assert len(runtime.functions.calls) == 10


def test_a_failed_child_fails_its_whole_batch(runtime: Runtime) -> None:
    runtime.define(work=fails_above(0))
    state = distributed({"Type": "Fail", "Error": "Boom"}, ItemBatcher={"MaxItemsPerBatch": 5}, ToleratedFailureCount=4)
    execution = runtime.run(chain(("m", state)), [{"n": n} for n in range(10)])
    assert execution.error == "States.ExceedToleratedFailureThreshold"
    map_run = only_map_run(runtime, execution)
    assert map_run.failed_items == 5 * map_run.executions["FAILED"] >= 5


def test_an_exceeded_threshold_ends_the_children_and_starts_no_more(runtime: Runtime) -> None:
    def behave(event: Any) -> Any:
        runtime.scheduler.sleep(1 if event == 0 else 100)
        if event == 0:
            raise Failed("Boom")

    runtime.define(work=behave, after=lambda event: None)
    execution = runtime.run(chain(("m", distributed(MaxConcurrency=3))), list(range(50)))
    assert runtime.seconds(execution) == 1
    assert len(runtime.functions.calls) == 3
    map_run = only_map_run(runtime, execution)
    assert map_run.executions == {"RUNNING": 0, "FAILED": 1, "ABORTED": 2}


def test_a_tolerated_failure_stands_among_the_outputs_with_its_record(runtime: Runtime) -> None:
    runtime.define(work=fails_above(1))
    execution = runtime.run(chain(("m", distributed(ToleratedFailureCount=1))), [{"n": 1}, {"n": 0}])
    failed, good = execution.output
    assert good == 0
    assert (failed["Status"], failed["Error"], json.loads(failed["Input"])) == ("FAILED", "Boom", {"n": 1})
    assert json.loads(failed["Cause"])["errorMessage"] == "no"


def test_a_failed_map_is_retried_as_a_new_map_run_and_caught(runtime: Runtime) -> None:
    runtime.define(work=fails_above(0))
    retry = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "IntervalSeconds": 5, "MaxAttempts": 1}]
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "caught"}]
    state = distributed(ItemsPath="$.items", Retry=retry, Catch=catch, Next="caught")
    execution = runtime.run(chain(("m", state), ("caught", {"Type": "Pass"})), {"items": [{"n": 1}]})
    assert execution.output["error"] == {
        "Error": "States.ExceedToleratedFailureThreshold",
        "Cause": "The specified tolerated failure threshold was exceeded",
    }
    assert runtime.seconds(execution) == 5
    assert len(runtime.manager.map_runs.of_execution(execution.arn)) == 2


def test_an_express_child_ends_after_five_minutes(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(1_000))
    execution = runtime.run(chain(("m", distributed(ToleratedFailurePercentage=100))), [1])
    assert runtime.seconds(execution) == 300
    assert execution.output[0]["Status"] == "TIMED_OUT"
    assert only_map_run(runtime, execution).failed_items == 1


def test_a_standard_child_may_take_longer_and_wait_for_a_token(runtime: Runtime) -> None:
    def ask(event: Any) -> None:
        token = event["token"]
        runtime.scheduler.call_later(1_000, lambda: runtime.manager.send_task_success(token, '{"done": true}'))

    runtime.define(ask=ask)
    execution = runtime.run(chain(("m", distributed(callback(), "STANDARD"))), [1])
    assert execution.output == [{"done": True}]
    assert runtime.seconds(execution) == 1_000


@pytest.mark.parametrize("how", ["stop", "timeout"])
def test_the_end_of_the_parent_ends_the_children(runtime: Runtime, how: str) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(100))
    second = ("second", {"Type": "Wait", "Seconds": 1, "Next": "after"})
    processor = chain(("item", task(Next="second")), second, ("after", task("later")))
    state = distributed(MaxConcurrency=2)
    state["ItemProcessor"] |= processor
    top = {"TimeoutSeconds": 10} if how == "timeout" else {}
    execution = runtime.start(chain(("m", state), **top), list(range(6)))
    runtime.scheduler.run_for(10 if how == "timeout" else 5)
    if how == "stop":
        runtime.manager.stop_execution(execution.arn)
    runtime.scheduler.run_until_idle()
    assert execution.status == ("TIMED_OUT" if how == "timeout" else "ABORTED")
    map_run = only_map_run(runtime, execution)
    assert map_run.status == "ABORTED"
    assert map_run.executions == {"RUNNING": 0, "ABORTED": 2}
    assert len(runtime.functions.calls) == 2, "no child was started afterwards, and none went on"


def test_map_runs_and_children_can_be_looked_at_while_they_run(runtime: Runtime) -> None:
    runtime.define(work=lambda event: runtime.scheduler.sleep(10 if event else 1))
    execution = runtime.start(chain(("m", distributed(kind="STANDARD", MaxConcurrency=2))), [0, 1, 2])
    runtime.scheduler.run_for(5)
    map_run = only_map_run(runtime, execution)
    assert (map_run.status, map_run.executions["SUCCEEDED"], map_run.executions["RUNNING"]) == (RUNNING, 1, 2)
    children = runtime.manager.map_runs.children(map_run.arn)
    assert [child.status for child in children] == ["RUNNING", "RUNNING", "SUCCEEDED"]
    assert children[-1].visited() == ["item"]
    assert runtime.manager.describe_execution(children[0].arn) is children[0]
    assert runtime.manager.list_executions(execution.machine.arn) == [execution]
    runtime.scheduler.run_until_idle()
    assert map_run.items == {"RUNNING": 0, "SUCCEEDED": 3}


def test_the_same_seed_gives_the_same_names() -> None:
    def names() -> list[str]:
        runtime = Runtime()
        execution = runtime.run(chain(("m", distributed({"Type": "Pass"}))), [1, 2, 3])
        map_run = only_map_run(runtime, execution)
        return [map_run.arn, *(child.arn for child in runtime.manager.map_runs.children(map_run.arn))]

    assert names() == names()
    assert len(set(names())) == 4


@pytest.mark.slow
def test_imp_18_a_hundred_thousand_children_in_bounded_memory(runtime: Runtime) -> None:
    """Inputs are made as children get free, results go to the bucket, ended children are dropped: no payload error."""
    count, limit = 100_000, 50
    runtime.objects.piece = 64 * 1024
    runtime.objects.add("rows.csv", "code,name\n" + "".join(f"c{n},name {n}\n" for n in range(count)))
    kept = []

    def work(event: Any) -> Any:
        if event["code"].endswith("999"):
            kept.append(len(runtime.manager.map_runs.children(only_map_run(runtime, execution).arn)))
            runtime.functions.calls.clear()
        return event["code"]

    runtime.define(work=work)
    state = distributed(ItemReader=csv_reader(), MaxConcurrency=limit, ResultWriter=WRITER)
    execution = runtime.start(chain(("m", state)), {})
    runtime.scheduler.run_until_idle()
    assert execution.status == "SUCCEEDED", execution.cause
    assert len(execution.history.events) == 8
    assert max(kept) <= KEEP_CHILDREN + limit
    assert runtime.functions.most_running <= limit
    manifest = runtime.objects.json(execution.output["ResultWriterDetails"]["Key"])
    files = manifest["ResultFiles"]["SUCCEEDED"]
    outputs = {one["Output"] for file in files for one in runtime.objects.json(file["Key"])}
    assert outputs == {f'"c{n}"' for n in range(count)}
    assert only_map_run(runtime, execution).items_written == count
