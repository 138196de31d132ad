"""Errors as stored and sent: the type, the start of the text, and how much of it was cut.

An error's text may be of any size. If too large, it would hide the error: DynamoDB rejects a row above 400 KB, and
Step Functions ends an execution whose state's error is too large with ``States.DataLimitExceeded`` in its place.
"""

from __future__ import annotations

import json
import traceback
from types import TracebackType

from handlers.core.errors import CqrsError
from handlers.core.values.json_values import storable_text

#: Step Functions accepts 256 characters of an error's name (API reference, TaskFailedEventDetails).
MAX_TYPE_CHARS = 200
MAX_MESSAGE_CHARS = 1_000
#: Limit of the text of an error that leaves a function, as JSON: with its stack trace it is well within the 32,768
#: characters of a state's cause, even if that is encoded as JSON once more.
MAX_LEAVING_BYTES = 8_192
MAX_FRAMES = 20


def error_of(kind: str, message: str) -> dict[str, str]:
    """An error as in rows, events and reports: without a stack trace."""
    return {"type": cut(kind, MAX_TYPE_CHARS), "message": cut(message, MAX_MESSAGE_CHARS)}


def type_of(error: BaseException) -> str:
    """The name of an error's class."""
    return cut(type(error).__name__, MAX_TYPE_CHARS)


def message_of(error: BaseException) -> str:
    """The text of an error, even if its ``str`` fails."""
    return cut(_text_of(error), MAX_MESSAGE_CHARS)


def cut(text: str, most: int) -> str:
    """Cut to ``most`` characters that UTF-8 can encode: keeps the start, and appends how many characters were cut."""
    whole = storable_text(text)
    if len(whole) <= most:
        return whole
    kept = most - len(_note(len(whole)))  # the note about a part is not longer than the one about all
    return whole[:kept] + _note(len(whole) - kept)


def leaving(error: Exception) -> Exception:
    """The error to raise from a function: itself or, if too large, one with the same name and a cut text."""
    name, text = type(error).__name__, _text_of(error)
    frames = _innermost(error.__traceback__)
    if len(name) <= MAX_TYPE_CHARS and _is_text(error, text) and len(json.dumps(text)) <= MAX_LEAVING_BYTES:
        return error.with_traceback(frames)
    stand_in: type[CqrsError] = type(type_of(error), (CqrsError,), {})
    return stand_in(cut(text, MAX_MESSAGE_CHARS)).with_traceback(frames)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - boundary: an application's error; its type says more than this one's
        return f"(its text is not available: {type(second).__name__})"


def _is_text(error: BaseException, text: str) -> bool:
    """Whether Lambda can get and send this text from the error itself."""
    try:
        return str(error).encode().decode() == text
    except Exception:  # noqa: BLE001 - boundary: an application's error, see ``_text_of``
        return False


def _note(more: int) -> str:
    return f"... ({more:,} more characters)"


def _innermost(trace: TracebackType | None) -> TracebackType | None:
    """The calls nearest to the error."""
    for _ in range(sum(1 for _ in traceback.walk_tb(trace)) - MAX_FRAMES):
        assert trace is not None
        trace = trace.tb_next
    return trace
