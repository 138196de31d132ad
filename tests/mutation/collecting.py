"""A plugin for pytest: which tests run which lines of ``handlers/``, and how long each takes.

``-p tests.mutation.collecting``; the file that the answer is written to is in the environment (``MAP_FILE``).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import coverage
import pytest

MAP_FILE = "CQRS_MUTATION_MAP"


class Collector:
    """Switches the measurement to each test while it runs, its fixtures included."""

    def __init__(self, root: Path, target: Path) -> None:
        self._root = root
        self._target = target
        self._seconds: dict[str, float] = defaultdict(float)
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, source=[str(root / "handlers")], concurrency=["thread", "greenlet"]
        )
        self._coverage.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._coverage.switch_context(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """It has ended: what runs now belongs to no test."""
        self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The seconds of its set-up, call and end."""
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """``{"tests": [[id, seconds], ...], "lines": {file: {line: [indices of tests]}}}``."""
        self._coverage.stop()
        data = self._coverage.get_data()
        ids = list(self._seconds)
        index = {name: number for number, name in enumerate(ids)}
        lines = {
            Path(file).relative_to(self._root).as_posix(): {
                line: sorted(index[test] for test in tests if test in index)
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in sorted(data.measured_files())
        }
        tests = [[name, round(seconds, 3)] for name, seconds in self._seconds.items()]
        self._target.write_text(json.dumps({"tests": tests, "lines": lines}), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Measure this run."""
    config.pluginmanager.register(Collector(config.rootpath, Path(os.environ[MAP_FILE])), "mutation-collector")
