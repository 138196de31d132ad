"""What an operator's command can import: folders of a stack's application, and the packages of its handlers."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from cli.develop.test import with_packages
from cli.errors import CommandError
from cli.operate.collaborators import application_folders, collaborators_of
from cli.operate.stack import Stack, StackArgs
from handlers.entrypoints.wiring.settings import ApplicationSettings
from infra.packages.here import packages_folder
from tests.support.wheels import only, wheel
from tests.unit.handlers.test_settings import STATES

COURTESY = "import sys\nWORD = 'please'\nif __name__ == '__main__':\n    print(WORD, *sys.argv[1:])\n"


def test_folders_are_those_of_the_stacks_file(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text("config:\n  cqrs:applicationPackages: [src/acme, other]\n  cqrs:logLevel: INFO\n")
    assert application_folders(file) == ["src/acme", "other"]
    for text in ("", "config:\n", "config: {a: 1}\n", "- 1\n", "a: [\n"):
        file.write_text(text)
        assert application_folders(file) == []
    assert application_folders(tmp_path / "Pulumi.none.yaml") == []


def test_app_01_packages_of_handlers_are_importable_to_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in only(tmp_path / "wheels").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "path", [*sys.path])
    wheel(tmp_path / "wheels", "courtesy", "1.0", {"courtesy.py": COURTESY})
    listed = tmp_path / "handlers/requirements.txt"
    listed.parent.mkdir()
    listed.write_text("courtesy==1.0\n")
    stack = Stack(StackArgs("dev", "cqrs", endpoint="http://127.0.0.1:4566"))
    collaborators_of(stack, ApplicationSettings({**STATES, "HANDLER_MODULES": "handlers.domain.orders"}), tmp_path)
    assert importlib.import_module("courtesy").WORD == "please"
    check = with_packages(["courtesy", "me"], packages_folder(tmp_path))
    done = subprocess.run(check, capture_output=True, text=True, check=True)
    assert done.stdout == "please me\n"  # so mypy of ./cqrs test finds them
    listed.write_text("courtesy==2.0\n")
    with pytest.raises(CommandError, match=r"courtesy==2\.0"):
        collaborators_of(stack, ApplicationSettings(STATES), tmp_path)
