"""PR-02: ``./cqrs preview`` on a copy of the repository with a commit of its own; needs git."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.develop.errors import CommandError
from cli.develop.preview import revision
from local.preview.difference import Kind, difference
from local.preview.report import dangers
from local.preview.snapshot import declared
from local.runtime import PROJECT_DIR
from local.testing.copies import PROGRAM, alone

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = alone(tmp_path_factory.mktemp("repository"), (*PROGRAM, "infra", "local"))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "first")
    return folder


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def test_pr_02_the_files_as_committed_change_nothing(repository: Path) -> None:
    assert difference(revision(repository, "main", "dev"), declared(repository, "dev")) == []


def test_pr_02_one_alarm_threshold_is_one_changed_resource(repository: Path) -> None:
    before = revision(repository, "main", "prod")
    stack = repository / "Pulumi.prod.yaml"
    text = stack.read_text()
    stack.write_text(text + "  cqrs:alarmOldestOpenCommandSeconds: 1200\n")
    try:
        (change,) = difference(before, declared(repository, "prod"))
    finally:
        stack.write_text(text)
    assert (change.kind, change.name) == (Kind.CHANGED, "commands-OldestOpenCommandSeconds")
    assert [(one.path, one.old, one.new) for one in change.values] == [("threshold", 3600, 1200)]


def test_pr_02_a_renamed_table_is_a_danger(repository: Path) -> None:
    """The other revision runs its own code: what is renamed here is the name that its program gives the table."""
    old = revision(repository, "main", "prod")
    new = [
        one._replace(props={**one.props, "name": "cqrs-prod-orders"}) if one.name == "data" else one
        for one in declared(repository, "prod")
    ]
    changes = difference(old, new)
    assert [(one.kind, one.name) for one in changes] == [(Kind.REPLACED, "data")]
    assert dangers(changes)[0].startswith("data would be REPLACED, because of name. Lost with it: every row")


@pytest.mark.parametrize(
    ("name", "stack", "told"),
    [
        ("nowhere", "dev", "--against: revision 'nowhere' can't be read: unknown to git"),
        ("--output=x", "dev", "--against: revision '--output=x' can't be read"),
        ("main", "no", "--against: revision 'main' can't be evaluated: "),
        ("old", "dev", "--against: revision 'old' is older than ./cqrs preview and can't be compared"),
    ],
)
def test_pr_02_what_cannot_be_compared_is_one_line(repository: Path, name: str, stack: str, told: str) -> None:
    if name == "old":
        git(repository, "checkout", "-q", "--orphan", "old")
        git(repository, "rm", "-rqf", "--cached", "local")
        git(repository, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "before")
        git(repository, "checkout", "-qf", "main")
    with pytest.raises(CommandError) as caught:
        revision(repository, name, stack)
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)


def test_pr_02_the_command_prints_it() -> None:
    if not (PROJECT_DIR / ".git").exists():
        pytest.skip("this checkout is no git repository")
    command = [sys.executable, "-m", "cli", "preview", "--stack", "dev", "--against", "HEAD", "--markdown"]
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "older than ./cqrs preview" in done.stderr, done.stderr
    if done.returncode == 0:
        assert done.stdout.startswith("### Preview of `dev`: ")
