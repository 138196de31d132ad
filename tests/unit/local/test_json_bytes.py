"""JSON of the runtime's parts: orjson's where it has one, else the standard library's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.json_bytes import from_json, json_bytes

VALUES: list[Any] = [
    None,
    {"a": [1, 2.5, True, None, "text", {"b": {}}]},
    'grüße 🚀 \u2028 \\ " \x00',
    2**70,
    -(2**63),
    {"n": 2**64},
    "half of a pair: \ud83d",
    {"\udc00": "\ud800"},
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_value_comes_back_as_the_standard_library_gives_it(value: Any) -> None:
    assert from_json(json_bytes(value)) == json.loads(json.dumps(value)) == value


def test_what_json_does_not_have_becomes_what_the_standard_library_makes_of_it() -> None:
    value = {"tuple": (1, 2), 3: "number", "deep": None}
    assert from_json(json_bytes(value)) == json.loads(json.dumps(value))
    nested: list[Any] = []
    for _ in range(400):  # orjson stops at 254 levels
        nested = [nested]
    assert from_json(json_bytes(nested)) == nested


def test_the_order_of_keys_counts_only_if_they_are_not_sorted() -> None:
    one, other = {"a": {"x": 1, "y": 2}, "b": 2**70}, {"b": 2**70, "a": {"y": 2, "x": 1}}
    assert json_bytes(one, sort_keys=True) == json_bytes(other, sort_keys=True)
    assert json_bytes(one) != json_bytes(other)
    assert json_bytes({"b": 1, "a": 2}, sort_keys=True) == b'{"a":2,"b":1}'


def test_text_is_counted_in_utf_8() -> None:
    assert len(json_bytes("ü" * 10)) == 22


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, b"bytes"])
def test_a_value_without_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_bytes(value)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff"])
def test_a_text_that_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)
