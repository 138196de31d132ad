"""REAL-03: every state of every definition, alone, with what its work comes to given, by the local TestState.

The same table is put to others by ``tests/real/test_states_judged.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from infra.definitions.checks import tasks_of
from local.aws.state_machines.stepfunctions import StepFunctionsApi
from local.scheduler import Scheduler
from local.states import ExecutionManager
from local.states.definition.model import ChoiceState, Definition, WorkState
from local.states.definition.parser import parse_definition
from local.states.errors import ApiError
from local.states.running.retry import matches
from local.states.running.single_state import states_of
from tests.support.state_cases import TABLE, Case, answered, cases, definitions

MACHINES = sorted(path.stem for path in TABLE.glob("*.json") if path.stem != "disagreements")


class Nothing:
    """No function is called."""

    def invoke(self, function: str, payload: Any) -> Any:
        raise AssertionError(function)


@pytest.fixture(scope="module")
def deployed() -> Mapping[str, str]:
    return definitions()


@pytest.fixture(scope="module")
def api() -> StepFunctionsApi:
    manager = ExecutionManager(Scheduler.virtual(seed=1), Nothing(), region="us-east-1", account_id="123456789012")
    return StepFunctionsApi(manager)


def test_real_03_every_machine_has_its_table(deployed: Mapping[str, str]) -> None:
    assert sorted(deployed) == MACHINES


@pytest.mark.parametrize("machine", MACHINES)
def test_real_03_every_state_ends_as_the_table_says(
    machine: str, deployed: Mapping[str, str], api: StepFunctionsApi
) -> None:
    for case in cases(machine, deployed[machine]):
        found = answered(api.test_state(case.params))
        if "error" in case.row or "parameters" not in case.expected:
            found.pop("parameters", None)  # what a failed call got is in the row of the one that succeeded
        assert found == case.expected, case.name


@pytest.mark.parametrize("machine", MACHINES)
def test_real_03_the_table_leaves_nothing_out(machine: str, deployed: Mapping[str, str]) -> None:
    definition = parse_definition(deployed[machine])
    rows = list(cases(machine, deployed[machine]))
    missing = [
        f"{state.name}: {what}"
        for state in states_of(definition.branch)
        for what in _outcomes(definition, state.name, [one for one in rows if one.row["state"] == state.name])
    ]
    assert missing == []
    assert len(rows) >= len(list(tasks_of(json.loads(deployed[machine]))))


def _outcomes(definition: Definition, name: str, rows: list[Case]) -> list[str]:
    """What a state may come to and no row shows."""
    state = next(one for one in states_of(definition.branch) if one.name == name)
    reached = {one.expected.get("nextState") for one in rows}
    missing = [] if rows else ["no row"]
    if isinstance(state, ChoiceState):
        missing += [f"the rule to {target}" for _, target in state.rules if target not in reached]
        if state.default is not None and state.default not in reached:
            missing.append("the default")
    if isinstance(state, WorkState):
        for retrier in state.retriers:
            errors = [one for one in rows if "error" in one.row]
            met = [one for one in errors if matches(retrier.errors, one.row["error"]["error"], of_task=True)]
            if "RETRIABLE" not in {one.expected["status"] for one in met}:
                missing.append(f"a retry after {retrier.errors[0]}")
            if {one.expected["status"] for one in met} <= {"RETRIABLE"}:
                missing.append(f"the end of retries after {retrier.errors[0]}")
        missing += [f"the catch to {one.next}" for one in state.catchers if one.next not in reached]
        if not any("result" in one.row and one.expected["status"] == "SUCCEEDED" for one in rows):
            missing.append("success")
        if not any("parameters" in one.expected for one in rows) and state.type == "Task":
            missing.append("what the work gets")
    return missing


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"definition": "{"}, "definition: is not JSON"),
        ({"definition": '{"Type": "Task"'}, "definition: is not JSON"),
        ({"definition": '{"States": {"a": {"Type": "Succeed"}}, "StartAt": "a"}'}, "stateName: is required"),
        ({"definition": '{"Type": "Succeed"}', "mock": {"result": "1"}}, "a Succeed state does no work"),
        (
            {
                "definition": '{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", '
                '"Parameters": {"FunctionName": "f"}, "End": true}'
            },
            "mock: is required for a Task state",
        ),
        (
            {"definition": '{"Type": "Succeed"}', "stateConfiguration": {"mapIterationFailureCount": 1}},
            "mapIterationFailureCount is not supported",
        ),
    ],
)
def test_what_cannot_be_tested_is_refused_by_name(params: dict[str, Any], message: str, api: StepFunctionsApi) -> None:
    with pytest.raises(ApiError) as caught:
        api.test_state(params)
    assert message in caught.value.message


def test_a_state_alone_needs_no_machine(api: StepFunctionsApi) -> None:
    state = {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "one"}], "Default": "other"}
    answer = api.test_state({"definition": json.dumps(state), "input": '{"n": 1}'})
    assert answer == {"status": "SUCCEEDED", "output": '{"n":1}', "nextState": "one"}
