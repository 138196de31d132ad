"""Tries a mutant out: in a private copy of the tree, the tests that run its lines, until one fails."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.mutation.line_map import ROOT, Coverage
from tests.mutation.mutants import Mutant
from tests.mutation.selecting import IDS_FILE
from tests.simulation.mutants import COPIED

#: Unmutated seconds of the quickest tests of one round, and of those that are named for the module: a constant is run
#: by no test, so its mutants are tried with those of the file, of which many files have more than that.
ROUND_SECONDS = 90
#: A test has this many times as long as without the mutant, and a start: beyond that it doesn't end.
PATIENCE, START_SECONDS = 8, 60
NO_END = "no end in its time"
#: pytest: tests ran and some failed; a file could not be imported (or the run was interrupted by that).
TESTS_FAILED, INTERRUPTED, NOTHING_RAN = 1, 2, 5
#: What unit tests can't notice is left to the simulation and to the deployed whole, by where the mutant is. The first
#: place that fits counts.
WIDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "cli/operate",
        ("tests/e2e/test_operations_cli.py", "tests/e2e/test_imports_cli.py", "tests/e2e/test_tasks_cli.py"),
    ),
    ("handlers/operations", ("tests/simulation/test_operators.py", "tests/e2e/test_operations_cli.py")),
    ("handlers/imports/zip", ("tests/simulation/test_import_seeds.py", "tests/e2e/test_zip_imports.py")),
    ("handlers/imports", ("tests/simulation/test_import_seeds.py", "tests/e2e/test_imports_cli.py")),
    ("handlers/tasks", ("tests/e2e/test_tasks.py",)),
    ("handlers/workflows", ("tests/simulation/test_workflow_seeds.py", "tests/e2e/test_workflows.py")),
    ("handlers/commands", ("tests/simulation/test_seeds.py", "tests/simulation/test_every_call.py")),
    ("handlers/__init__", ("tests/unit/test_application_face.py",)),
    ("handlers", ("tests/infra/test_environment.py", "tests/simulation/test_seeds.py", "tests/e2e/test_pipeline.py")),
)
#: Seconds for those.
WIDER_SECONDS = 900
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``by``: the test that failed first, or why nothing ended; empty if it survived."""

    mutant: Mutant
    by: str
    seconds: float

    @property
    def caught(self) -> bool:
        """A test noticed."""
        return self.by != ""

    @property
    def ran_out_of_time(self) -> bool:
        """Nothing failed, and nothing ended: on a busy machine that may be the machine's doing."""
        return self.by == NO_END


class Trials:
    """A copy of the tree in which one mutant at a time is tried out. A context manager: the copy goes with it."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._folder = tempfile.TemporaryDirectory(prefix="cqrs-mutation-")
        self._tree = Path(self._folder.name)
        self._forks: subprocess.Popen[str]
        self._written = int(time.time()) - 1_000_000

    def __enter__(self) -> Trials:
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self._tree / name)
            else:
                shutil.copy(source, self._tree / name)
        command = [sys.executable, "-m", "tests.mutation.forking"]
        self._forks = subprocess.Popen(
            command, cwd=self._tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._forks.terminate()
        self._forks.communicate()
        self._folder.cleanup()

    def verdict(self, mutant: Mutant) -> Verdict:
        """Try it with the tests of its lines, then of its file, then with wider ones; the original is put back."""
        began = time.perf_counter()
        original = (self._tree / mutant.file).read_text(encoding="utf-8")
        self._write(mutant.file, mutant.source)
        try:
            by = self._by(mutant)
        finally:
            self._write(mutant.file, original)
        return Verdict(mutant, by, time.perf_counter() - began)

    def _by(self, mutant: Mutant) -> str:
        own = self._affordable(mutant, self._coverage.of_lines(mutant.file, range(mutant.line, mutant.last_line + 1)))
        others = self._affordable(mutant, self._coverage.of_file(mutant.file) - set(own))
        wider = next(tests for place, tests in WIDER if mutant.file.startswith(place))
        return self._run_tests(own) or self._run_tests(others) or self._run(wider, {}, WIDER_SECONDS)

    def _affordable(self, mutant: Mutant, tests: Iterable[str]) -> list[str]:
        """What fits into one round: the quickest, and as much of what is named for the module."""
        own = f"test_{Path(mutant.file).stem}.py::"
        known = list(tests)
        return sorted({*self._quickest(known), *self._quickest(one for one in known if own in one)})

    def _quickest(self, tests: Iterable[str]) -> list[str]:
        chosen: list[str] = []
        total = 0.0
        for test in sorted(tests, key=lambda one: (self._coverage.seconds[one], one)):
            total += self._coverage.seconds[test]
            if chosen and total > ROUND_SECONDS:
                break
            chosen.append(test)
        return chosen

    def _run_tests(self, tests: list[str]) -> str:
        if not tests:
            return ""
        by_file: dict[str, list[float]] = {}
        for test in tests:
            by_file.setdefault(test.split("::", 1)[0], []).append(self._coverage.seconds[test])
        files = sorted(by_file, key=lambda file: sum(by_file[file]) / len(by_file[file]))
        ids = self._tree / "tests-to-run"
        limits = {test: math.ceil(START_SECONDS + PATIENCE * self._coverage.seconds[test]) for test in tests}
        ids.write_text(json.dumps(limits), encoding="utf-8")
        # That of the imports; then each test has its own.
        return self._run(files, {IDS_FILE: str(ids)}, START_SECONDS)

    def _run(self, places: Iterable[str], environment: dict[str, str], limit: float) -> str:
        output = self._tree / "output"
        request = {
            "arguments": ["-x", "-q", "-p", "tests.mutation.selecting", "-m", "not slow", *places],
            "environment": environment,
            "output": str(output),
            "seconds": int(limit),
        }
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(f"{json.dumps(request)}\n")
        self._forks.stdin.flush()
        code = int(self._forks.stdout.readline())
        if code in (0, NOTHING_RAN):
            return ""
        if code == -signal.SIGALRM:
            return NO_END
        text = output.read_text(encoding="utf-8", errors="replace")
        failed = _FAILED.search(text)
        if code in (TESTS_FAILED, INTERRUPTED) and failed:
            return failed[1]
        raise RuntimeError(f"pytest ended with {code}:\n{text[-3000:]}")

    def _write(self, file: str, source: str) -> None:
        """Each text with a time of its own: bytecode is taken for another text's if time (seconds) and size agree."""
        path = self._tree / file
        path.write_text(source, encoding="utf-8")
        self._written += 1
        os.utime(path, (self._written, self._written))
