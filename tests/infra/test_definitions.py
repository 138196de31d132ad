"""INF-06: the definitions are whole, and the check refuses each way of not being so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.components.state_machines import DEFINITIONS, load_definition
from infra.definitions.checks import (
    LAMBDA_INVOKE,
    DefinitionError,
    check_definition,
    distributed_maps_of,
    task_resources,
)
from infra.definitions.distributed_maps import GET_OBJECT, PUT_OBJECT
from infra.definitions.substitution import placeholders
from tests.support.evaluation import Evaluation

NAMES = sorted(path.name.removesuffix(".asl.json") for path in DEFINITIONS.glob("*.asl.json"))
RETRY = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ]
    },
    {"ErrorEquals": ["States.ALL"]},
]


def good() -> dict[str, Any]:
    """One of each: a task, a wait for a token, a choice, a map of each mode with a task inside, the ends."""
    task = {
        "Comment": "c",
        "Type": "Task",
        "Resource": LAMBDA_INVOKE,
        "Parameters": {"FunctionName": "${A}"},
        "TimeoutSeconds": 60,
        "Retry": RETRY,
        "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "bad"}, {"ErrorEquals": ["States.ALL"], "Next": "bad"}],
        "Next": "choose",
    }
    inner = {key: value for key, value in task.items() if key not in ("Catch", "Next")} | {"End": True}
    definition = {
        "StartAt": "task",
        "TimeoutSeconds": 100,
        "States": {
            "task": task,
            "choose": {
                "Comment": "c",
                "Type": "Choice",
                "Choices": [{"Variable": "$.x", "NumericEquals": 0, "Next": "wait"}],
                "Default": "all",
            },
            "wait": {**task, "Resource": f"{LAMBDA_INVOKE}.waitForTaskToken", "Next": "task"},
            "all": {
                "Comment": "c",
                "Type": "Map",
                "ItemProcessor": {"StartAt": "one", "States": {"one": inner}},
                "Next": "rows",
            },
            "rows": {
                "Comment": "c",
                "Type": "Map",
                "Label": "rows",
                "MaxConcurrency": 50,
                "ToleratedFailurePercentage": 100,
                "ItemReader": {
                    "Resource": GET_OBJECT,
                    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                    "Parameters": {"Bucket": "${Bucket}", "Key.$": "$.key", "VersionId.$": "$.versionId"},
                },
                "ItemBatcher": {"MaxItemsPerBatch": 10},
                "ResultWriter": {"Resource": PUT_OBJECT, "Parameters": {"Bucket": "${Bucket}", "Prefix": "results"}},
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                    "StartAt": "row",
                    "States": {"row": inner},
                },
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "bad"}],
                "Next": "good",
            },
            "good": {"Comment": "c", "Type": "Succeed"},
            "bad": {"Comment": "c", "Type": "Fail"},
        },
    }
    copied: dict[str, Any] = json.loads(json.dumps(definition))  # so that no two states share a part
    return copied


Edit = Callable[[dict[str, Any]], object]

#: What is done to the good definition, and the problem that must be told.
WRONG: dict[str, tuple[Edit, str]] = {
    "no machine timeout": (lambda d: d.pop("TimeoutSeconds"), "the machine needs TimeoutSeconds"),
    "bad StartAt": (
        lambda d: d.update(StartAt="tsk"),
        "the machine: StartAt 'tsk' is not a state; states: task, choose, wait, all, rows, good, bad",
    ),
    "no StartAt": (lambda d: d.pop("StartAt"), "the machine: StartAt None is not a state"),
    "no states": (lambda d: d.pop("States"), "the machine: StartAt 'task' is not a state; states: none"),
    "bad StartAt in a map": (
        lambda d: d["States"]["all"]["ItemProcessor"].update(StartAt="two"),
        "all: StartAt 'two' is not a state; states: one",
    ),
    "no processor in a map": (lambda d: d["States"]["all"].pop("ItemProcessor"), "all: StartAt None is not a state"),
    "dangling Next": (lambda d: d["States"]["task"].update(Next="chose"), "task: next state 'chose' does not exist"),
    "dangling Default": (
        lambda d: d["States"]["choose"].update(Default="al"),
        "choose: next state 'al' does not exist",
    ),
    "dangling choice": (
        lambda d: d["States"]["choose"]["Choices"][0].update(Next="wai"),
        "choose: next state 'wai' does not exist",
    ),
    "choice without Next": (
        lambda d: d["States"]["choose"]["Choices"][0].pop("Next"),
        "choose: next state None does not exist",
    ),
    "dangling Catch": (
        lambda d: d["States"]["task"]["Catch"][1].update(Next="worse"),
        "task: next state 'worse' does not exist",
    ),
    "Next out of a map": (
        lambda d: d["States"]["all"]["ItemProcessor"]["States"]["one"].update(Next="good"),
        "all/one: next state 'good' does not exist",
    ),
    "unreachable": (lambda d: d["States"].update(lost={"Comment": "c", "Type": "Pass", "End": True}), "lost can't be"),
    "no end": (lambda d: _without_end(d), "the machine has no end"),
    "neither Next nor End": (lambda d: d["States"]["task"].pop("Next"), "task: needs Next or End"),
    "Choice without Default": (lambda d: d["States"]["choose"].pop("Default"), "choose: needs Default"),
    "unknown type": (
        lambda d: d["States"]["good"].update(Type="Success"),
        "good: Type 'Success' is not one of Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait",
    ),
    "no Comment": (lambda d: d["States"]["good"].pop("Comment"), "good: needs a Comment"),
    "task without timeout": (lambda d: d["States"]["task"].pop("TimeoutSeconds"), "task: a Task needs TimeoutSeconds"),
    "task with timeout 0": (lambda d: d["States"]["task"].update(TimeoutSeconds=0), "task: a Task needs TimeoutSecond"),
    "token wait without timeout": (
        lambda d: d["States"]["wait"].pop("TimeoutSeconds"),
        "wait: a Task needs TimeoutSeconds (a wait for a token never ends without one)",
    ),
    "task without Retry": (lambda d: d["States"]["task"].pop("Retry"), "task: a Task needs Retry"),
    "Retry without Lambda's errors": (
        lambda d: d["States"]["task"]["Retry"][0]["ErrorEquals"].remove("Lambda.SdkClientException"),
        "task: Retry lacks Lambda.SdkClientException",
    ),
    "task without Catch": (lambda d: d["States"]["task"].pop("Catch"), "task: a Task needs Catch"),
    "Catch without States.ALL": (
        lambda d: d["States"]["task"]["Catch"].pop(),
        "task: Catch must end with States.ALL",
    ),
    "Retry without ErrorEquals": (
        lambda d: d["States"]["task"]["Retry"][1].pop("ErrorEquals"),
        "task: Retry[1] needs ErrorEquals",
    ),
    "empty ErrorEquals": (
        lambda d: d["States"]["task"]["Catch"][0].update(ErrorEquals=[]),
        "task: Catch[0] needs ErrorEquals",
    ),
    "Catch without Next": (lambda d: d["States"]["task"]["Catch"][0].pop("Next"), "task: Catch[0] needs Next"),
    "States.ALL not last in Retry": (
        lambda d: d["States"]["task"]["Retry"].reverse(),
        "task: Retry[0]: States.ALL must be alone and last",
    ),
    "States.ALL not last in Catch": (
        lambda d: d["States"]["task"]["Catch"].reverse(),
        "task: Catch[0]: States.ALL must be alone and last",
    ),
    "States.ALL not alone": (
        lambda d: d["States"]["task"]["Catch"][1].update(ErrorEquals=["States.ALL", "X"]),
        "task: Catch[1]: States.ALL must be alone and last",
    ),
    "task in a map without Retry": (
        lambda d: d["States"]["all"]["ItemProcessor"]["States"]["one"].pop("Retry"),
        "all/one: a Task needs Retry",
    ),
    "task in a distributed map without Retry": (lambda d: _row(d).pop("Retry"), "rows/row: a Task needs Retry"),
    "no label": (lambda d: _rows(d).pop("Label"), "rows: needs a Label of 1 to 40 characters"),
    "long label": (lambda d: _rows(d).update(Label="x" * 41), "rows: needs a Label of 1 to 40 characters"),
    "special label": (lambda d: _rows(d).update(Label="a:b"), "rows: needs a Label of 1 to 40 characters"),
    "no execution type": (
        lambda d: _rows(d)["ItemProcessor"]["ProcessorConfig"].pop("ExecutionType"),
        "rows: ExecutionType None is not STANDARD or EXPRESS",
    ),
    "no concurrency": (lambda d: _rows(d).pop("MaxConcurrency"), "rows: needs MaxConcurrency"),
    "no tolerance": (
        lambda d: _rows(d).pop("ToleratedFailurePercentage"),
        "rows: needs one of ToleratedFailurePercentage",
    ),
    "no reader config": (
        lambda d: _rows(d)["ItemReader"].pop("ReaderConfig"),
        "rows: ReaderConfig.InputType None is not one of CSV, JSON",
    ),
    "no header location": (
        lambda d: _rows(d)["ItemReader"]["ReaderConfig"].pop("CSVHeaderLocation"),
        "rows: ReaderConfig.CSVHeaderLocation None is not FIRST_ROW or GIVEN",
    ),
    "no headers": (
        lambda d: _rows(d)["ItemReader"]["ReaderConfig"].update(CSVHeaderLocation="GIVEN"),
        "rows: ReaderConfig needs CSVHeaders",
    ),
    "other reader": (
        lambda d: _rows(d)["ItemReader"].update(Resource="arn:aws:states:::s3:listObjectsV2"),
        "rows: ItemReader.Resource 'arn:aws:states:::s3:listObjectsV2' is not arn:aws:states:::s3:getObject",
    ),
    "reader without key": (
        lambda d: _rows(d)["ItemReader"]["Parameters"].pop("Key.$"),
        "rows: ItemReader needs the parameter Key",
    ),
    "writer without bucket": (
        lambda d: _rows(d)["ResultWriter"]["Parameters"].pop("Bucket"),
        "rows: ResultWriter needs the parameter Bucket",
    ),
    "batcher without limit": (
        lambda d: _rows(d).update(ItemBatcher={"BatchInput": {}}),
        "rows: ItemBatcher needs MaxItemsPerBatch or MaxInputBytesPerBatch",
    ),
    "distributed map without Catch": (lambda d: _rows(d).pop("Catch"), "rows: a Distributed Map needs Catch"),
    "token in an EXPRESS child": (
        lambda d: _row(d).update(Resource=f"{LAMBDA_INVOKE}.waitForTaskToken"),
        "rows/row: an EXPRESS child can't wait for a task token",
    ),
    "long task in an EXPRESS child": (
        lambda d: _row(d).update(TimeoutSeconds=300),
        "rows/row: TimeoutSeconds 300 is not below 300",
    ),
    "map in an EXPRESS child": (
        lambda d: _rows(d)["ItemProcessor"]["States"].update(row=json.loads(json.dumps(_rows(d)))),
        "rows/row: a Distributed Map can't run in an EXPRESS child",
    ),
}


def _rows(definition: dict[str, Any]) -> dict[str, Any]:
    rows: dict[str, Any] = definition["States"]["rows"]
    return rows


def _row(definition: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = _rows(definition)["ItemProcessor"]["States"]["row"]
    return row


def _without_end(definition: dict[str, Any]) -> None:
    _no_catch(definition)
    states = definition["States"]
    states["all"].update(Next="task")
    del states["good"], states["bad"]


def _no_catch(definition: dict[str, Any]) -> None:
    for state in definition["States"].values():
        state.pop("Catch", None)


def problems(definition: dict[str, Any]) -> list[str]:
    try:
        check_definition("m", definition)
    except DefinitionError as error:
        return error.problems
    return []


def test_inf_06_a_good_definition_passes() -> None:
    assert problems(good()) == []


@pytest.mark.parametrize("case", sorted(WRONG))
def test_inf_06_each_rule_refuses_its_example(case: str) -> None:
    edit, expected = WRONG[case]
    definition = good()
    edit(definition)
    found = problems(definition)
    assert any(problem.startswith(expected) for problem in found), found


def test_inf_06_all_problems_at_once() -> None:
    definition = good()
    definition["States"]["task"].pop("Retry")
    definition["States"]["wait"].pop("TimeoutSeconds")
    definition.pop("TimeoutSeconds")
    with pytest.raises(DefinitionError) as caught:
        check_definition("m", definition)
    assert len(caught.value.problems) == 3
    assert str(caught.value).splitlines() == [f"m: {problem}" for problem in caught.value.problems]


def test_tasks_are_found_however_deep() -> None:
    definition = good()
    definition["States"]["all"]["ItemProcessor"]["States"]["one"]["Parameters"]["FunctionName"] = "${B}"
    _row(definition)["Parameters"]["FunctionName"] = "${C}"
    assert task_resources(definition) == {(LAMBDA_INVOKE, f"${{{name}}}") for name in "ABC"}
    assert [name for name, _ in distributed_maps_of(definition)] == ["rows"]
    assert placeholders(definition) == {"A", "B", "C", "Bucket"}


def test_without_catch_where_none_is_needed() -> None:
    definition = good()
    _no_catch(definition)
    definition["States"].pop("bad")
    check_definition("m", definition, needs_catch=False)


@pytest.mark.parametrize("name", NAMES)
def test_inf_06_the_real_definitions_pass(name: str) -> None:
    definition = load_definition(name)
    assert placeholders(definition), f"{name} calls nothing"


def test_inf_06_every_definition_is_deployed_with_its_placeholders_filled(stack: Evaluation) -> None:
    machines = stack.of_type("aws:sfn/stateMachine:StateMachine")
    deployed = [json.loads(props["definition"]) for props in machines.values()]
    assert len(NAMES) <= len(machines)
    for name in NAMES:
        states = list(load_definition(name)["States"])
        matching = [one for one in deployed if sorted(one["States"]) == sorted(states)]
        assert matching, f"{name} is in no state machine"
    for definition in deployed:
        assert placeholders(definition) == set()
        for resource, function in task_resources(definition):
            assert resource == LAMBDA_INVOKE
            assert function.startswith("arn:aws:lambda:"), function
