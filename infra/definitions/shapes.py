"""Checks the types of a definition's fields, before its rules, since a hand-written file may contain anything.

Source: Amazon States Language specification, states-language.net, "States", "Errors", "Map State", "Parallel State".
Only the fields that our own checks read; Step Functions checks the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


#: A predicate for the type, and the type in words.
_Shape = tuple[Callable[[Any], bool], str]
_TEXT: _Shape = (lambda value: isinstance(value, str), "a text")
_FLAG: _Shape = (lambda value: isinstance(value, bool), "true or false")
_OBJECT: _Shape = (lambda value: isinstance(value, dict), "an object")
_OBJECTS: _Shape = (_are_objects, "a list of objects")
_TEXTS: _Shape = (_are_texts, "a list of texts")
_WHOLE: _Shape = (_is_whole, "a whole number")
_NUMBER: _Shape = (_is_number, "a number")

_MACHINE = {"StartAt": _TEXT, "States": _OBJECT, "TimeoutSeconds": _WHOLE, "ProcessorConfig": _OBJECT}
_STATE = {
    **dict.fromkeys(("Type", "Comment", "Next", "Default", "Resource", "TimeoutSecondsPath", "Label"), _TEXT),
    **dict.fromkeys(("Parameters", "ItemProcessor", "ItemReader", "ItemBatcher", "ResultWriter"), _OBJECT),
    **dict.fromkeys(("Retry", "Catch", "Choices", "Branches"), _OBJECTS),
    "End": _FLAG,
    "TimeoutSeconds": _WHOLE,
}
_HANDLER = {
    "ErrorEquals": _TEXTS,
    "Next": _TEXT,
    "IntervalSeconds": _WHOLE,
    "MaxAttempts": _WHOLE,
    "MaxDelaySeconds": _WHOLE,
    "BackoffRate": _NUMBER,
}
#: Fields of a state's objects, and of the entries of its lists.
_INSIDE = {
    "ItemReader": {"Resource": _TEXT, "Parameters": _OBJECT, "ReaderConfig": _OBJECT},
    "ResultWriter": {"Resource": _TEXT, "Parameters": _OBJECT},
    "Retry": _HANDLER,
    "Catch": _HANDLER,
    "Choices": {"Next": _TEXT},
}


def misshapen(machine: Any, path: str = "") -> Iterator[str]:
    """One message per field of a wrong type, naming state, field, value and the expected type."""
    where = path or "the machine"
    if not isinstance(machine, Mapping):
        yield f"{where}: {_shown(machine)} is not allowed; expected an object with States"
        return
    yield from _fields(machine, _MACHINE, f"{where}: ")
    states = machine.get("States")
    if not isinstance(states, Mapping):
        return
    for name, state in states.items():
        place = f"{path}/{name}" if path else name
        if not isinstance(state, Mapping):
            yield f"{place}: {_shown(state)} is not allowed; expected an object"
            continue
        yield from _state(state, place)


def _state(state: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _fields(state, _STATE, f"{path}: ")
    for field, shapes in _INSIDE.items():
        value = state.get(field)
        if isinstance(value, Mapping) and _STATE[field] is _OBJECT:
            yield from _fields(value, shapes, f"{path}: {field}.")
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                if isinstance(entry, Mapping):
                    yield from _fields(entry, shapes, f"{path}: {field}[{index}].")
    if isinstance(state.get("ItemProcessor"), Mapping):
        yield from misshapen(state["ItemProcessor"], path)
    branches = state.get("Branches")
    for branch in branches if isinstance(branches, list) else []:
        if isinstance(branch, Mapping):
            yield from misshapen(branch, path)


def _fields(holder: Mapping[str, Any], shapes: Mapping[str, _Shape], where: str) -> Iterator[str]:
    for field, (fits, expected) in shapes.items():
        if field in holder and not fits(holder[field]):
            yield f"{where}{field} {_shown(holder[field])} is not allowed; expected {expected}"


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
