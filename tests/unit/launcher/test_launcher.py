"""``./cqrs`` itself, the file that runs before anything is installed, in a folder of its own without dependencies."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from cli.commands import COMMANDS, REQUIREMENTS, overview
from local.runtime import PROJECT_DIR

FILES = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
HELLO = "import sys; print('hello', *sys.argv[1:])\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository without packages to install, whose commands say hello."""
    folder = tmp_path / "repository"
    (folder / "cli").mkdir(parents=True)
    for name in ("cli/__init__.py",):
        (folder / name).touch()
    (folder / "cli" / "__main__.py").write_text(HELLO)
    for name in FILES:
        (folder / name).write_text("# nothing\n")
    for name in ("cqrs", "cli/commands.py"):
        shutil.copy2(PROJECT_DIR / name, folder / name)
    return folder


def load(folder: Path) -> ModuleType:
    loader = SourceFileLoader("cqrs_launcher", str(folder / "cqrs"))
    spec = importlib.util.spec_from_loader("cqrs_launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def start(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["./cqrs", *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    process = start(folder, *arguments, env=env)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def assert_one_made_it_and_the_other_waited(folder: Path, made: str) -> None:
    both = [start(folder, "demo", "--rows", "5"), start(folder, "serve")]
    results = [(process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for _, code in results] == [0, 0], results
    assert [output for (output, _), _ in results] == ["hello demo --rows 5\n", "hello serve\n"]
    errors = "".join(errors for (_, errors), _ in results)
    assert errors.count(made) == 1
    assert errors.count("cqrs: installing requirements-local.txt") == 1
    assert "cqrs: another ./cqrs is preparing .venv; waiting for it\n" in errors

    # the second time is silent
    assert run(folder, "demo") == (0, "hello demo\n", "")


def test_two_at_once_mend_a_broken_environment_once(folder: Path) -> None:
    """Python was upgraded or removed: the link in .venv leads nowhere."""
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/nonexistent/python3")
    assert_one_made_it_and_the_other_waited(folder, "cqrs: recreating .venv: its Python doesn't work\n")


def test_two_at_once_make_one_environment(folder: Path) -> None:
    assert_one_made_it_and_the_other_waited(folder, "cqrs: creating .venv\n")


def test_what_a_working_python_is(folder: Path, tmp_path: Path) -> None:
    works = load(folder).works
    assert works(sys.executable)
    assert not works(tmp_path / "absent")
    # creating .venv was stopped before pip was in it
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "partial")], check=True)
    assert not works(tmp_path / "partial" / "bin" / "python")


def environment(folder: Path, *packages: str, requirements: str = "requirements-local.txt") -> ModuleType:
    """The launcher's functions, on an environment that looks as if these packages were installed."""
    module = load(folder)
    site = folder / ".venv" / "lib" / "python3.11" / "site-packages"
    for package in packages:
        (site / f"{package}.dist-info").mkdir(parents=True)
        (site / f"{package}.dist-info" / "METADATA").touch()
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    module.stamp(requirements).write_text(module.fingerprint())
    return module


def test_an_environment_without_one_of_its_packages_is_not_installed(folder: Path) -> None:
    (folder / "requirements.txt").write_text("Some-Package[extra]==1.0\n")
    (folder / "requirements-local.txt").write_text("-r requirements.txt\nother.one==2.0  # why\n")
    launcher = environment(folder, "some_package-1.0", "other_one-2.0")
    assert launcher.is_installed("requirements-local.txt")
    assert launcher.is_installed("requirements.txt")
    shutil.rmtree(next((folder / ".venv").glob("**/other_one-2.0.dist-info")))
    assert launcher.missing("requirements-local.txt") == ["other_one_2_0"]
    assert not launcher.is_installed("requirements-local.txt")


def test_another_version_is_missing(folder: Path) -> None:
    (folder / "requirements.txt").write_text("package==1.0\n")
    launcher = environment(folder, "package-1.1")
    assert launcher.missing("requirements-local.txt") == ["package_1_0"]


def test_a_changed_file_and_an_unfinished_installation_are_not_installed(folder: Path) -> None:
    launcher = environment(folder)
    assert launcher.is_installed("requirements-local.txt")
    assert not launcher.is_installed("requirements-dev.txt")
    (folder / "requirements-dev.txt").write_text("# changed\n")
    assert not launcher.is_installed("requirements-local.txt")
    launcher.stamp("requirements-local.txt").write_text(launcher.fingerprint())
    launcher.stamp("requirements-local.txt").unlink()
    assert not launcher.is_installed("requirements-local.txt")


def test_the_pins_of_this_repository_are_read() -> None:
    launcher = load(PROJECT_DIR)
    lines = [
        line
        for name in FILES
        for line in (PROJECT_DIR / name).read_text().splitlines()
        if line[:1] not in ("", "#", "-")
    ]
    assert len(launcher.pins("requirements-dev.txt")) == len(lines)


def test_a_link_to_an_environment_that_is_gone_is_left_alone(folder: Path) -> None:
    (folder / ".venv").symlink_to(folder / "elsewhere")
    code, output, errors = run(folder, "demo")
    assert (code, output) == (1, "")
    assert errors.startswith("cqrs: error: .venv is a link to ")
    assert errors.count("\n") == 1


def fake_python(folder: Path, name: str, version: str) -> None:
    path = folder / name
    path.write_text(f'#!/bin/sh\ntest "$1" = -V && echo "Python {version}" && exit 0\nexit 1\n')
    path.chmod(0o755)


def test_an_old_python_is_refused(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    fake_python(old, "python3", "3.9.2")
    code, output, errors = run(folder, "demo", env={"PATH": str(old)})
    assert (code, output) == (2, "")
    assert errors.startswith("cqrs: error: Python 3.11 or later is needed (found: Python 3.9.2)")
    assert errors.count("\n") == 1


def test_no_python_is_refused(folder: Path, tmp_path: Path) -> None:
    code, _, errors = run(folder, "demo", env={"PATH": str(tmp_path)})
    assert code == 2
    assert "(found: there is no python3)" in errors


def test_a_newer_python_beside_an_old_one_is_found(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    fake_python(old, "python3", "3.9.2")
    (old / "python3.11").symlink_to(sys.executable)
    code, output, _ = run(folder, "help", env={"PATH": str(old)})
    assert code == 0
    assert "./cqrs demo" in output


def test_python_can_be_named(folder: Path, tmp_path: Path) -> None:
    code, output, _ = run(folder, "help", env={"PATH": str(tmp_path), "PYTHON": sys.executable})
    assert code == 0
    assert "./cqrs demo" in output


def test_every_command_is_in_the_overview_and_has_its_module() -> None:
    for name, one in COMMANDS.items():
        assert f"./cqrs {name}" in overview()
        assert one.requirements in REQUIREMENTS
        module = importlib.import_module(one.module)
        assert callable(module.add_arguments)
        assert callable(module.run)
