"""Loops over every place where something can go wrong, in parts: the ordinary run has one, `./cqrs test --slow` all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")

#: Odd, so that kinds of faults that alternate all come in each part.
PARTS = 5
#: Gives a test its ``part``; `tests/moved_to_slow.py` names the tests.
IN_PARTS = pytest.mark.parametrize("part", range(PARTS))


def part_of(places: Sequence[T], part: int) -> Sequence[T]:
    """Every fifth; each part begins at another one."""
    return places[part::PARTS]
