"""``./cqrs test``: lint, format, types and tests, as CI runs them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli import stopping
from cli.errors import CommandError
from cli.terminal import show
from infra.packages.here import packages_folder
from infra.packaging import PackagingError
from local.runtime import PROJECT_DIR

CHECKS = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy", ["mypy"]),
)
#: Runs a module with a folder at the end of ``sys.path``, so that this environment's packages take precedence.
_BEHIND = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module(sys.argv.pop(1), None, '__main__', True)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs test``."""
    parser.add_argument("--slow", action="store_true", help="include the long runs (thousands of seeds, large files)")
    parser.add_argument(
        "--real", action="store_true", help="run only the tests against third-party software that is installed"
    )
    parser.add_argument("--mutants", type=int, metavar="N", help="run mutation tests: break handlers/ in N ways")
    parser.add_argument("--seed", type=int, default=1, help="seed that chooses the mutants (default: 1)")
    parser.add_argument(
        "--checks", action="store_true", help="run lint, format and types even with arguments for pytest"
    )
    parser.add_argument("pytest", nargs="*", help="arguments for pytest; with them, other checks need --checks")


def run(options: argparse.Namespace) -> int:
    """Run the checks. Returns the exit code of the first one that fails."""
    env = environment(os.environ)
    if options.mutants is not None:
        count, seed = str(options.mutants), str(options.seed)
        return _run([sys.executable, "-m", "tests.mutation", "--count", count, "--seed", seed], env)
    chosen = list(options.pytest)
    if options.real:
        return _run([sys.executable, "-m", "pytest", "-q", "-m", "real", *(chosen or ["tests"])], env)
    if options.checks or not chosen:
        folder = _packages()
        for name, command in CHECKS:
            show(f"== {name}")
            code = _run(with_packages(command, folder), env)
            if code != 0:
                return code
        show("== pytest")
    markers = ["-m", "not real" if options.slow else "not slow and not real"]
    parallel = [] if chosen else ["-n", str(os.cpu_count() or 2), "--dist", "worksteal"]
    arguments = [sys.executable, "-m", "pytest", "-q", *parallel, *markers, *chosen]
    return _run(arguments, env)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of the checks. It always enables bytecode: without it, each test process compiles all tests
    again, which took a tenth of the tests' time.
    """
    kept = {name: value for name, value in given.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PULUMI_ERROR_OUTPUT_STRING": "true"}


def with_packages(command: Sequence[str], folder: Path | None) -> list[str]:
    """The command line that runs a module (its name, then its arguments) with the packages of a folder importable."""
    return [sys.executable, *(["-m"] if folder is None else ["-c", _BEHIND, str(folder)]), *command]


def _packages() -> Path | None:
    try:
        return packages_folder(PROJECT_DIR)
    except PackagingError as error:
        raise CommandError(str(error)) from error


def _run(command: list[str], env: Mapping[str, str]) -> int:
    with subprocess.Popen(command, env=env) as child:
        stopping.on_stop(child.terminate)
        return child.wait()
