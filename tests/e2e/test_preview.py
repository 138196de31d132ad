"""PR-02: ``./cqrs preview`` on a copy of the repository with a commit of its own; needs git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.develop.errors import CommandError
from cli.develop.preview import revision
from local.preview.difference import Kind, difference
from local.preview.report import dangers
from local.preview.snapshot import Resource, declared
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


@pytest.fixture(scope="module")
def committed(repository: Path) -> list[Resource]:
    """What the revision declares, by a process of its own."""
    return revision(repository, "main", "prod")


@pytest.fixture(scope="module")
def now(repository: Path) -> list[Resource]:
    return declared(repository, "prod")


def test_pr_02_the_files_as_committed_change_nothing(committed: list[Resource], now: list[Resource]) -> None:
    assert len(now) > 100
    assert difference(committed, now) == []


def test_pr_02_one_alarm_threshold_is_one_changed_resource(repository: Path, committed: list[Resource]) -> None:
    stack = repository / "Pulumi.prod.yaml"
    text = stack.read_text()
    stack.write_text(text + "  cqrs:alarmOldestOpenCommandSeconds: 1200\n")
    try:
        (change,) = difference(committed, declared(repository, "prod"))
    finally:
        stack.write_text(text)
    assert (change.kind, change.name) == (Kind.CHANGED, "commands-OldestOpenCommandSeconds")
    assert [(one.path, one.old, one.new) for one in change.values] == [("threshold", 3600, 1200)]


def test_pr_02_a_renamed_table_is_a_danger(committed: list[Resource], now: list[Resource]) -> None:
    """The other revision runs its own code: what is renamed here is the name that its program gives the table."""
    new = [one._replace(props={**one.props, "name": "cqrs-prod-orders"}) if one.name == "data" else one for one in now]
    changes = difference(committed, new)
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


def test_pr_02_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    if not (PROJECT_DIR / ".git").exists():
        pytest.skip("this checkout is no git repository")
    code = main(["preview", "--stack", "dev", "--against", "HEAD", "--markdown"])
    told = capsys.readouterr()
    assert code == 0 or "older than ./cqrs preview" in told.err, told.err
    if code == 0:
        assert told.out.startswith("### Preview of `dev`: ")
