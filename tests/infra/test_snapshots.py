"""INF-01: what each stack of the tests declares, against a reviewed file: a preview without AWS.

Meant changes: ``./cqrs test tests/infra --snapshot-update``, then read the diff of tests/infra/snapshots.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path

import pytest

from local.deploy.project import stack_names
from tests.support.evaluation import Evaluation, evaluated, readable
from tests.support.projects import shared_project

SNAPSHOTS = Path(__file__).with_name("snapshots")
RENEW = "./cqrs test tests/infra --snapshot-update"


def dump(evaluation: Evaluation) -> str:
    """Sorted by type and name; only what the program gave, no ids."""
    names = [f"{one.type} {one.name}" for one in evaluation.registrations]
    assert len(set(names)) == len(names), "two resources share type and name"
    declared = {
        f"{one.type} {one.name}": readable(one.props) if one.custom else "component" for one in evaluation.registrations
    }
    document = {"outputs": evaluation.outputs, "resources": declared}
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_inf_01_every_stack_is_snapshot() -> None:
    assert sorted(path.stem for path in SNAPSHOTS.glob("*.json")) == stack_names(shared_project()) == ["dev", "prod"]


def test_inf_01_registrations_are_as_reviewed(stack: Evaluation, snapshot_update: bool) -> None:
    path = SNAPSHOTS / f"{stack.stack}.json"
    now = dump(stack)
    if snapshot_update:
        path.write_text(now, encoding="utf-8")
        pytest.skip(f"{path.name} written; read its diff")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        before.splitlines(), now.splitlines(), "reviewed", f"declared by {stack.stack}", n=4, lineterm=""
    )
    text = "\n".join(lines)
    if text:
        pytest.fail(f"{stack.stack} declares something else; if that is meant: {RENEW}\n{text}", pytrace=False)


def test_inf_01_a_preview_declares_the_same(dev: Evaluation) -> None:
    preview = evaluated("dev", preview=True)
    assert sorted((one.type, one.name) for one in preview.registrations) == sorted(
        (one.type, one.name) for one in dev.registrations
    )


def test_inf_01_evaluation_warns_of_nothing(stack: Evaluation) -> None:
    assert stack.warnings == []


def test_inf_01_nothing_is_missing_in_any_document(stack: Evaluation) -> None:
    """An output without a value becomes ``null`` in a policy and ``None`` in a concatenation."""
    for one in stack.registrations:
        text = json.dumps({key: value for key, value in one.props.items() if key != "code"})
        text = text.replace('\\"ResultPath\\": null', "")  # the one null that means something
        for residue in ("null", "None", "Output[", "Calling __str__", "${"):
            assert residue not in text, f"{one.type} {one.name}: {residue} in {text}"


def test_inf_01_the_mocks_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text("import pulumi_aws as aws\naws.get_availability_zones()\n")
    with pytest.raises(Exception, match="getAvailabilityZones"):
        evaluated("dev", project_dir=tmp_path)
