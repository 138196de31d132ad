"""``./cqrs check``: rules and review of the stacks that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.develop.check import check
from cli.develop.errors import CommandError

PROGRAM = """
import pulumi
from pulumi_aws import cloudwatch

days = pulumi.Config().require_int("days")
tags = {"project": "sample", "stack": pulumi.get_stack()}
cloudwatch.LogGroup("log", name=f"/aws/lambda/{pulumi.get_stack()}", retention_in_days=days, tags=tags)
"""
TOPIC = """
from pulumi_aws import sns

sns.Topic("topic", name="topic", tags=tags)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: sample\nruntime: python\nconfig: {days: {type: integer}}\n")
    for stack, days in (("dev", 7), ("live", 30)):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(f"config: {{sample:days: {days}}}\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    return tmp_path


def checked(root: Path, capsys: pytest.CaptureFixture[str], *stacks: str, update: bool = False) -> tuple[int, str]:
    code = check(root, list(stacks) or ["dev", "live"], update=update)
    return code, capsys.readouterr().out


def test_a_stack_that_was_never_reviewed_is_not_fine(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = checked(root, capsys)
    assert (code, out.count("never reviewed")) == (1, 2)
    assert "./cqrs check --update" in out


def test_after_an_update_it_is_as_reviewed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(root, capsys, update=True)[0] == 0
    assert sorted(path.name for path in (root / "stacks").iterdir()) == ["dev.json", "live.json"]
    code, out = checked(root, capsys)
    assert (code, out.count("as reviewed")) == (0, 2)


def test_a_change_is_reported_and_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked(root, capsys, update=True)
    (root / "Pulumi.live.yaml").write_text("config: {sample:days: 90}\n")
    code, out = checked(root, capsys)
    assert code == 1
    assert "retentionInDays: 30 -> 90" in out
    assert checked(root, capsys, "dev")[0] == 0


def test_a_broken_rule_fails_however_often_it_was_reviewed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "__main__.py").write_text(PROGRAM + TOPIC)
    code, out = checked(root, capsys, update=True)
    assert code == 1
    assert "dev: topic-tls: aws:sns/topic:Topic topic: requests without TLS are not denied" in out


def test_a_file_that_nobody_can_read_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked(root, capsys, update=True)
    (root / "stacks" / "dev.json").write_text("{")
    with pytest.raises(CommandError, match=r"stacks/dev.json can't be read: .*--update rewrites it"):
        check(root, ["dev"], update=False)


def test_an_unknown_stack_is_named(root: Path) -> None:
    with pytest.raises(CommandError, match="stack test: unknown stack 'test'; stacks: dev, live"):
        check(root, ["test"], update=False)


def test_no_stack_at_all_is_an_error(root: Path) -> None:
    with pytest.raises(CommandError, match=r"a stack is a file Pulumi.<name>.yaml"):
        check(root, [], update=False)
