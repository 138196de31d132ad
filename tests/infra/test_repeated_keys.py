"""E4: a duplicate key in a file written by people is refused; parsers silently keep the last one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from infra.definitions import json_files
from infra.definitions.checks import DefinitionError
from infra.definitions.custom_workflows import find_workflows
from infra.packaging import archive_members
from local.states.definition.parser import parse_definition
from local.states.errors import InvalidDefinition
from tests.support.evaluation import PROJECT_DIR

TWICE = """{"StartAt": "pay", "TimeoutSeconds": 60, "States": {
  "pay": {"Comment": "c", "Type": "Pass", "Next": "done"},
  "done": {"Comment": "c", "Type": "Succeed"},
  "pay": {"Comment": "c", "Type": "Pass", "End": true}
}}"""
MESSAGE = "the key 'pay' occurs 2 times in one object (next to 'done')"


def test_edge_04_a_state_twice_in_a_workflow_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "handlers" / "domain"
    folder.mkdir(parents=True)
    shutil.copytree(PROJECT_DIR / "contract", tmp_path / "contract")
    (folder / "flow.py").write_text("@workflow('flow')\nclass Flow:\n    def pay(self, event): ...\n")
    (folder / "flow.asl.json").write_text(TWICE)
    with pytest.raises(DefinitionError) as caught:
        find_workflows(archive_members(tmp_path), ["handlers.domain.flow"])
    assert caught.value.problems == [f"handlers/domain/flow.asl.json: {MESSAGE}"]


def test_edge_04_the_local_state_machines_refuse_it_as_aws_does() -> None:
    """AWS: DUPLICATE_STATE_NAME."""
    with pytest.raises(InvalidDefinition, match="the key 'pay' occurs 2 times in one object"):
        parse_definition(TWICE, "STANDARD")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' occurs 2 times in one object$"),
        ('{"x": [{"b": 1, "c": 2, "b": 3, "b": 4}]}', r"the key 'b' occurs 3 times in one object \(next to 'c'\)"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": 1,}', "Expecting property name"),
    ],
)
def test_edge_04_json_is_read_strictly(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        json_files.parse(text)


def test_edge_04_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "flow.asl.json"
    path.write_text('{"a": 1, "a": 2}')
    with pytest.raises(json_files.RepeatedKey, match=r"^flow\.asl\.json: the key 'a' occurs 2 times"):
        json_files.read(path)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"^flow\.asl\.json is not JSON: "):
        json_files.read(path)


def test_edge_04_the_same_key_in_two_objects_is_fine() -> None:
    assert json_files.parse('{"a": {"b": 1}, "c": {"b": 2}}') == {"a": {"b": 1}, "c": {"b": 2}}


def test_edge_04_no_committed_json_file_has_a_key_twice() -> None:
    files = [
        path
        for folder in ("handlers", "infra", "tests/fixtures")
        for path in sorted((PROJECT_DIR / folder).rglob("*.json"))
    ]
    assert len(files) > 50
    for path in files:
        assert json_files.read(path) == json.loads(path.read_text(encoding="utf-8")), path
