"""Checks of configuration values: each returns the value that the program uses, or raises what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any


class NotAllowed(Exception):
    """Says what is allowed; the caller adds key and value."""


#: Returns the value that the program uses; raises NotAllowed.
Check = Callable[[Any], Any]


def setting(default: Any, check: Check) -> Any:
    """A field of the configuration, with its default and its check."""
    return field(default=default, metadata={"check": check})


def whole(low: int, high: int) -> Check:
    """A whole number from ``low`` to ``high``, inclusive."""

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
    """A boolean."""
    if not isinstance(value, bool):
        raise NotAllowed("true or false")
    return value


def texts(pattern: str, allowed: str, most: int | None = None) -> Check:
    """Distinct strings that match. ``allowed``: the pattern in words; ``most``: the maximum number of strings."""

    def check(value: Any) -> tuple[str, ...]:
        good = isinstance(value, list | tuple) and all(isinstance(v, str) and re.fullmatch(pattern, v) for v in value)
        if not good or len(set(value)) != len(value) or (most is not None and len(value) > most):
            raise NotAllowed(allowed)
        return tuple(value)

    return check


def parsed_by(parse: Check) -> Check:
    """A check by ``parse``, whose ValueError says what is allowed."""

    def check(value: Any) -> Any:
        try:
            return parse(value)
        except ValueError as wrong:
            raise NotAllowed(str(wrong)) from None

    return check
