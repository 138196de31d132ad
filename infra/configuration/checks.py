"""How a key's value is checked: each check answers what the program uses, or says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any


class NotAllowed(Exception):
    """What is allowed; the caller knows the key and the value."""


#: The value that the program uses; raises NotAllowed.
Check = Callable[[Any], Any]


def setting(default: Any, check: Check) -> Any:
    """A field of the configuration."""
    return field(default=default, metadata={"check": check})


def whole(low: int, high: int) -> Check:
    """A whole number, both ends allowed."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise NotAllowed(f"a whole number from {low} to {high}")
        return value

    return check


def one_of(*allowed: Any) -> Check:
    """One of these values."""

    def check(value: Any) -> Any:
        if isinstance(value, bool) or value not in allowed:
            raise NotAllowed(f"one of {', '.join(map(str, allowed))}")
        return value

    return check


def flag(value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise NotAllowed("true or false")
    return value


def texts(pattern: str, allowed: str, most: int | None = None) -> Check:
    """Distinct texts that match; ``allowed`` in words, ``most`` the largest number of them."""

    def check(value: Any) -> tuple[str, ...]:
        good = isinstance(value, list | tuple) and all(isinstance(v, str) and re.fullmatch(pattern, v) for v in value)
        if not good or len(set(value)) != len(value) or (most is not None and len(value) > most):
            raise NotAllowed(allowed)
        return tuple(value)

    return check


def parsed_by(parse: Check) -> Check:
    """``parse`` says what is allowed by a ValueError."""

    def check(value: Any) -> Any:
        try:
            return parse(value)
        except ValueError as wrong:
            raise NotAllowed(str(wrong)) from None

    return check
