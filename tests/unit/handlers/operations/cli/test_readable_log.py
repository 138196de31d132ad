"""What ``./cqrs serve`` shows of the functions' log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from cli.develop.readable_log import TerminalHandler, edited_paths
from handlers.core.log import LOGGER_NAME, log_step, logger
from local.functions.model import current_function

#: Characters: it takes a millisecond, or ten times the limit where each of them is looked at from each of them.
WORD = 60_000
CPU_SECONDS = 1.0


@pytest.fixture
def shown() -> Iterator[logging.Logger]:
    called = current_function.set("cqrs-dev-states")
    handler, level = TerminalHandler(logging.WARNING), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logging.getLogger(LOGGER_NAME)
    logger.removeHandler(handler)
    logger.setLevel(level)
    current_function.reset(called)


def test_a_step_that_went_wrong_is_one_line(shown: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log_step("all is well", pk="TENANT#t1", sk="ORDER#o1")
    log_step("handler failed", level=logging.ERROR, pk="TENANT#t1", sk="ORDER#o1@0000000001", state="sync_data")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.split()[1:3] == ["states", "ERROR"]
    assert line.endswith("  handler failed  TENANT#t1 ORDER#o1@0000000001  state=sync_data")


def test_a_traceback_has_the_paths_of_the_repository(shown: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["/tmp/cqrs-x/functions/0123456789abcdef/handlers/domain/orders.py:35 up"]
    log_step("refused", level=logging.WARNING, errorType="KeyError", raisedAt=places)
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("refused  errorType=KeyError")
    assert second == "    at handlers/domain/orders.py:35 up"
    try:
        raise RuntimeError("no")
    except RuntimeError as error:
        log_step("failed", level=logging.ERROR, error=error)
    assert "RuntimeError: no" in capsys.readouterr().err


def test_other_paths_stay() -> None:
    text = 'File "/tmp/x/functions/0123456789abcdef/handlers/a.py", File "/usr/lib/python3/json.py"'
    assert edited_paths(text) == 'File "handlers/a.py", File "/usr/lib/python3/json.py"'


def test_what_was_stored_does_not_steer_the_terminal(shown: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log_step("odd", level=logging.ERROR, pk="T\x1b[2J", sk="x")
    assert "\x1b" not in capsys.readouterr().err


def test_a_long_word_is_no_trouble() -> None:
    """Each character of it was a place to begin at: a megabyte took minutes, in which nothing else ran."""
    begin = time.process_time()
    assert edited_paths("x" * WORD) == "x" * WORD
    assert time.process_time() - begin < CPU_SECONDS
