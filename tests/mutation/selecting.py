"""A plugin for pytest: run the tests whose ids a file lists, one a line (``-p tests.mutation.selecting``)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

IDS_FILE = "CQRS_MUTATION_TESTS"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep those. Without the file, all."""
    if IDS_FILE not in os.environ:
        return
    wanted = set(Path(os.environ[IDS_FILE]).read_text(encoding="utf-8").splitlines())
    items[:] = [one for one in items if one.nodeid in wanted]
