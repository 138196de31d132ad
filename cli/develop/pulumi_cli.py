"""Runs the real Pulumi CLI on the embedded runtime, without network access, and explains its errors in one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.develop.errors import CommandError

PROGRAM = "pulumi"
LANGUAGE_HOST = "pulumi-language-python"
#: The Python SDK of requirements.txt was tested with the protocol of this CLI; older ones are untested.
OLDEST = (3, 272, 0)
#: The program's files and folders; see ``copy_program``.
PARTS = ("__main__.py", "contract", "handlers", "infra")
_LEFTOVERS = shutil.ignore_patterns("__pycache__", "*.pyc")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")

#: Text in the CLI's output to the error of ``./cqrs up``.
_REFUSALS = (
    (
        "the stack is currently locked by",
        "stack {stack} is locked by another update: wait for it, or if it was killed, "
        "./cqrs up --stack {stack} --unlock",
    ),
    (
        "connection refused",
        "the runtime ended during the update: start ./cqrs serve --engine again, then ./cqrs up",
    ),
    (
        "no language plugin",
        "the CLI finds no " + LANGUAGE_HOST + ": install the complete Pulumi distribution, which contains it",
    ),
    (
        "pending operations from previous deployment",
        "the last update of stack {stack} was killed while it created resources, which now exist without being in the "
        "engine's state: stop ./cqrs serve --engine and start it again",
    ),
    (
        "failed to load checkpoint",
        "the last update of stack {stack} was killed while the engine wrote its state, which is lost: "
        "stop ./cqrs serve --engine and start it again",
    ),
    ("not installed", "the CLI needs a plugin that the embedded runtime doesn't have: {line}"),
)


@dataclass(frozen=True)
class PulumiCli:
    """A usable CLI.

    Attributes:
        program: its path.
        version: as it prints it, with a ``v``.
    """

    program: str
    version: str

    def command(self, *arguments: str) -> list[str]:
        """The command line, without colours and prompts."""
        return [self.program, *arguments, "--non-interactive", "--color", "never"]


def find_cli(path: str | None = None) -> PulumiCli:
    """The CLI on the search path (default: the process's own).

    Raises:
        CommandError: there is none, it is too old, or it lacks its Python language host.
    """
    program = shutil.which(PROGRAM, path=path)
    if program is None:
        raise CommandError(f"no {PROGRAM} on the PATH: install the Pulumi CLI, {_text(OLDEST)} or later")
    done = subprocess.run([program, "version"], capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout.strip()
    match = _VERSION.match(said)
    if match is None:
        raise CommandError(f"{program} version printed {said or done.stderr.strip()!r}, which is not a version")
    if tuple(map(int, match.groups())) < OLDEST:
        raise CommandError(f"{program} is {said}, which is too old: install {_text(OLDEST)} or later")
    beside = str(Path(program).resolve().parent)
    if shutil.which(LANGUAGE_HOST, path=path) is None and shutil.which(LANGUAGE_HOST, path=beside) is None:
        raise CommandError(
            f"{program} has no {LANGUAGE_HOST} next to it: install the complete Pulumi distribution, which contains it"
        )
    return PulumiCli(program, said)


def offline_environment(
    home: Path, provider: Mapping[str, str], base: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The environment of a CLI that keeps everything in ``home`` and downloads nothing.

    It contains none of the user's Pulumi and AWS settings, so neither a backend nor credentials can be reached.
    """
    kept = {key: value for key, value in base.items() if not key.startswith(("AWS_", "PULUMI_"))}
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": state.resolve().as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "local",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **provider,
    }


def copy_program(source: Path, folder: Path, stack_files: Sequence[str]) -> Path:
    """Copy the program and the named stack files to ``folder``, with a link to the virtual environment.

    The CLI writes ``encryptionsalt`` into stack files, in this case the copy, which keeps it when it is updated.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        shutil.rmtree(folder / part, ignore_errors=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, folder / part, ignore=_LEFTOVERS)
        else:
            shutil.copy2(source / part, folder / part)
    shutil.copy2(source / "Pulumi.yaml", folder / "Pulumi.yaml")
    for name in stack_files:
        target = folder / name
        salt = _salt(target)
        shutil.copy2(source / name, target)
        if salt:
            target.write_text(f"{salt}\n{target.read_text(encoding='utf-8')}", encoding="utf-8")
    link = folder / ".venv"
    if not link.is_symlink():
        link.symlink_to(Path(sys.prefix).resolve())
    return folder


def refusal(output: str, stack: str) -> str | None:
    """One line for a known error of the CLI; None for an unknown one."""
    for sign, text in _REFUSALS:
        line = next((one.strip() for one in output.splitlines() if sign in one), None)
        if line is not None:
            return text.format(stack=stack, line=line)
    return None


def _salt(stack_file: Path) -> str | None:
    if not stack_file.is_file():
        return None
    lines = stack_file.read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith("encryptionsalt:")), None)


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
