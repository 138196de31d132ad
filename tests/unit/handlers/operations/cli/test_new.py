"""``./cqrs new``: what it writes is complete, passes the checks of this repository, and can be tried at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.develop.errors import CommandError
from cli.develop.new import KINDS, new, with_module, write
from local.testing.copies import PROGRAM, alone

COPIED = (*PROGRAM, "infra", "local", "policy", "pyproject.toml")
NAMES = {
    "sync-handler": "book_card",
    "import": "price_list",
    "task": "nightly_report",
    "workflow": "claim_of_damage",
    "approval": "approval_of_a_long_leave",
    "saga": "booking_of_a_long_journe",
}
#: Its test is the only one that deploys: most of the time of all. tests/e2e/test_application_kit.py approves, too.
DEPLOYED = NAMES["approval"]
PYTEST = ("pytest", "-n0", "-q", "-p", "no:cacheprovider", "--rootdir", ".")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return alone(tmp_path, COPIED)


def ran(root: Path, *command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_app_06_each_kind_passes_the_checks_and_its_own_test(root: Path) -> None:
    *others, last = NAMES.items()
    for kind, name in others:
        write(root, kind, name, None, "dev")
    assert new(root, *last, None, "dev") == 0  # checks what all of them declare
    assert set(NAMES) == set(KINDS)
    assert "handlers.domain.book_card" in (root / "Pulumi.dev.yaml").read_text()
    ran(root, "ruff", "check", "handlers/domain", "tests/domain")
    ran(root, "ruff", "format", "--check", "handlers/domain", "tests/domain")
    own = [f"tests/domain/test_{name}.py" for name in NAMES.values() if name != DEPLOYED]
    ran(root, *PYTEST, *own)


@pytest.mark.slow
def test_app_06_each_kind_passes_the_type_check_in_place(root: Path) -> None:
    """The modules alone are checked by tests/unit/docs/test_types.py, with the pages' samples."""
    for kind, name in NAMES.items():
        write(root, kind, name, None, "dev")
    ran(root, "mypy", "--cache-dir", str(root / "mypy"), "handlers/domain", "tests/domain")


@pytest.mark.slow
def test_an_approval_passes_its_own_test(root: Path) -> None:
    write(root, "approval", DEPLOYED, None, "dev")
    ran(root, *PYTEST, f"tests/domain/test_{DEPLOYED}.py")


@pytest.mark.parametrize("name", ["Book", "9lives", "a__b", "a-b", "", "x" * 25])
def test_a_wrong_name_is_refused(root: Path, name: str) -> None:
    with pytest.raises(CommandError, match="lower-case words"):
        new(root, "task", name, None, "dev")


def test_nothing_is_written_over_or_half(root: Path) -> None:
    (root / "tests/domain").mkdir(parents=True)
    (root / "tests/domain/test_job.py").write_text("mine")
    before = (root / "Pulumi.dev.yaml").read_text()
    with pytest.raises(CommandError, match=r"tests/domain/test_job.py already exists; choose another name"):
        new(root, "task", "job", None, "dev")
    assert not (root / "handlers/domain/job.py").exists()
    assert (root / "Pulumi.dev.yaml").read_text() == before
    with pytest.raises(CommandError, match="unknown stack 'test'"):
        new(root, "task", "other", None, "test")


def test_the_line_in_the_stacks_file() -> None:
    assert with_module("config:\n  cqrs:handlerModules: [a, b]\n  x: 1\n", "c") == (
        "config:\n  cqrs:handlerModules: [a, b, c]\n  x: 1\n"
    )
    assert with_module("config:\n  cqrs:handlerModules: [a]\n", "c") == "config:\n  cqrs:handlerModules: [a, c]\n"
    assert with_module("config:\n  x: 1\n", "c") == "config:\n  cqrs:handlerModules: [c]\n  x: 1\n"
    for text in ("config:\n  cqrs:handlerModules:\n    - a\n", "x: 1\n"):
        with pytest.raises(CommandError, match="by hand"):
            with_module(text, "c")
