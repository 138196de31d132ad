"""REAL-03: definitions, templates and policies judged by tools that others wrote: no finding, or a reason for each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real import judging
from tests.real.judging import Finding, outcome

pytestmark = pytest.mark.real


@pytest.fixture
def judge(tmp_path: Path) -> Callable[[str, Any], list[Finding]]:
    """Runs a judge on what it judges; skips where it isn't there."""

    def run(tool: str, given: Any) -> list[Finding]:
        return RUN[tool](tool, given, tmp_path)

    return run


def _node(tool: str, given: Any, folder: Path) -> list[Finding]:
    modules = judging.node_modules()
    if modules is None:
        pytest.skip(judging.versions()[tool])
    script = str(judging.JUDGES / "definitions.js")
    found = judging.answer(["node", script], given, NODE_PATH=str(modules))
    assert found["count"] == len(given)
    return [Finding(by, text, name) for by, name, text in found["found"] if by == tool]


def _parliament(tool: str, given: Any, folder: Path) -> list[Finding]:
    found = judging.answer([_program(tool), str(judging.JUDGES / "policies.py")], given)
    return [Finding(tool, f"{issue}: {detail}", name) for name, issue, detail in found]


def _cfn_lint(tool: str, given: Any, folder: Path) -> list[Finding]:
    findings = []
    for name, path in _files(given, folder):
        command = [_program(tool), "--format", "json", "--regions", "us-east-1", "--template", path]
        # 2, 4, 8 and their sums: errors, warnings, informational ones (cfn-lint, "Exit codes")
        for one in judging.answer(command, codes=tuple(range(0, 16, 2))):
            place = "/".join(map(str, one["Location"]["Path"] or ()))
            findings.append(Finding(tool, f"{one['Rule']['Id']}: {one['Message']}", f"{name}/{place}"))
    return findings


def _checkov(tool: str, given: Any, folder: Path) -> list[Finding]:
    findings = []
    for name, path in _files(given, folder):
        found = judging.answer(
            [_program(tool), "--file", path, "--framework", "cloudformation", "--output", "json", "--compact"],
            codes=(0, 1),
        )
        assert found["summary"]["parsing_errors"] == 0
        assert found["summary"]["passed"] > 100
        findings += [
            Finding(tool, one["check_id"], f"{name}/{one['resource']}") for one in found["results"]["failed_checks"]
        ]
    return findings


def _program(tool: str) -> str:
    path = judging.program(tool)
    if path is None:
        pytest.skip(judging.versions()[tool])
    return str(path)


def _files(templates: Any, folder: Path) -> list[tuple[str, str]]:
    paths = {name: folder / f"{name}.json" for name in templates}
    for name, path in paths.items():
        path.write_text(json.dumps(templates[name], indent=1), encoding="utf-8")
    return [(name, str(path)) for name, path in paths.items()]


RUN: dict[str, Callable[[str, Any, Path], list[Finding]]] = {
    "asl-validator": _node,
    "amazon-states-language-service": _node,
    "cfn-lint": _cfn_lint,
    "checkov": _checkov,
    "parliament": _parliament,
}
GIVEN: dict[str, Callable[[], Any]] = {
    "asl-validator": judging.definitions,
    "amazon-states-language-service": judging.definitions,
    "cfn-lint": judging.templates,
    "checkov": judging.templates,
    "parliament": judging.policies,
}


@pytest.mark.parametrize("tool", RUN)
def test_real_03_no_finding_without_a_reason(judge: Callable[[str, Any], list[Finding]], tool: str) -> None:
    given = GIVEN[tool]()
    assert given
    new, idle = outcome(tool, judge(tool, given))
    assert new == []
    assert idle == [], "nothing is found any more for these acceptances: take them out"


def _dangling() -> Any:
    return {"broken": {"StartAt": "a", "States": {"a": {"Type": "Pass", "Next": "nowhere"}}}}


def _open_bucket() -> Any:
    resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "open", "Colour": "red"}}}
    rest = judging.templates()["dev"]["Resources"]
    return {"broken": {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {**rest, **resources}}}


def _wide() -> Any:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"}
    return {"broken": {"Version": "2012-10-17", "Statement": [statement]}}


@pytest.mark.parametrize(
    ("tool", "broken", "told"),
    [
        ("asl-validator", _dangling, "nowhere"),
        ("amazon-states-language-service", _dangling, "must be the name of an existing state"),
        ("cfn-lint", _open_bucket, "Colour"),
        ("checkov", _open_bucket, "CKV_AWS_53"),
        ("parliament", _wide, "RESOURCE_MISMATCH"),
    ],
)
def test_real_03_each_judge_finds_what_is_broken(
    judge: Callable[[str, Any], list[Finding]], tool: str, broken: Callable[[], Any], told: str
) -> None:
    new, _ = outcome(tool, judge(tool, broken()))
    assert any(told in one for one in new), new
