"""APP-10: the repository with somebody else's application in place of the samples."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.develop.check import check
from infra.packaging import SAMPLES
from local.runtime import PROJECT_DIR

TESTS = PROJECT_DIR / "tests"
#: A module that has a sample's name and nothing else of it.
ORDERS = '''"""The shop's articles."""

from __future__ import annotations

from handlers import Command, TableStore, sync_handler


@sync_handler("ARTICLE", id="shelf")
class Shelf:
    """A row per article."""

    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> None:
        """Called for every version, perhaps again."""
        self._store.put("data", {"pk": "SHELF#t1", "sk": command.code, "version": command.version})
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The copy: the samples and the room of their tests are gone."""
    copy = tmp_path / "cqrs"
    shutil.copytree(PROJECT_DIR, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    domain = copy / "handlers/domain"
    for path in domain.iterdir():
        if path.name.partition(".")[0] in SAMPLES:
            path.unlink()
    shutil.rmtree(copy / "tests/samples", ignore_errors=True)
    (domain / "orders.py").write_text(ORDERS)
    stack = copy / "Pulumi.dev.yaml"
    stack.write_text(re.sub(r"handlerModules: .*", "handlerModules: [handlers.domain.orders]", stack.read_text()))
    return copy


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-n0",
            "-m",
            "not slow and not real",
            *arguments,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_app_10_no_test_but_the_samples_needs_them() -> None:
    """By their imports; what tests deploy is ``tests/modules``."""
    wrong = []
    for path in TESTS.rglob("*.py"):
        if path.is_relative_to(TESTS / "samples") or path.is_relative_to(TESTS / "domain"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if any(name.startswith(("handlers.domain.", "tests.samples")) for name in names):
                wrong.append(str(path.relative_to(TESTS)))
    assert wrong == []


def test_app_10_the_tests_are_collected_and_the_stack_is_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collected = run(folder, "--collect-only", "tests/e2e", "tests/infra", "tests/unit/handlers/imports")
    assert "test_imports.py" in collected
    assert check(folder, ["dev"], update=True) == 0
    assert check(folder, ["dev"], update=False) == 0
    assert "as reviewed" in capsys.readouterr().out


@pytest.mark.slow
def test_app_10_the_tests_pass(folder: Path) -> None:
    run(folder, "-n2", "tests")
