"""What may be stored, and as what it is kept: the rules by themselves."""

from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.core.errors import ValidationError
from handlers.core.values import json_numbers
from handlers.core.values.json_values import (
    MAX_LEVELS,
    check_json,
    json_bytes,
    plain_item,
    plain_value,
    same_json,
    sized_item,
    storable_text,
)
from handlers.store.values import from_dynamo, item_to_dynamo, to_dynamo
from local.aws.tables.attribute_values import canonical_value, canonical_values, item_size
from tests.support.values import Float64, Status, Word, alike, anything, json_values

HALF = "Cup \ud83d"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (HALF, "v"),
        ({"a": [1, HALF]}, "v.a[1]"),
        ({HALF: 1}, "v"),
        ({"a": {"": 1}}, "v.a"),
        ({"a": {1: 2}}, "v.a"),
        ({"n" * 65_536: 1}, "v"),
        ([math.nan], "v[0]"),
        ([math.inf], "v[0]"),
        (-math.inf, "v"),
        (1e126, "v"),
        (1e300, "v"),
        (-1e126, "v"),
        (9e-131, "v"),
        (5e-324, "v"),
        (10**38 + 1, "v"),
        (10**126, "v"),
        (10**5000, "v"),
        ({"a": {1, 2}}, "v.a"),
        (b"x", "v"),
        ((1, 2), "v"),
        (datetime(2026, 1, 1, tzinfo=UTC), "v"),
        (Decimal("1.5"), "v"),
        (1j, "v"),
        (object(), "v"),
    ],
    ids=lambda value: type(value).__name__,  # a number of 5,000 digits has no text
)
def test_edge_11_12_what_a_table_cannot_keep_is_refused_by_name(value: Any, path: str) -> None:
    checks: tuple[Callable[[], object], ...] = (
        lambda: plain_value("v", value),
        lambda: check_json("v", value, 10**6),
    )
    for check in checks:
        with pytest.raises(ValidationError) as caught:
            check()
        assert caught.value.field == path
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Status.PAID, 2),
        (Float64(1.5), 1.5),
        (Float64(2.0), 2),
        (Word.BOOK, "book"),
        (OrderedDict(b=1, a=[True]), {"b": 1, "a": [True]}),
        ({Word.BOOK: Status.PAID}, {"book": 2}),
        (-0.0, 0),
        (1.0, 1),
        (1e22, 10**22),
        (1e23, 10**23),
        (6.02214076e23, 602214076 * 10**15),
        (9.99e125, 999 * 10**123),
        (10**125, 10**125),
        (2**53 + 1, 2**53 + 1),
        (1e-130, 1e-130),
    ],
)
def test_edge_12_13_what_it_can_keep_becomes_plain(value: Any, plain: Any) -> None:
    kept = plain_value("v", value)
    assert kept == plain
    assert type(kept) is type(plain)
    assert "." not in repr(kept) or isinstance(kept, float)
    assert from_dynamo(to_dynamo(kept)) == kept


@given(anything)
def test_edge_12_anything_is_kept_equal_or_refused(value: Any) -> None:
    try:
        kept = plain_value("v", value)
    except ValidationError:
        return
    assert alike(kept, value)
    assert plain_value("v", kept) == kept
    typed = to_dynamo(kept)
    assert same_json(from_dynamo(typed), kept)
    assert from_dynamo(canonical_value(typed)) == kept


@given(json_values)
@example({"a": [1, -5, 99, 10**37, 1.5e-7, -1.2345678901234567e-100], "ü": "€", "b": [[], {}, None, True]})
def test_edge_12_sizes_are_never_counted_lower_than_the_table_counts(value: Any) -> None:
    item, counted = sized_item({"pk": "p", "v": value})
    assert item_size(canonical_values(item_to_dynamo(item))) <= counted


@given(json_values, st.integers(0, 400))
@example([-1e125, -1e125], 256)
def test_edge_12_the_limit_in_bytes_is_that_of_its_json(value: Any, limit: int) -> None:
    size = len(json_bytes(plain_value("v", value)))
    if size <= limit:
        assert check_json("v", value, limit) is not value or not isinstance(value, dict | list)
    else:
        with pytest.raises(ValidationError, match=f"at most {limit} bytes"):
            check_json("v", value, limit)


@pytest.mark.parametrize("wrap", [lambda inner: {"x": inner}, lambda inner: [inner]])
def test_edge_12_a_scalar_stands_in_31_others_and_not_in_32(wrap: Callable[[Any], Any]) -> None:
    value: Any = "leaf"
    for _ in range(MAX_LEVELS):
        value = wrap(value)
    assert plain_value("v", value) == value
    assert plain_item({"pk": "p", "v": value})["v"] == value
    canonical_value(to_dynamo(value))
    with pytest.raises(ValidationError, match="levels"):
        plain_value("v", wrap(value))
    with pytest.raises(ValidationError, match="levels"):
        plain_item({"pk": "p", "v": wrap(value)})


def test_edge_12_a_value_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(ValidationError, match="levels"):
        check_json("v", value, 10**6)


def test_edge_12_the_copy_is_the_callers_no_more() -> None:
    value = {"a": [1]}
    kept = check_json("v", value, 100)
    value["a"].append(2)
    assert kept == {"a": [1]}


def test_edge_12_an_item_may_have_400_kb() -> None:
    most = 400 * 1024 - len("pk") - len("p") - len("v")
    assert plain_item({"pk": "p", "v": "x" * most})
    with pytest.raises(ValidationError, match="item: '409601 bytes'"):
        plain_item({"pk": "p", "v": "x" * (most + 1)})
    with pytest.raises(ValidationError, match="item"):
        plain_item({"pk": "p", "v": "ü" * most})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("1.0", 1),
        ("00042", 42),
        ("-0", 0),
        ("1.5E2", 150),
        ("1E+23", 10**23),
        ("100000000000000000000000", 10**23),
        ("1.5", 1.5),
        ("0.1", 0.1),
        ("12345678901234567890.5", 12345678901234567890.5),
    ],
)
def test_edge_13_the_same_number_whatever_the_notation(text: str, number: float) -> None:
    read = json_numbers.from_text(text)
    assert read == number
    assert type(read) is type(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_edge_13_a_number_that_came_back_is_the_one_that_was_sent(number: float) -> None:
    try:
        kept = json_numbers.kept(number)
    except json_numbers.NotKept:
        assert number == 0 or not 1e-130 <= abs(number) < 1e126
        return
    assert float(kept) == number
    # DynamoDB answers without exponent
    assert json_numbers.from_text(format(Decimal(repr(number)), "f")) == kept


@pytest.mark.parametrize(
    ("left", "right", "total"), [(1, 2, 3), (0.1, 0.2, 0.3), (0.5, 0.5, 1), (10**37, 0.1, None), (10**38 - 1, 2, None)]
)
def test_edge_13_sums_are_decimal(left: float, right: float, total: float | None) -> None:
    if total is None:
        with pytest.raises(json_numbers.NotKept):
            json_numbers.added(left, right)
    else:
        assert json_numbers.added(left, right) == total


def test_edge_11_texts_of_errors_are_made_storable() -> None:
    assert storable_text(f"no such cup: {HALF}") == "no such cup: Cup \\ud83d"
    assert storable_text("größer") == "größer"


def test_bool_and_number_are_different_and_1_is_1() -> None:
    assert not same_json({"a": [True]}, {"a": [1]})
    assert same_json({"a": [1.0]}, {"a": [1]})
    assert json.loads(json_bytes(plain_value("v", enum.IntEnum("E", "A").A))) == 1  # type: ignore[attr-defined]
