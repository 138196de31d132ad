"""EDGE-04: a field of a wrong type is a problem of the definition, not a traceback of its check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.definitions import json_files
from infra.definitions.checks import DefinitionError
from infra.definitions.custom_workflows import find_workflows
from tests.infra.test_definitions import Edit, good, problems


def rows(definition: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = definition["States"]["rows"]
    return found


#: Fields with values of a wrong type, and the one problem that must be told. JSON holds anything.
MISSHAPEN: dict[str, tuple[Edit, str]] = {
    "Retry an object": (
        lambda d: d["States"]["task"].update(Retry={"ErrorEquals": ["States.ALL"]}),
        'task: Retry {"ErrorEquals": ["States.ALL"]} is not allowed; expected a list of objects',
    ),
    "Retry null": (
        lambda d: d["States"]["task"].update(Retry=None),
        "task: Retry null is not allowed; expected a list of objects",
    ),
    "Catch of texts": (
        lambda d: d["States"]["task"].update(Catch=["bad"]),
        'task: Catch ["bad"] is not allowed; expected a list of objects',
    ),
    "ErrorEquals of numbers": (
        lambda d: d["States"]["task"]["Catch"][0].update(ErrorEquals=[["x"]]),
        'task: Catch[0].ErrorEquals [["x"]] is not allowed; expected a list of texts',
    ),
    "Next of Catch a list": (
        lambda d: d["States"]["task"]["Catch"][0].update(Next=["bad"]),
        'task: Catch[0].Next ["bad"] is not allowed; expected a text',
    ),
    "Next a list": (
        lambda d: d["States"]["task"].update(Next=["choose"]),
        'task: Next ["choose"] is not allowed; expected a text',
    ),
    "Default an object": (
        lambda d: d["States"]["choose"].update(Default={}),
        "choose: Default {} is not allowed; expected a text",
    ),
    "Type a list": (
        lambda d: d["States"]["good"].update(Type=["Succeed"]),
        'good: Type ["Succeed"] is not allowed; expected a text',
    ),
    "Choices an object": (
        lambda d: d["States"]["choose"].update(Choices={"Next": "wait"}),
        'choose: Choices {"Next": "wait"} is not allowed; expected a list of objects',
    ),
    "Next of a choice a list": (
        lambda d: d["States"]["choose"]["Choices"][0].update(Next=[]),
        "choose: Choices[0].Next [] is not allowed; expected a text",
    ),
    "Resource a number": (
        lambda d: d["States"]["task"].update(Resource=1),
        "task: Resource 1 is not allowed; expected a text",
    ),
    "Parameters a text": (
        lambda d: d["States"]["task"].update(Parameters="x"),
        'task: Parameters "x" is not allowed; expected an object',
    ),
    "End a text": (
        lambda d: d["States"]["task"].update(End="no"),
        'task: End "no" is not allowed; expected true or false',
    ),
    "TimeoutSeconds true": (
        lambda d: d["States"]["task"].update(TimeoutSeconds=True),
        "task: TimeoutSeconds true is not allowed; expected a whole number",
    ),
    "the machine's TimeoutSeconds": (
        lambda d: d.update(TimeoutSeconds="100"),
        'the machine: TimeoutSeconds "100" is not allowed; expected a whole number',
    ),
    "States a list": (
        lambda d: d.update(States=["task"]),
        'the machine: States ["task"] is not allowed; expected an object',
    ),
    "a state that is a text": (
        lambda d: d["States"].update(good="Succeed"),
        'good: "Succeed" is not allowed; expected an object',
    ),
    "a state in a map that is null": (
        lambda d: d["States"]["all"]["ItemProcessor"]["States"].update(one=None),
        "all/one: null is not allowed; expected an object",
    ),
    "ItemProcessor a list": (
        lambda d: d["States"]["all"].update(ItemProcessor=["one"]),
        'all: ItemProcessor ["one"] is not allowed; expected an object',
    ),
    "ProcessorConfig a text": (
        lambda d: rows(d)["ItemProcessor"].update(ProcessorConfig="DISTRIBUTED"),
        'rows: ProcessorConfig "DISTRIBUTED" is not allowed; expected an object',
    ),
    "ReaderConfig a list": (
        lambda d: rows(d)["ItemReader"].update(ReaderConfig=[]),
        "rows: ItemReader.ReaderConfig [] is not allowed; expected an object",
    ),
    "ItemBatcher a number": (
        lambda d: rows(d).update(ItemBatcher=10),
        "rows: ItemBatcher 10 is not allowed; expected an object",
    ),
    "Branches an object": (
        lambda d: d["States"]["good"].update(Type="Parallel", Branches={"StartAt": "x"}),
        'good: Branches {"StartAt": "x"} is not allowed; expected a list of objects',
    ),
}


@pytest.mark.parametrize("case", sorted(MISSHAPEN))
def test_edge_04_a_field_of_a_wrong_type_is_one_problem_naming_state_and_field(case: str) -> None:
    edit, expected = MISSHAPEN[case]
    definition = good()
    edit(definition)
    assert problems(definition) == [expected]


#: Of a workflow's file, which is completed before its rules are looked at.
WORKFLOWS = {
    '{"StartAt": "a", "States": {"a": {"Type": "Parallel", "Branches": {"b": 1}}}}': (
        'a: Branches {"b": 1} is not allowed; expected a list of objects'
    ),
    '{"StartAt": "a", "States": {"a": {"Type": "Map", "ItemProcessor": ["b"]}}}': (
        'a: ItemProcessor ["b"] is not allowed; expected an object'
    ),
    '{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": ["b"]}}}': (
        'a: Resource ["b"] is not allowed; expected a text'
    ),
    f'{{"States": {"[" * 100_000}': f"the definition is not JSON: {json_files.TOO_DEEP}",
}


@pytest.mark.parametrize("text", WORKFLOWS, ids=range(len(WORKFLOWS)))
def test_edge_04_a_workflow_of_a_wrong_shape_is_one_line_before_deployment(tmp_path: Path, text: str) -> None:
    source = 'from handlers.workflows.registry import workflow\n\n\n@workflow("flow")\nclass Flow:\n    pass\n'
    (tmp_path / "flow.py").write_text(source)
    (tmp_path / "flow.asl.json").write_text(text)
    members = {f"handlers/domain/{name}": tmp_path / name for name in ("flow.py", "flow.asl.json")}
    with pytest.raises(DefinitionError) as caught:
        find_workflows(members, ["handlers.domain.flow"])
    assert caught.value.problems == [f"handlers/domain/flow.asl.json: {WORKFLOWS[text]}"]
