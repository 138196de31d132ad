"""Conversion of JSON responses to models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cqrs_client.errors import WrongAnswer

T = TypeVar("T")


def read(cls: type[T], data: Any) -> T:
    """Convert a response's JSON to a model.

    Raises:
        WrongAnswer: a required field is missing: the response isn't this API's.
    """
    if not isinstance(data, Mapping):
        raise WrongAnswer(f"not a valid {cls.__name__}: the response is not a JSON object")
    values = {}
    model: Any = cls
    for name, hint, stored in _fields(model):
        if stored in data:
            values[name] = _value(hint, data[stored])
    try:
        return cls(**values)
    except TypeError as error:
        raise WrongAnswer(f"not a valid {cls.__name__}: {error}") from None


def listed(answer: Any, name: str = "items") -> list[Any]:
    """The list that a response has under a name. Raises WrongAnswer."""
    found = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(found, list):
        raise WrongAnswer(f"the response has no list {name!r}")
    return found


def stored_name(name: str) -> str:
    """``is_deleted`` to ``isDeleted``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any, str], ...]:
    hints = get_type_hints(cls)
    return tuple((one.name, hints[one.name], stored_name(one.name)) for one in fields(cls))


def _value(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _value(next(one for one in get_args(hint) if one is not NoneType), value)
    if origin in (list, tuple):
        return origin(_value(get_args(hint)[0], one) for one in value)
    return read(hint, value) if is_dataclass(hint) and isinstance(hint, type) else value
