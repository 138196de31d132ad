"""Paths that read and reference paths that write; the operators of Choice."""

from __future__ import annotations

from typing import Any

import pytest

from local.states.data.paths import PathNotFound, PathSyntaxError, parse_path, parse_reference_path
from local.states.errors import StatesError

from .conftest import Runtime

DATA = {
    "a": {"b": [10, 20, {"c": 1}], "with-dash": 1, "with space": 2, "ünï": 3, "it's": 4},
    "list": [{"c": 2}, {"c": 3}, {"d": 4}],
    "null": None,
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", DATA),
        ("$.a.b[0]", 10),
        ("$.a.b[-1].c", 1),
        ("$['a']['b'][1]", 20),
        ('$["a"].b[1]', 20),
        ("$.a.with-dash", 1),
        ("$.a['with space']", 2),
        ("$.a.ünï", 3),
        (r"$.a['it\'s']", 4),
        ("$.null", None),
        ("$.a.b[0:2]", [10, 20]),
        ("$.a.b[-2:]", [20, {"c": 1}]),
        ("$.a.b[:1]", [10]),
        ("$.a.b[0,2]", [10, {"c": 1}]),
        ("$.list[*].c", [2, 3]),
        ("$.list.*.c", [2, 3]),
        ("$..c", [1, 2, 3]),
        ("$.list..d", [4]),
        ("$..b[0]", [10]),
        ("$..nothing", []),
        ("$.x[*]", []),
        ("$.a.x[1:].y", []),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    assert parse_path(path).find(DATA) == expected


@pytest.mark.parametrize("path", ["$.x", "$.a.b[3]", "$.a.b[-4]", "$.a[0]", "$.list.c", "$.null.x"])
def test_missing_paths(path: str) -> None:
    with pytest.raises(PathNotFound):
        parse_path(path).find(DATA)
    assert not parse_path(path).exists(DATA)


@pytest.mark.parametrize(
    "path",
    ["", "a", "$a", "$.", "$..", "$.a[", "$.a[]", "$.a[b]", "$.a[?(@.x)]", "$.a['x','y']", "$.a.size()", "$.a b"],
)
def test_texts_that_are_no_supported_path(path: str) -> None:
    with pytest.raises(PathSyntaxError):
        parse_path(path)


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("$", {"a": 1}, "new"),
        ("$.x", {"a": 1}, {"a": 1, "x": "new"}),
        ("$.a.b", {"a": {"c": 1}}, {"a": {"c": 1, "b": "new"}}),
        ("$.a.b.c", {}, {"a": {"b": {"c": "new"}}}),
        ("$[1]", [1, 2], [1, "new"]),
        ("$.a[0].b", {"a": [{}]}, {"a": [{"b": "new"}]}),
    ],
)
def test_reference_paths_write_a_copy(path: str, root: Any, expected: Any) -> None:
    before = repr(root)
    assert parse_reference_path(path).put(root, "new") == expected
    assert repr(root) == before


@pytest.mark.parametrize(
    ("path", "root"), [("$.x", [1]), ("$.x", "text"), ("$.x", None), ("$.a.b", {"a": 1}), ("$[2]", [1]), ("$[0]", {})]
)
def test_reference_paths_that_do_not_apply(path: str, root: Any) -> None:
    with pytest.raises(StatesError) as caught:
        parse_reference_path(path).put(root, 1)
    assert caught.value.name == "States.ResultPathMatchFailure"


def decide(runtime: Runtime, rule: dict[str, Any], data: Any) -> Any:
    definition = {
        "StartAt": "c",
        "States": {
            "c": {"Type": "Choice", "Choices": [{**rule, "Next": "yes"}], "Default": "no"},
            "yes": {"Type": "Pass", "Result": True, "End": True},
            "no": {"Type": "Pass", "Result": False, "End": True},
        },
    }
    execution = runtime.run(definition, data)
    return execution.error or execution.output


@pytest.mark.parametrize(
    ("operator", "operand", "yes", "no"),
    [
        ("StringEquals", "b", ["b"], ["c", 1, None, True]),
        ("StringLessThan", "b", ["a", "A"], ["b", "c", 1]),
        ("StringGreaterThan", "b", ["c"], ["b", "a"]),
        ("StringLessThanEquals", "b", ["a", "b"], ["c"]),
        ("StringGreaterThanEquals", "b", ["b", "c"], ["a"]),
        ("StringMatches", "a*c", ["ac", "abc", "a\nc"], ["abcd", "xabc", 1]),
        ("StringMatches", "a\\*\\\\", ["a*\\"], ["ab\\"]),
        ("StringMatches", "a.c", ["a.c"], ["abc"]),
        ("NumericEquals", 1, [1, 1.0], [2, "1", True, None]),
        ("NumericLessThan", 1, [0, -1.5], [1, "0"]),
        ("NumericGreaterThan", 1, [2], [1]),
        ("NumericLessThanEquals", 1, [1], [1.1]),
        ("NumericGreaterThanEquals", 1, [1], [0.9]),
        ("BooleanEquals", True, [True], [False, 1, "true"]),
        ("TimestampEquals", "2020-01-01T00:00:00Z", ["2020-01-01T01:00:00+01:00"], ["2020-01-01", 1]),
        ("TimestampLessThan", "2020-01-01T00:00:00Z", ["2019-12-31T23:59:59.999Z"], ["2020-01-01T00:00:00Z"]),
        ("TimestampGreaterThan", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:01Z"], ["2020-01-01T00:00:00Z"]),
        ("TimestampLessThanEquals", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:00Z"], ["2021-01-01T00:00:00Z"]),
        ("TimestampGreaterThanEquals", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:00Z"], ["2019-01-01T00:00:00Z"]),
        ("IsNull", True, [None], [0, "", False]),
        ("IsNull", False, [0], [None]),
        ("IsString", True, ["", "x"], [1, None]),
        ("IsNumeric", True, [0, 1.5], ["1", True]),
        ("IsBoolean", True, [False], [0]),
        ("IsTimestamp", True, ["2020-01-01T00:00:00Z"], ["2020-01-01T00:00:00", "2020-13-01T00:00:00Z"]),
        ("IsPresent", True, [None, 0], []),
    ],
)
def test_comparison_operators(operator: str, operand: Any, yes: list[Any], no: list[Any]) -> None:
    rule = {"Variable": "$.v", operator: operand}
    runtime = Runtime()
    assert [decide(runtime, rule, {"v": value}) for value in yes] == [True] * len(yes)
    assert [decide(runtime, rule, {"v": value}) for value in no] == [False] * len(no)
    if operator.startswith(("String", "Numeric", "Boolean", "Timestamp")) and operator != "StringMatches":
        other = {"Variable": "$.v", f"{operator}Path": "$.w"}
        assert [decide(runtime, other, {"v": value, "w": operand}) for value in yes] == [True] * len(yes)
        assert [decide(runtime, other, {"v": value, "w": operand}) for value in no] == [False] * len(no)


def test_and_stops_at_the_first_no_so_that_is_present_guards(runtime: Runtime) -> None:
    guarded = {"And": [{"Variable": "$.v", "IsPresent": True}, {"Variable": "$.v", "NumericEquals": 1}]}
    assert decide(runtime, guarded, {}) is False
    assert decide(runtime, guarded, {"v": 1}) is True
    assert decide(runtime, {"Variable": "$.v", "NumericEquals": 1}, {}) == "States.Runtime"
    assert decide(runtime, {"Variable": "$.v", "NumericEqualsPath": "$.w"}, {"v": 1}) == "States.Runtime"
    either = {"Or": [{"Variable": "$.v", "IsNull": True}, {"Not": {"Variable": "$.v", "IsString": True}}]}
    assert [decide(runtime, either, {"v": v}) for v in (None, 1, "x")] == [True, True, False]


def test_a_variable_may_be_in_the_context(runtime: Runtime) -> None:
    assert decide(runtime, {"Variable": "$$.State.Name", "StringEquals": "c"}, {}) is True
