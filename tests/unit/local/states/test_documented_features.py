"""Every feature that the interpreter takes has a documented example in tests/fixtures/asl (docs/local-runtime.md).

What it takes is asked of the parser itself: an unknown field is refused with a list of the known ones. So a feature
that is added without an example fails here, by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.states.data.intrinsic_functions import FUNCTIONS
from local.states.definition.choice import OPERATORS
from local.states.definition.parser import parse_definition
from local.states.errors import UnsupportedFeature

EXAMPLES = sorted((Path(__file__).parents[3] / "fixtures" / "asl").glob("*.json"))
PASS = {"Type": "Pass", "End": True}
BRANCH = {"StartAt": "In", "States": {"In": PASS}}
UNKNOWN = "Unknown"
READER: dict[str, Any] = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    "Parameters": {"Bucket": "b", "Key": "k"},
}
DISTRIBUTED = {
    "Type": "Map",
    "Label": "label",
    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **BRANCH},
    "End": True,
}
#: Objects inside of a Map, each with an unknown field: what the parser knows there needs an example too.
INSIDE: dict[str, dict[str, Any]] = {
    "ProcessorConfig": {"ItemProcessor": {"ProcessorConfig": {UNKNOWN: 1}, **BRANCH}},
    "ItemReader": {"ItemReader": {**READER, UNKNOWN: 1}},
    "ItemReader.Parameters": {"ItemReader": {**READER, "Parameters": {"Bucket": "b", "Key": "k", UNKNOWN: 1}}},
    "ReaderConfig": {"ItemReader": {**READER, "ReaderConfig": {**READER["ReaderConfig"], UNKNOWN: 1}}},
    "ItemBatcher": {"ItemBatcher": {"MaxItemsPerBatch": 1, UNKNOWN: 1}},
    "ResultWriter": {"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", UNKNOWN: 1}},
    "ResultWriter.Parameters": {
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", UNKNOWN: 1}}
    },
}
STATES: dict[str, dict[str, Any]] = {
    "Task": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True},
    "Choice": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "Last"}]},
    "Wait": {"Type": "Wait", "Seconds": 1, "End": True},
    "Pass": PASS,
    "Succeed": {"Type": "Succeed"},
    "Fail": {"Type": "Fail"},
    "Map": {"Type": "Map", "ItemProcessor": BRANCH, "End": True},
    "Parallel": {"Type": "Parallel", "Branches": [BRANCH], "End": True},
}
#: Read by one function for all states that have them, so one example of each does.
SHARED = {"Next", "End", "InputPath", "OutputPath", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
#: Compared through one table: an example of each kind, of each comparison, and of one with a path.
_COMPARISON = re.compile(r"(String|Numeric|Boolean|Timestamp)((?:Less|Greater)Than(?:Equals)?|Equals)(Path)?")
#: Nothing to show: what they do can't be seen in a run.
WITHOUT_EFFECT = {"Comment", "QueryLanguage", "Version"}
#: Context objects (Developer Guide, "Accessing execution data from the Context object in Step Functions").
CONTEXT = (
    *("$$.Execution.Id", "$$.Execution.Input", "$$.Execution.Name", "$$.Execution.RoleArn", "$$.Execution.StartTime"),
    *("$$.State", "$$.StateMachine", "$$.Task.Token", "$$.Map.Item.Index", "$$.Map.Item.Value"),
)
RESOURCES = (
    *("arn:aws:lambda:", "arn:aws:states:::lambda:invoke", "arn:aws:states:::lambda:invoke.waitForTaskToken"),
    *("arn:aws:states:::s3:getObject", "arn:aws:states:::s3:putObject"),
)


def field_of(state: str, field: str) -> str:
    return f"State.{field}" if field in SHARED else f"{state}.{field}"


def choice_of(operator: str) -> Iterator[str]:
    """``Choice:StringMatches``; a comparison shows its kind, how it compares, and whether with a path."""
    found = _COMPARISON.fullmatch(operator)
    if found is None:
        yield f"Choice:{operator}"
        return
    yield f"Choice:{found[1]}..."
    yield f"Choice:...{found[2]}"
    if found[3]:
        yield "Choice:...Path"


def known_fields(state: dict[str, Any]) -> set[str]:
    """What the parser knows where this state has an unknown field."""
    machine = {"StartAt": "First", "States": {"First": state, "Last": {"Type": "Succeed"}}}
    with pytest.raises(UnsupportedFeature, match=rf"unknown field '{UNKNOWN}'") as caught:
        parse_definition(machine)
    listed = re.search(r"\(known: ([^)]*)\)", str(caught.value))
    assert listed is not None
    return set(listed[1].split(", "))


def features() -> Iterator[str]:
    """``Task.TimeoutSeconds``, ``Retry.JitterStrategy``, ``Choice:StringMatches``, ``States.Format`` and so on."""
    for name, state in STATES.items():
        yield from (field_of(name, field) for field in known_fields({**state, UNKNOWN: 1}))
    for name, fields in INSIDE.items():
        known = known_fields({**DISTRIBUTED, **fields})
        # a parameter's path is read as any template's: one example of each parameter does
        yield from sorted({f"{name}.{field.removesuffix('.$')}" for field in known})
    entry = {"ErrorEquals": ["A"], UNKNOWN: 1}
    for field in known_fields({**STATES["Task"], "Retry": [entry]}):
        yield f"Retry.{field}"
    for field in known_fields({**STATES["Task"], "Catch": [{**entry, "Next": "Last"}]}):
        yield f"Catch.{field}"
    yield "Machine.TimeoutSeconds"
    yield from FUNCTIONS
    for operator in OPERATORS:
        yield from choice_of(operator)
    yield from CONTEXT
    yield from RESOURCES


def shown(example: Any) -> Iterator[str]:
    """The features that a definition uses."""
    if "TimeoutSeconds" in example:
        yield "Machine.TimeoutSeconds"
    text = json.dumps(example)
    yield from (name for name in (*FUNCTIONS, *CONTEXT) if re.search(rf"{re.escape(name)}(?![A-Za-z])", text))
    yield from (one for one in RESOURCES if re.search(rf'"{re.escape(one)}(?!\.)', text))
    yield from _nested(example)


def _nested(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _nested(one)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("Type"), str):
        yield from (field_of(value["Type"], field) for field in value)
    for name in INSIDE:
        inner = _at(value, name)
        yield from (f"{name}.{field.removesuffix('.$')}" for field in inner)
    for kind in ("Retry", "Catch"):
        entries = value.get(kind)
        yield from (f"{kind}.{field}" for entry in entries or () for field in entry)
    for name in OPERATORS & value.keys():
        yield from choice_of(name)
    for one in value.values():
        yield from _nested(one)


def _at(value: dict[str, Any], name: str) -> dict[str, Any]:
    """The object at ``name`` in a state, {} where there is none; ``ReaderConfig`` is in any of its parents."""
    node: Any = value
    for part in name.split("."):
        node = node.get(part, {}) if isinstance(node, dict) else {}
    return node if isinstance(node, dict) else {}


def without_example(examples: list[Any]) -> list[str]:
    seen = {feature for example in examples for feature in shown(example)}
    return sorted(one for one in set(features()) - seen if one.rpartition(".")[2] not in WITHOUT_EFFECT)


def test_every_feature_has_a_documented_example() -> None:
    assert without_example([json.loads(path.read_text())["definition"] for path in EXAMPLES]) == []


def test_a_feature_without_example_is_named() -> None:
    examples = [json.loads(path.read_text())["definition"] for path in EXAMPLES if "jitter" not in path.name]
    assert without_example(examples) == ["Retry.JitterStrategy"]
