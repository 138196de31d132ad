"""What holds for the whole run."""

from __future__ import annotations

import gc
import logging

import pytest

from cli.develop.readable_log import ReadableFormatter
from infra.packages.here import make_importable
from local.aws.bounds import COLLECT_AFTER
from local.runtime import PROJECT_DIR


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end, and nearly all that tests make has no cycles: looking through both took
    a fifth of the whole run's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Tests may import what handlers import. A failed test shows what functions warn of, as ``./cqrs serve`` does: the
    hundreds of lines that tell each step of a deployment hid it."""
    make_importable(PROJECT_DIR)
    shown = session.config.pluginmanager.get_plugin("logging-plugin").report_handler  # type: ignore[union-attr]
    shown.setFormatter(ReadableFormatter())
    shown.setLevel(logging.WARNING)
