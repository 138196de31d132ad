"""Choice rules, each parsed once into a predicate.

Source: Amazon States Language specification, "Choice State"; Developer Guide, "Choice workflow state".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from local.states.data.paths import Path, PathNotFound, PathSyntaxError, parse_path
from local.states.data.scope import Scope
from local.states.data.templates import Refuse
from local.states.data.timestamps import parse_timestamp
from local.states.errors import RUNTIME, StatesError

Rule = Callable[[Scope], bool]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_timestamp(value: Any) -> bool:
    return parse_timestamp(value) is not None


def _same(value: Any) -> Any:
    return value


#: Kind -> whether a value has it, the value to compare, the comparisons that exist.
_KINDS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any], Any], tuple[str, ...]]] = {
    "String": (_is_string, _same, tuple(_COMPARE)),
    "Numeric": (_is_number, _same, tuple(_COMPARE)),
    "Boolean": (_is_boolean, _same, ("Equals",)),
    "Timestamp": (_is_timestamp, parse_timestamp, tuple(_COMPARE)),
}
_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": _is_number,
    "IsString": _is_string,
    "IsBoolean": _is_boolean,
    "IsTimestamp": _is_timestamp,
}
_COMPARISONS = {
    f"{kind}{comparison}": (has_kind, _COMPARE[comparison], convert, kind)
    for kind, (has_kind, convert, comparisons) in _KINDS.items()
    for comparison in comparisons
}
OPERATORS = (
    {"And", "Or", "Not", "IsPresent", "StringMatches", *_TESTS, *_COMPARISONS}
    | {f"{name}Path" for name in _COMPARISONS}
)  # fmt: skip


def parse_rule(rule: Any, where: str, refuse: Refuse, *, top: bool) -> Rule:
    """Parse one choice rule.

    Args:
        rule: its JSON.
        where: its JSON path, for messages.
        refuse: makes the exception for a rule that can't be used.
        top: only top level rules have ``Next``.
    """
    if not isinstance(rule, dict):
        raise refuse(where, "a choice rule must be an object")
    fields = set(rule) - {"Variable", "Comment"} - ({"Next"} if top else set())
    for field in sorted(fields - OPERATORS):
        raise refuse(f"{where}.{field}", f"unknown field or comparison operator {field!r}")
    if len(fields) != 1:
        raise refuse(where, f"a choice rule must have exactly one operator, this one has {sorted(fields)}")
    name = fields.pop()
    value = rule[name]
    if name in ("And", "Or"):
        return _parse_boolean(name, value, f"{where}.{name}", refuse)
    if name == "Not":
        inner = parse_rule(value, f"{where}.Not", refuse, top=False)
        return lambda scope: not inner(scope)
    if "Variable" not in rule:
        raise refuse(where, f"the operator {name} needs the field Variable")
    variable = _path(rule["Variable"], f"{where}.Variable", refuse)
    return _parse_comparison(name, value, variable, f"{where}.{name}", refuse)


def _parse_boolean(name: str, value: Any, where: str, refuse: Refuse) -> Rule:
    if not isinstance(value, list) or not value:
        raise refuse(where, "must be a non-empty array of choice rules")
    rules = tuple(parse_rule(part, f"{where}[{index}]", refuse, top=False) for index, part in enumerate(value))
    decide = all if name == "And" else any
    return lambda scope: decide(rule(scope) for rule in rules)


def _parse_comparison(name: str, value: Any, variable: Path, where: str, refuse: Refuse) -> Rule:
    if name == "IsPresent" or name in _TESTS:
        if not isinstance(value, bool):
            raise refuse(where, f"must be true or false, not {value!r}")
        wanted: bool = value
        if name == "IsPresent":
            return lambda scope: variable.exists(scope.root(variable)) is wanted
        test = _TESTS[name]
        return lambda scope: test(_value(scope, variable)) is wanted
    if name == "StringMatches":
        pattern = _pattern(value, where, refuse)
        return lambda scope: bool(isinstance(found := _value(scope, variable), str) and pattern.fullmatch(found))
    if name.endswith("Path"):
        has_kind, compare, convert, _ = _COMPARISONS[name.removesuffix("Path")]
        other = _path(value, where, refuse)

        def compare_paths(scope: Scope) -> bool:
            left, right = _value(scope, variable), _value(scope, other)
            # values of another type than the operator's compare as false (ASL specification, "Choice State")
            return has_kind(left) and has_kind(right) and compare(convert(left), convert(right))

        return compare_paths
    has_kind, compare, convert, kind = _COMPARISONS[name]
    if not has_kind(value):
        raise refuse(where, f"must be a {kind.lower()} value, not {value!r}")
    constant = convert(value)
    return lambda scope: has_kind(found := _value(scope, variable)) and compare(convert(found), constant)


def _pattern(value: Any, where: str, refuse: Refuse) -> re.Pattern[str]:
    """``*`` matches any characters, ``\\*`` and ``\\\\`` are the characters themselves."""
    if not isinstance(value, str):
        raise refuse(where, f"must be a string, not {value!r}")
    if re.search(r"(?<!\\)(?:\\\\)*\\(?![*\\])", value):
        raise refuse(where, f"{value!r} has an open backslash")
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+", value)
    return re.compile(
        "".join(".*" if part == "*" else re.escape(part[1] if part[0] == "\\" else part) for part in parts), re.DOTALL
    )


def _path(text: Any, where: str, refuse: Refuse) -> Path:
    if not isinstance(text, str):
        raise refuse(where, f"must be a path, not {text!r}")
    try:
        return parse_path(text)
    except PathSyntaxError as error:
        raise refuse(where, error) from error


def _value(scope: Scope, path: Path) -> Any:
    try:
        return scope.find(path)
    except PathNotFound as error:
        raise StatesError(
            RUNTIME, f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
        ) from error
