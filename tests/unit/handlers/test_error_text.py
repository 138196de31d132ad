"""An error of any size is stored and sent with its type, the start of its text, and how much was left out."""

from __future__ import annotations

import ast
import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import handlers.entrypoints
from handlers.commands.failure import Failure
from handlers.core.error_text import MAX_FRAMES, MAX_MESSAGE_CHARS, MAX_TYPE_CHARS, cut, error_of, leaving
from handlers.entrypoints.wiring.lazy import bounded

HUGE = "index is full " + "x" * 2_000_000
#: API reference, TaskFailedEventDetails: a cause has at most so many characters.
STATE_CAUSE_CHARS = 32_768


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def deep(calls: int) -> None:
    if calls:
        deep(calls - 1)
    raise ValueError("deep inside")


ERRORS: list[Exception] = [
    RuntimeError(HUGE),
    RuntimeError("商品" * 500_000),
    RuntimeError("\x00\"'\\" * 100_000),
    RuntimeError({"rows": [HUGE]}, 1, None),
    RuntimeError(b"\xff" * 300_000),
    RuntimeError("half \ud800 of a pair"),
    RuntimeError(10**5_000),
    Unspeakable(),
    ExceptionGroup("many", [ValueError(HUGE), ExceptionGroup(HUGE, [KeyError(HUGE)])]),
    type("Named" + "x" * 1_000, (Exception,), {})(HUGE),
    KeyError(HUGE),
    RuntimeError(),
    RuntimeError("short"),
]
EACH = pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__:.20}")


@EACH
def test_edge_14_an_error_leaves_a_function_in_a_size_that_a_state_can_hold(error: Exception) -> None:
    def handle(_event: Any, _context: Any) -> None:
        raise error

    with pytest.raises(Exception) as raised:
        bounded(handle)({}, None)
    left = raised.value
    stack = traceback.format_list(traceback.extract_tb(left.__traceback__))
    # As Lambda's runtime sends it, and as the state ``target_failed`` puts it into JSON once more.
    payload = json.dumps({"errorMessage": str(left), "errorType": type(left).__name__, "stackTrace": stack})
    cause = json.dumps({"target": "search", "failure": {"Error": type(left).__name__, "Cause": payload}})
    assert len(cause) <= STATE_CAUSE_CHARS
    str(left).encode()
    assert type(left).__name__[:100] == type(error).__name__[:100]
    failure = Failure.from_state_input({"Error": type(left).__name__, "Cause": cause})
    assert (failure.type, failure.target) == (cut(type(error).__name__, MAX_TYPE_CHARS), "search")
    assert failure.message == Failure.from_exception(error).message


@EACH
def test_edge_14_an_error_is_stored_with_its_type_and_start(error: Exception) -> None:
    stored = Failure.from_exception(error).stored("sync_data")
    assert len(json.dumps(stored).encode()) < 13_000
    assert stored["type"].startswith(type(error).__name__[:100])
    failure = Failure.from_exception(error)
    assert len(failure.alarm_text("sync_data")) < 300
    assert error_of(failure.type, failure.message) == {"type": stored["type"], "message": stored["message"]}


def test_edge_14_how_much_was_left_out_is_reported() -> None:
    message = Failure.from_exception(RuntimeError(HUGE)).message
    kept, _, more = message.partition("... (")
    assert HUGE.startswith(kept)
    assert more == f"{len(HUGE) - len(kept):,} more characters)"
    assert len(message) == MAX_MESSAGE_CHARS


@given(st.text(st.characters(), max_size=300), st.integers(min_value=40, max_value=120))
def test_edge_14_a_cut_text_is_within_its_limit_and_counts_what_is_gone(text: str, most: int) -> None:
    whole = text.encode("utf-8", "backslashreplace").decode()
    short = cut(text, most)
    assert len(short) <= most
    if len(whole) <= most:
        assert short == whole
    else:
        kept, _, more = short.rpartition("... (")
        assert whole.startswith(kept)
        assert len(kept) + int(more.partition(" ")[0].replace(",", "")) == len(whole)
    assert cut(short, most) == short


def test_edge_14_an_error_that_fits_is_left_as_it_is() -> None:
    error = ValueError("x" * 5_000)
    assert leaving(error) is error
    assert str(error) == "x" * 5_000


def test_edge_14_of_a_deep_stack_the_calls_nearest_to_the_error_are_kept() -> None:
    with pytest.raises(ValueError, match="deep inside") as raised:
        bounded(lambda _event, _context: deep(300))({}, None)
    frames = traceback.extract_tb(raised.value.__traceback__)
    assert len(frames) <= MAX_FRAMES + 3
    assert frames[-1].name == "deep"


def test_edge_14_every_function_bounds_its_errors() -> None:
    folder = Path(handlers.entrypoints.__file__).parent
    found = 0
    for path in sorted(folder.glob("*.py")):
        if path.name == "api.py":  # answers with problem documents of its own (API-10)
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == "create":
                found += 1
                assert ast.unparse(node.body[-1]) == "return bounded(handle)", path.name
    assert found >= 7
