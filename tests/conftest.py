"""What holds for the whole run."""

from __future__ import annotations

import gc
from collections import defaultdict
from pathlib import Path

import pytest

from local.aws.bounds import COLLECT_AFTER
from tests.moved_to_slow import MOVED

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``tests/moved_to_slow.py`` names, before markers are selected by."""
    moved = defaultdict(list)
    for one in MOVED:
        moved[one.path, one.test].append(one)
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        found = moved.get((item.path.relative_to(ROOT).as_posix(), item.originalname), ())
        if any(one.names(item.callspec.id if hasattr(item, "callspec") else None) for one in found):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.moved)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end, and nearly all that tests make has no cycles: looking through both took
    a fifth of the whole run's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)
