"""EDGE-42: each runtime of a folder writes a log of its own."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cli.develop.start import log_to_file
from handlers.core.log import LOGGER_NAME


def test_edge_42_every_runtime_has_its_own_log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one neither truncates the first one's log nor writes into it; a freed name is used again, emptied."""
    logger = logging.getLogger(LOGGER_NAME)
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    monkeypatch.setattr(logger, "level", logger.level)
    first = log_to_file(tmp_path)
    of_the_first = list(logger.handlers)
    logger.info("from the first")
    kept = first.read_text()
    assert (first, "from the first" in kept) == (tmp_path / "functions.log", True)
    second = log_to_file(tmp_path)
    logger.info("from the second")
    assert second == tmp_path / "functions-2.log"
    assert "from the second" in second.read_text()
    assert first.read_text() == kept
    close(of_the_first)
    of_the_second = list(logger.handlers)
    assert log_to_file(tmp_path) == first
    assert first.read_text() == ""
    close([*of_the_second, *logger.handlers])


def close(handlers: list[logging.Handler]) -> None:
    """As the end of its process does."""
    for handler in handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.stream.close()
