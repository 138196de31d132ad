"""Values of applications, good and bad, for property tests."""

from __future__ import annotations

import enum
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st


class Status(enum.IntEnum):
    """A number with a name."""

    PAID = 2


class Word(str, enum.Enum):  # noqa: UP042 - the older style, whose format() is not its content
    """A text with a name."""

    BOOK = "book"


class Float64(float):
    """A ``repr`` as numpy 2 gives it."""

    def __repr__(self) -> str:
        return f"np.float64({float.__repr__(self)})"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
numbers = st.one_of(
    st.integers(-(10**38), 10**38),
    st.integers(0, 125).map(lambda zeros: 10**zeros),
    st.floats(min_value=1e-129, max_value=9e125),
    st.floats(min_value=-9e125, max_value=-1e-129),
    st.sampled_from([0.0, -0.0, 1.0, 1e22, 1e23, 1.7e25, 6.02214076e23, 0.1, 2.0**53, 2.0**53 + 2, -1.5e-7]),
)
scalars = st.one_of(st.none(), st.booleans(), texts, numbers, st.sampled_from([Status.PAID, Word.BOOK, Float64(1.5)]))
#: What a table keeps.
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)
odd = st.one_of(
    st.text(st.characters(categories=["Cs", "Ll"]), min_size=1, max_size=3),
    st.sampled_from(
        [
            b"bytes",
            {1, 2},
            (1, 2),
            Decimal("1.5"),
            Decimal(3),
            datetime(2026, 1, 1, tzinfo=UTC),
            float("nan"),
            float("inf"),
            1e126,
            1e-131,
            10**38 + 1,
            10**126,
            {1: "number as a name"},
            {"": "empty name"},
            OrderedDict(a=1),
            object(),
        ]
    ),
)
#: What a table keeps, and what it doesn't, anywhere inside.
anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(scalars, odd),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(names, st.just("")), inner, max_size=3)
    ),
    max_leaves=8,
)


def alike(kept: Any, given: Any) -> bool:
    """Whether a table gave back what it was given: 1e23 is 10**23 for it, and ``True`` is not 1."""
    if isinstance(given, dict):
        return isinstance(kept, dict) and kept.keys() == given.keys() and all(alike(kept[n], given[n]) for n in given)
    if isinstance(given, list):
        return isinstance(kept, list) and len(kept) == len(given) and all(map(alike, kept, given))
    if isinstance(given, bool) or isinstance(kept, bool):
        return kept is given
    if isinstance(given, int | float):
        return isinstance(kept, int | float) and (kept == given or float(kept) == float(given))
    return bool(kept == given)
