"""Validation of the arguments of public calls: instances of our classes, whole numbers, durations."""

from __future__ import annotations

from typing import TypeVar

from handlers.core.errors import ValidationError

T = TypeVar("T")


def instance(argument: str, value: object, kind: type[T]) -> T:
    """Return the value if it is an instance of the class. Raises ValidationError naming the argument."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ValidationError(argument, value, f"{article} {kind.__name__}")
    return value


def whole_number(argument: str, value: object, least: int, most: int) -> int:
    """Return the value if it is a whole number within the bounds. Raises ValidationError naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValidationError(argument, value, f"a whole number from {least} to {most}")
    return int(value)


def seconds(argument: str, value: object, most: int) -> float:
    """Return the value if it is a number above 0 and at most ``most``. Raises ValidationError naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise ValidationError(argument, value, f"a number of seconds above 0, at most {most}")
    return float(value)
