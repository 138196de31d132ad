"""Values at a field's path, with AWS's error messages if there is none or it has a wrong type.

The messages were captured from AWS (tests/fixtures/asl). All errors are ``States.Runtime``.
"""

from __future__ import annotations

from typing import Any

from local.states.data.paths import Path, PathNotFound
from local.states.data.scope import Scope
from local.states.errors import RUNTIME, StatesError
from local.states.limits import plain


def value_at(path: Path, scope: Scope) -> Any:
    """The value at a path such as InputPath or OutputPath. Raises StatesError: there is none."""
    try:
        return scope.find(path)
    except PathNotFound as error:
        raise StatesError(RUNTIME, f"Invalid path '{path.text}' : {error.reason}") from error


def integer_at(path: Path, scope: Scope, field: str, *, least: int | None = 1) -> int:
    """A whole number. Raises StatesError: it isn't one, or less than ``least``."""
    value = value_at(path, scope)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _not_a_number(field, value, path, "integer")
    if least is not None and value < least:
        raise StatesError(RUNTIME, f"{field} {path.text} must give a number of at least {least}, not {value}")
    return value


def number_at(path: Path, scope: Scope, field: str) -> float:
    """A number. Raises StatesError: it isn't one."""
    value = value_at(path, scope)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_a_number(field, value, path, "float")
    return float(value)


def wait_seconds_at(path: Path, scope: Scope) -> int:
    """The value at a Wait state's SecondsPath, for which AWS has different messages. Raises StatesError."""
    try:
        value = scope.find(path)
    except PathNotFound as error:
        text = f"The SecondsPath parameter does not reference an input value: {path.text}"
        raise StatesError(RUNTIME, text) from error
    shown = f"{path.text} == {plain(value)}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise StatesError(RUNTIME, f"The SecondsPath parameter cannot be parsed as a long value: {shown}")
    if value < 0:
        raise StatesError(RUNTIME, f"The SecondsPath parameter references a negative value: {shown}")
    return value


def _not_a_number(field: str, value: Any, path: Path, kind: str) -> StatesError:
    text = f'The {field} field refers to value "{plain(value)}" which is not a valid {kind}: {path.text}'
    return StatesError(RUNTIME, text)
