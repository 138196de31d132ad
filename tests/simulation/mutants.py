"""``python -m tests.simulation.mutants``: breaks the protocol in each known way and shows which test notices.

    python -m tests.simulation.mutants                  all, two at a time
    python -m tests.simulation.mutants --only token     those with "token" in their name
    python -m tests.simulation.mutants --list

Each mutation is made in a copy of the tree. It counts as caught only if tests ran and failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "bench",
    "cli",
    "contract",
    "policy",
    "handlers",
    "infra",
    "local",
    "tests",
    "data",
    "docs",
    "README.md",
    "__main__.py",
    "Pulumi.yaml",
    "Pulumi.dev.yaml",
    "pyproject.toml",
)
TIMEOUT_SECONDS = 600
#: pytest's exit code when tests ran and some failed.
TESTS_FAILED = 1
_FAILED_TEST = re.compile(r"^FAILED (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of one mutation. ``by``: the test that failed first."""

    mutation: Mutation
    caught: bool
    by: str
    seconds: float


def apply(mutation: Mutation, tree: Path) -> None:
    """Make the edits. Raises ValueError unless each old text occurs exactly once."""
    for file, old, new in mutation.edits:
        path = tree / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{mutation.name}: the old text occurs {text.count(old)} times in {file}: {old!r}")
        path.write_text(text.replace(old, new), encoding="utf-8")


def try_out(mutation: Mutation) -> Verdict:
    """Run the mutation's tests on a mutated copy of the tree."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="cqrs-mutant-") as folder:
        tree = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, tree / name)
        apply(mutation, tree)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slow or moved",
            *mutation.tests,
        ]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
            )
        except subprocess.TimeoutExpired:
            return Verdict(mutation, False, f"no end within {TIMEOUT_SECONDS} s", time.perf_counter() - began)
    failed = _FAILED_TEST.search(done.stdout)
    by = failed[1] if failed else f"nobody (pytest ended with {done.returncode})"
    return Verdict(mutation, done.returncode == TESTS_FAILED and failed is not None, by, time.perf_counter() - began)


def table(verdicts: Sequence[Verdict]) -> str:
    """One line per mutation."""
    width = max(len(one.mutation.name) for one in verdicts)
    lines = [f"{'mutation':<{width}}  {'seconds':>7}  caught by"]
    for one in verdicts:
        by = one.by.removeprefix("tests/") if one.caught else f"NOT CAUGHT: {one.by}"
        lines.append(f"{one.mutation.name:<{width}}  {one.seconds:7.1f}  {by}")
    caught = sum(one.caught for one in verdicts)
    return "\n".join([*lines, f"{caught} of {len(verdicts)} mutations caught"])


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if a mutation went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a part of the mutations' names")
    parser.add_argument("--list", action="store_true", help="name them and what they break")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    chosen = [one for one in MUTATIONS if options.only in one.name]
    if not chosen:
        parser.error(f"no mutation has {options.only!r} in its name; --list shows them")
    if options.list:
        sys.stdout.write("".join(f"{one.name}: {one.why}\n" for one in chosen))
        return 0
    with ThreadPoolExecutor(options.processes) as pool:
        verdicts = list(pool.map(try_out, chosen))
    sys.stdout.write(f"{table(verdicts)}\n")
    return 0 if all(one.caught for one in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
