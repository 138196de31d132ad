"""What is the application's, and what ``./cqrs check`` says of the rest."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from cli.upstream import APPLICATIONS, BRANCH, changed_files, is_applications
from local.runtime import PROJECT_DIR


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_page_and_the_list_agree() -> None:
    page = (PROJECT_DIR / "docs" / "application.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \|", page.partition("Everything else comes from upstream")[0], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert sorted(named) == sorted(one.replace("*", "<stack>") for one in APPLICATIONS)


def test_whose_a_file_is() -> None:
    own = ("handlers/domain/a.py", "stacks/dev.json", "Pulumi.dev.yaml", "infra/application.py", "src/acme/a/b.py")
    assert [one for one in own if not is_applications(one, ["src/acme"])] == []
    ours = ("Pulumi.yaml", "handlers/core/keys.py", "infra/stack.py", "src/acme2/a.py", "handlers/domains.py")
    assert [one for one in ours if is_applications(one, ["src/acme"])] == []


def test_files_of_upstream_that_were_changed_are_named(tmp_path: Path) -> None:
    assert changed_files(tmp_path) is None, "no repository"
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, infra__stack="1", gone="1", handlers__domain__a="1")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "upstream")
    assert changed_files(tmp_path) is None, "no upstream"
    git(tmp_path, "update-ref", BRANCH, "HEAD")
    assert changed_files(tmp_path) == []
    write(tmp_path, infra__stack="2", handlers__domain__a="2", src__acme__own="1", other="1")
    (tmp_path / "gone").unlink()
    assert changed_files(tmp_path, ["src/acme"]) == ["gone", "infra/stack", "other"]
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "ours")
    assert changed_files(tmp_path, ["src/acme"]) == ["gone", "infra/stack", "other"]
