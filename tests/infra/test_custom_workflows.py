"""Workflows of the application: found without running them, and refused before anything is deployed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.definitions.checks import DefinitionError
from infra.definitions.custom_workflows import CustomWorkflow, complete, find_workflows
from infra.packaging import archive_members
from infra.physical_names import taken_names
from tests.support.evaluation import PROJECT_DIR

FOLDER = "handlers/domain"
TASK = {"Comment": "c", "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 9, "End": True}
WAIT = {**TASK, "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
CLASS = "@workflow('flow')\nclass Flow:\n    def first(self, event): ...\n"


def definition(**states: Any) -> dict[str, Any]:
    first = next(iter(states))
    return {"Comment": "c", "StartAt": first, "TimeoutSeconds": 60, "States": states}


def found(
    tmp_path: Path,
    files: Mapping[str, Any],
    modules: tuple[str, ...] = ("flow",),
    taken: Mapping[str, str] | None = None,
) -> list[CustomWorkflow]:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    shutil.copytree(PROJECT_DIR / "contract", tmp_path / "contract")
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        header = "raise RuntimeError('a deployment runs no handler code')\n" if name.endswith(".py") else ""
        (folder / name).write_text(header + text)
    return find_workflows(archive_members(tmp_path), [f"handlers.domain.{name}" for name in modules], taken)


def test_workflows_are_found_without_running_them(tmp_path: Path) -> None:
    (one,) = found(tmp_path, {"flow.py": CLASS, "flow.asl.json": definition(first=TASK)})
    assert (one.name, one.type, one.source) == ("flow", "STANDARD", "handlers/domain/flow.asl.json")
    state = one.definition["States"]["first"]
    assert state["Parameters"]["FunctionName"] == "${StatesFunctionArn}"
    assert state["OutputPath"] == "$.Payload[0][0]"
    assert state["Retry"]


def test_several_types_and_modules(tmp_path: Path) -> None:
    files = {
        "flow.py": CLASS,
        "flow.asl.json": definition(first=TASK),
        "fast.py": "@handlers.workflow(name='fast', type='EXPRESS')\nclass F:\n    def first(self, e): ...\n",
        "fast.asl.json": definition(first=TASK),
    }
    assert [(one.name, one.type) for one in found(tmp_path, files, ("flow", "fast"))] == [
        ("fast", "EXPRESS"),
        ("flow", "STANDARD"),
    ]


def test_what_a_definition_says_stays(tmp_path: Path) -> None:
    own = {**TASK, "ResultPath": "$.x", "Retry": [], "Parameters": {"FunctionName": "f", "Payload": {}}}
    assert complete(definition(first=own)) == definition(first=own)
    waits = complete(definition(first=WAIT))["States"]["first"]
    assert waits["Parameters"]["Payload"]["taskToken.$"] == "$$.Task.Token"
    assert "OutputPath" not in waits


def test_a_module_that_is_not_configured_deploys_nothing(tmp_path: Path) -> None:
    files = {"flow.py": CLASS, "flow.asl.json": definition(first=TASK), "other.py": ""}
    assert found(tmp_path, files, ("other",)) == []


def without(state: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != field}


GOOD = definition(first=TASK)
TWICE = {"flow.py": CLASS + CLASS.replace("Flow", "Other"), "flow.asl.json": GOOD}
SOURCE = "handlers/domain/flow.asl.json"
GOES_ON = {**without(TASK, "End"), "Next": "send"}
DISTRIBUTED = {
    "Comment": "c",
    "Type": "Map",
    "Label": "each",
    "MaxConcurrency": 1,
    "ToleratedFailureCount": 0,
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "one",
        "States": {"one": {"Comment": "c", "Type": "Pass", "End": True}},
    },
    "End": True,
}
SEND = {**TASK, "Resource": "arn:aws:states:::sns:publish", "Retry": [{"ErrorEquals": ["States.Timeout"]}]}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (TWICE, "handlers.domain.flow.Other: workflow 'flow' is already used by handlers.domain.flow.Flow"),
        (
            {"flow.py": CLASS.replace("'flow'", "'my flow'")},
            "workflow name 'my flow' is not allowed; expected a literal",
        ),
        ({"flow.py": CLASS.replace("'flow'", "NAME")}, "workflow name None is not allowed; expected a literal"),
        ({"flow.py": CLASS.replace("'flow'", "'flow', type='FAST'")}, "workflow type 'FAST' is not allowed"),
        ({"flow.py": CLASS.replace("Flow:", "Flow(Base):"), "flow.asl.json": GOOD}, "must not have base classes"),
        ({"flow.py": CLASS}, f"handlers.domain.flow.Flow: the definition {SOURCE} is missing"),
        ({"flow.py": CLASS, "flow.asl.json": "{"}, f"{SOURCE}: the definition is not JSON"),
        ({"flow.py": CLASS, "flow.asl.json": []}, f"{SOURCE}: the definition is not an object with States"),
        (
            {"flow.py": CLASS, "flow.asl.json": definition(first=without(WAIT, "TimeoutSeconds"))},
            f"{SOURCE}: first: a Task needs TimeoutSeconds (a wait for a token never ends without one)",
        ),
        (
            {"flow.py": CLASS, "flow.asl.json": definition(first=GOES_ON, send=TASK)},
            f"{SOURCE}: send: no method of the class handles this state",
        ),
        (
            {"flow.py": CLASS + "    def second(self, event): ...\n", "flow.asl.json": GOOD},
            f"{SOURCE}: method 'second' of the class is not a Lambda state of the definition",
        ),
        (
            {"flow.py": CLASS, "flow.asl.json": definition(first=GOES_ON, send=SEND)},
            f"{SOURCE}: send: the integration 'arn:aws:states:::sns:publish' is not supported",
        ),
        (
            {
                "flow.py": CLASS,
                "flow.asl.json": definition(first={**without(TASK, "End"), "Next": "each"}, each=DISTRIBUTED),
            },
            "each: a Map with Mode DISTRIBUTED is not supported here",
        ),
        (
            {"flow.py": CLASS, "flow.asl.json": definition(first={**TASK, "Parameters": {"FunctionName": "f"}})},
            "first: FunctionName 'f' is not allowed; expected ${StatesFunctionArn}",
        ),
        (
            {"flow.py": CLASS.replace("'flow'", "'flow', type='EXPRESS'"), "flow.asl.json": definition(first=WAIT)},
            "first: an EXPRESS workflow can't wait for a task token",
        ),
        (
            {
                "flow.py": CLASS.replace("'flow'", "'flow', type='EXPRESS'"),
                "flow.asl.json": {**GOOD, "TimeoutSeconds": 301},
            },
            "TimeoutSeconds of an EXPRESS workflow is at most 300",
        ),
        (
            {
                "flow.py": CLASS,
                "flow.asl.json": definition(
                    first={**WAIT, "Parameters": {"FunctionName": "${StatesFunctionArn}", "Payload": {}}}
                ),
            },
            'first: Payload lacks "taskToken.$"',
        ),
        (
            {"flow.py": CLASS, "flow.asl.json": GOOD, "flwo.asl.json": GOOD},
            "handlers/domain/flwo.asl.json: no class with @workflow('flwo') in handlers/domain",
        ),
        ({"flow.py": CLASS, "flow.asl.json": {**GOOD, "StartAt": "x"}}, "StartAt 'x' is not a state"),
        ({"flow.py": CLASS, "flow.asl.json": without(GOOD, "TimeoutSeconds")}, "the machine needs TimeoutSeconds"),
    ],
)
def test_bad_workflows_are_one_line_before_deployment(tmp_path: Path, files: Mapping[str, Any], problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        found(tmp_path, files)
    (line,) = str(refused.value).splitlines()
    assert line.startswith("cqrs:handlerModules: ")
    assert problem in line


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    files = {"flow.py": CLASS, "flow.asl.json": definition(other=without(TASK, "TimeoutSeconds"))}
    with pytest.raises(DefinitionError) as refused:
        found(tmp_path, files)
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("task-handler", "state machine"),
        ("Events", "event bus"),
        ("Loader", "function"),
        ("COMMANDS", "table"),
        ("Store", "bucket"),
    ],
)
def test_edge_03_names_of_the_stack_are_taken_whatever_their_case(tmp_path: Path, name: str, taken: str) -> None:
    files = {"flow.py": CLASS.replace("'flow'", f"'{name}'"), f"{name}.asl.json": definition(first=TASK)}
    with pytest.raises(DefinitionError) as refused:
        found(tmp_path, files, taken=taken_names())
    assert refused.value.problems == [
        f"handlers.domain.flow.Flow: workflow name {name!r} is not allowed; the stack's {taken} has this name, "
        "ignoring case"
    ]


def test_edge_03_two_workflows_differ_in_more_than_case(tmp_path: Path) -> None:
    other = CLASS.replace("'flow'", "'FLOW'").replace("Flow:", "Other:")
    files = {"flow.py": CLASS + other, "flow.asl.json": definition(first=TASK), "FLOW.asl.json": definition(first=TASK)}
    with pytest.raises(DefinitionError, match=r"workflow 'FLOW' is already used by handlers\.domain\.flow\.Flow"):
        found(tmp_path, files)
