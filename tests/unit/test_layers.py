"""HOUSE-01: layers of packages and no cycle between them: the contracts of pyproject.toml would show a breach."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_house_01_the_layers_hold() -> None:
    result = linted(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("handlers/core/clock.py", "import handlers.store.port", "handlers: entry points over capabilities"),
        ("handlers/tasks/model.py", "import handlers.imports.strategy", "handlers: entry points over capabilities"),
        (
            "handlers/imports/files/records.py",
            "import handlers.imports.jobs.status",
            "handlers.imports: the doors over",
        ),
        ("handlers/imports/csv/machine.py", "import handlers.imports.zip.machine", "handlers.imports: the doors over"),
        ("handlers/commands/model.py", "import infra.stack", "functions and program never import each other"),
        ("contract/__init__.py", "import infra.outputs", "the shared words import nothing of ours"),
        ("infra/outputs.py", "import handlers.core.keys", "the program imports neither functions nor laptop"),
        ("local/scheduler.py", "import cli.output", "the embedded AWS knows no commands"),
        ("local/states/manager.py", "import local.aws.endpoint", "no cycles between packages"),
    ],
)
def test_house_01_a_wrong_import_is_found(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    text = path.read_text()
    path.write_text(f"{text}\n{line}\n")
    try:
        result = linted(copy)
    finally:
        path.write_text(text)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [one for one in result.stdout.splitlines() if one.endswith("BROKEN")]
    assert any(one.startswith(contract) for one in broken), result.stdout
