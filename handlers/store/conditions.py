"""Conditions on an item, as values: compiled to expressions for DynamoDB, evaluated by the in-memory store.

Semantics are DynamoDB's (Developer Guide, "Condition expressions"): a comparison with an absent
attribute, or one of another type, is false, so its negation is true. Numbers are compared as the table stores
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.json_values import plain_value, same_json

#: A top-level attribute, or the steps to a nested one.
Path = str | tuple[str, ...]
Item = Mapping[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": same_json,
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
}


class Condition:
    """What must hold for a write. Build with the functions below; combine with ``&``, ``|``, ``~``."""

    def holds(self, item: Item | None) -> bool:
        """Evaluate on the item as stored (None: there is none)."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return _Both(self, other)

    def __or__(self, other: Condition) -> Condition:
        return _Either(self, other)

    def __invert__(self) -> Condition:
        return _Not(self)


@dataclass(frozen=True)
class Exists(Condition):
    """``attribute_exists`` (or, negated, ``attribute_not_exists``)."""

    path: Path
    wanted: bool = True

    def holds(self, item: Item | None) -> bool:
        """See Condition."""
        return lookup(item, self.path)[0] == self.wanted


@dataclass(frozen=True)
class Compares(Condition):
    """A comparison of an attribute with a value."""

    path: Path
    operator: str
    value: Any

    def holds(self, item: Item | None) -> bool:
        """See Condition."""
        found, actual = lookup(item, self.path)
        return found and _kind(actual) == _kind(self.value) and _COMPARE[self.operator](actual, self.value)


@dataclass(frozen=True)
class OneOf(Condition):
    """``attribute IN (...)``, at most 100 values."""

    path: Path
    values: tuple[Any, ...]

    def holds(self, item: Item | None) -> bool:
        """See Condition."""
        found, actual = lookup(item, self.path)
        return found and any(_kind(actual) == _kind(v) and same_json(actual, v) for v in self.values)


@dataclass(frozen=True)
class _Both(Condition):
    left: Condition
    right: Condition

    def holds(self, item: Item | None) -> bool:
        return self.left.holds(item) and self.right.holds(item)


@dataclass(frozen=True)
class _Either(Condition):
    left: Condition
    right: Condition

    def holds(self, item: Item | None) -> bool:
        return self.left.holds(item) or self.right.holds(item)


@dataclass(frozen=True)
class _Not(Condition):
    inner: Condition

    def holds(self, item: Item | None) -> bool:
        return not self.inner.holds(item)


def exists(path: Path) -> Condition:
    """The attribute exists (it may be NULL)."""
    return Exists(path)


def absent(path: Path) -> Condition:
    """The attribute, or the whole item, doesn't exist."""
    return Exists(path, wanted=False)


def equals(path: Path, value: Any) -> Condition:
    """The attribute has this value."""
    return Compares(path, "=", plain_operand(path, value))


def less(path: Path, value: Any) -> Condition:
    """The attribute is lower than the value."""
    return Compares(path, "<", _ordered(path, value))


def at_most(path: Path, value: Any) -> Condition:
    """The attribute is lower than or equal to the value."""
    return Compares(path, "<=", _ordered(path, value))


def one_of(path: Path, values: Sequence[Any]) -> Condition:
    """The attribute has one of these values."""
    return OneOf(path, tuple(plain_operand(path, value) for value in values))


def plain_operand(path: Path, value: Any) -> Any:
    """A value for a comparison or write, as the table stores it. Raises ValidationError naming the path."""
    kind = type(value)
    if kind is bool or value is None or (kind is str and value.isascii()):
        return value
    return plain_value(shown_path(path), value)


def shown_path(path: Path) -> str:
    """A path for messages."""
    return path if isinstance(path, str) else ".".join(path)


def _ordered(path: Path, value: Any) -> Any:
    """The same for ordering operators, which DynamoDB accepts only for text and numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValidationError(shown_path(path), value, "text or a number, which have an order")
    return plain_operand(path, value)


def lookup(item: Item | None, path: Path) -> tuple[bool, Any]:
    """Whether the path exists in the item, and the value there."""
    current: Any = item
    for step in (path,) if isinstance(path, str) else path:
        if not isinstance(current, Mapping) or step not in current:
            return False, None
        current = current[step]
    return True, current


def compile_condition(condition: Condition, name: Callable[[Path], str], value: Callable[[Any], str]) -> str:
    """The condition as a DynamoDB expression; ``name`` and ``value`` return placeholders."""
    match condition:
        case Exists(path, wanted):
            return f"{'attribute_exists' if wanted else 'attribute_not_exists'}({name(path)})"
        case Compares(path, operator, operand):
            return f"{name(path)} {operator} {value(operand)}"
        case OneOf(path, values):
            return f"{name(path)} IN ({', '.join(value(v) for v in values)})"
        case _Both(left, right):
            return f"({compile_condition(left, name, value)} AND {compile_condition(right, name, value)})"
        case _Either(left, right):
            return f"({compile_condition(left, name, value)} OR {compile_condition(right, name, value)})"
        case _Not(inner):
            return f"(NOT {compile_condition(inner, name, value)})"
    raise TypeError(f"unknown condition {condition!r}")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "BOOL"
    if isinstance(value, int | float):
        return "N"
    return type(value).__name__
