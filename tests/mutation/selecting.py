"""A plugin for pytest (``-p tests.mutation.selecting``): run the tests that a file lists, each within its time."""

from __future__ import annotations

import json
import os
import signal
from functools import cache
from pathlib import Path

import pytest

IDS_FILE = "CQRS_MUTATION_TESTS"


@cache
def _limits() -> dict[str, int] | None:
    """Seconds by the test's id; None: run all, within whatever time there is."""
    if IDS_FILE not in os.environ:
        return None
    found: dict[str, int] = json.loads(Path(os.environ[IDS_FILE]).read_text(encoding="utf-8"))
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep those that are listed."""
    limits = _limits()
    if limits is not None:
        items[:] = [one for one in items if one.nodeid in limits]


def pytest_runtest_logstart(nodeid: str) -> None:
    """A test begins: its own time, so that one without end doesn't take that of the others."""
    limits = _limits()
    if limits is not None:
        signal.alarm(limits[nodeid])
