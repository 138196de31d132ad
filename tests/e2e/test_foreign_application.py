"""APP-10: the repository with somebody else's application in place of the samples."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.develop.check import check
from infra.packaging import SAMPLES
from local.runtime import PROJECT_DIR
from tests.support.foreign import STACKS, foreign

TESTS = PROJECT_DIR / "tests"
#: Where samples may be needed; they go together. ``domain`` is the application's own.
ROOMS_OF_SAMPLES = ("samples", "domain", "real")
OF_A_SAMPLE = re.compile(rf"handlers\.domain\.({'|'.join(sorted(SAMPLES))})\b|tests\.samples\b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return foreign(tmp_path)


def run(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)


def needs(source: str) -> list[str]:
    """What of a test's source only the samples, or upstream's own stacks, have: imports of samples, and calls that
    deploy the repository as it is, whose ``project_dir`` is not said.
    """
    tree = ast.parse(source)
    found = [
        name for name in imported(tree) if re.match(rf"handlers\.domain\.({'|'.join(SAMPLES)})\b|tests\.samples", name)
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = [ast.unparse(one) for one in node.args] + [one.arg or "**" for one in node.keywords]
        if called in ("LocalRuntime", "ApplicationTest", "EngineRuntime") and not {"project_dir", "**"} & set(given):
            found.append(f"{called} without project_dir")
        if called in ("load_stack", "evaluate", "deploy_program", "declared") and given[:1] == ["PROJECT_DIR"]:
            found.append(f"{called} of the repository")
        if called == "StackImports" and "check_out(" not in source:
            found.append("the stack's modules in this process")
        if called == "checkout" and given and "alone" not in given:
            found.append("checkout of the repository")
    return found


def test_app_10_no_test_but_the_samples_needs_them() -> None:
    """What others deploy is ``local.testing.copies.alone``: it has the tests' own modules and stacks."""
    rooms = [path for path in TESTS.iterdir() if path.name not in ROOMS_OF_SAMPLES]
    files = (file for room in rooms for file in room.rglob("*.py"))
    found = {file.relative_to(TESTS).as_posix(): needs(file.read_text(encoding="utf-8")) for file in files}
    assert {name: needed for name, needed in found.items() if needed} == {}


def test_app_10_no_command_imports_a_sample() -> None:
    """Those that run samples look for them when they do: all others work without, and so do lint and types."""
    files = [file for room in ("bench", "cli", "local") for file in (PROJECT_DIR / room).rglob("*.py")]
    assert files
    found = {file.as_posix(): list(imported(ast.parse(file.read_text(encoding="utf-8")))) for file in files}
    assert [name for name, names in found.items() if any(map(OF_A_SAMPLE.match, names))] == []


@pytest.mark.parametrize(
    "line",
    [
        "from handlers.domain.airports import TYPE",
        "import tests.samples.test_cli",
        "LocalRuntime(scheduler=None)",
        "ApplicationTest(['handlers.domain.orders'])",
        "load_stack(PROJECT_DIR, 'dev')",
        "checkout(tmp_path)",
        "StackImports(stack)",
    ],
)
def test_app_10_what_needs_them_is_found(line: str) -> None:
    assert len(needs(line)) == 1


def test_app_10_the_checks_pass_and_the_tests_are_collected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, STACKS[:1], update=True) == 0
    assert check(folder, STACKS[:1], update=False) == 0
    assert "as reviewed" in capsys.readouterr().out
    run(folder, "ruff", "check", ".")
    run(folder, "ruff", "format", "--check", ".")
    marked = ("-p", "no:cacheprovider", "-n0", "-m", "not slow and not real")
    done = run(folder, "pytest", "-v", *marked, "-k", "test_the_shop", "tests/domain", "tests/e2e", "tests/infra")
    found = re.search(r"collected (\d+) items / (\d+) deselected", done)
    assert found is not None, "all the others are collected, too"
    assert int(found[1]) > 1_000
    assert int(found[2]) == int(found[1]) - 1
    problem = "cqrs: error: ./cqrs bench commands needs the sample handlers.domain.orders, which this repository"
    assert run(folder, "cli", "bench", "commands", code=1) == f"{problem} no longer contains\n"


@pytest.mark.slow
def test_app_10_the_tests_pass(folder: Path) -> None:
    """All that ``./cqrs test`` runs."""
    assert check(folder, STACKS, update=True) == 0
    run(folder, "cli", "test")
