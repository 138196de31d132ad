"""Random values, keys and names in DynamoDB's JSON: usual ones, those at a limit, and malformed ones."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from local.aws.tables.attribute_values import item_size

Value = Any

#: Few keys, so that requests meet.
PARTITIONS, SORTS = ("p0", "p1"), ("s0", "s1", "s10", "s2")
NAMES = ("a", "b", "c", "m", "n", "status", "openShard", "dueAt")
MOST_ITEM_BYTES = 400 * 1024

NUMBERS = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from(
        (
            "0",
            "-0",
            "0.0",
            "00012",
            "1.50",
            "+7",
            "1e3",
            "1E+3",
            "12e-1",
            "-1.0",
            ".5",
            "5.",
            "1e125",
            "9e125",
            "1e-130",
        )
    ),
    st.sampled_from(("9" * 38, "-" + "9" * 38, "0." + "1" * 38, "1" + "0" * 37 + "1", "1" * 39, "1.0" + "0" * 60)),
    st.sampled_from(("1e126", "-1e126", "1e-131", "9.9e125", "1e500", "1e-500", "1e99999999999999999999")),
)
NO_NUMBERS = st.sampled_from(
    ("", " ", "abc", "NaN", "Infinity", "-inf", " 1", "1 ", "1_0", "0x1", "\uff11", "1e", "--1", ".")
)
TEXTS = st.one_of(
    st.sampled_from(("", "a", "b", "ab", "B", "ü", "€", "😀", "a.b", "x" * 50)),
    st.text(max_size=4).filter(str.isprintable),
)
BYTES = st.binary(max_size=3).map(lambda one: base64.b64encode(one).decode())


def _set(members: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(members, min_size=1, max_size=3, unique=True)


SCALARS = st.one_of(
    NUMBERS.map(lambda one: {"N": one}),
    TEXTS.map(lambda one: {"S": one}),
    st.booleans().map(lambda one: {"BOOL": one}),
    st.just({"NULL": True}),
    BYTES.map(lambda one: {"B": one}),
)
SETS = st.one_of(
    _set(TEXTS).map(lambda one: {"SS": one}),
    _set(NUMBERS).map(lambda one: {"NS": one}),
    _set(BYTES).map(lambda one: {"BS": one}),
)
WELL_FORMED = st.recursive(
    st.one_of(SCALARS, SCALARS, SETS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda one: {"L": one}),
        st.dictionaries(st.sampled_from(("a", "b", "x.y", "ü", "with space")), inner, max_size=3).map(
            lambda one: {"M": one}
        ),
    ),
    max_leaves=5,
)


def nested(levels: int, kind: str) -> Value:
    """A scalar in so many lists or maps."""
    value: Value = {"N": "1"}
    for _ in range(levels):
        value = {"L": [value]} if kind == "L" else {"M": {"a": value}}
    return value


MALFORMED = st.one_of(
    NO_NUMBERS.map(lambda one: {"N": one}),
    NO_NUMBERS.map(lambda one: {"NS": ["1", one]}),
    st.sampled_from(
        (
            {},
            {"S": "a", "N": "1"},
            {"NULL": False},
            {"SS": []},
            {"NS": []},
            {"BS": []},
            {"SS": ["a", "a"]},
            {"NS": ["1", "1.0"]},
            {"BS": ["YQ==", "YQ=="]},
            {"M": {"": {"S": "a"}}},
            {"L": [{"NS": []}]},
            {"M": {"a": {"SS": []}}},
            {"M": {"a": {}}},
        )
    ),
    st.builds(nested, st.integers(30, 33), st.sampled_from(("L", "M"))),
)
VALUES = st.integers(0, 39).flatmap(lambda dice: MALFORMED if dice == 0 else WELL_FORMED)
#: What the program's rows have in the index's attributes, and sometimes something else.
INDEX_VALUES = st.one_of(*[st.integers(0, 3).map(lambda one: {"N": str(one)})] * 6, VALUES)


def _key(pk: Value, sk: Value) -> dict[str, Value]:
    return {"pk": pk, "sk": sk}


USUAL_KEYS = st.builds(
    _key, st.sampled_from(PARTITIONS).map(lambda one: {"S": one}), st.sampled_from(SORTS).map(lambda one: {"S": one})
)
ODD_KEYS = st.sampled_from(
    (
        {},
        {"pk": {"S": "p0"}},
        {"sk": {"S": "s0"}},
        _key({"S": ""}, {"S": "s0"}),
        _key({"S": "p0"}, {"S": ""}),
        _key({"N": "1"}, {"S": "s0"}),
        _key({"S": "p0"}, {"B": "YQ=="}),
        _key({"S": "p0"}, {"NULL": True}),
        _key({"S": "p0"}, {}),
        _key({"S": "x" * 2048}, {"S": "y" * 1024}),
        _key({"S": "x" * 2049}, {"S": "s0"}),
        _key({"S": "p0"}, {"S": "y" * 1025}),
        _key({"S": "ü" * 1025}, {"S": "s0"}),
        {"pk": {"S": "p0"}, "sk": {"S": "s0"}, "a": {"S": "b"}},
        {"pk": {"S": "p0"}, "other": {"S": "s0"}},
    )
)
KEYS = st.integers(0, 24).flatmap(lambda dice: ODD_KEYS if dice == 0 else USUAL_KEYS)


@st.composite
def items(draw: st.DrawFn) -> dict[str, Value]:
    """An item with up to five attributes; sometimes one of a size at the limit."""
    item = dict(draw(KEYS))
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=5, unique=True)):
        item[name] = draw(INDEX_VALUES if name in ("openShard", "dueAt") else VALUES)
    if draw(st.integers(0, 150)) == 0:
        item = {name: value for name, value in item.items() if name in ("pk", "sk")}
        try:
            size = item_size(item)
        except (ValueError, AttributeError):
            return item
        item["b"] = {"S": "x" * (MOST_ITEM_BYTES - size - 1 + draw(st.sampled_from((-1, 0, 1))))}
    return item
