"""Event patterns: the filter language of event source mappings and EventBridge rules.

Sources: Lambda Developer Guide, "Control which events Lambda sends to your function" (filter rule syntax, and its table
for SQS bodies); EventBridge User Guide, "Comparison operators for use in event patterns".

An unknown operator is refused by name when the pattern is compiled, not ignored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Predicate = Callable[[Any], bool]

#: An event source mapping has up to five filters, ten on request (Lambda Developer Guide, "Event filtering basics").
MAX_FILTERS = 10
OPERATORS = ("anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix")
NUMERIC_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class PatternError(ValueError):
    """A pattern is invalid; the text names the field and what is allowed."""


class Pattern:
    """A compiled pattern.

    Args:
        pattern: the JSON text or the parsed object.
        nested_anything_but: EventBridge buses allow ``anything-but`` with ``prefix``, ``suffix`` and
            ``equals-ignore-case``; event source mappings don't.

    Raises:
        PatternError: not a JSON object, a leaf that isn't a list, or an unknown operator.
    """

    def __init__(self, pattern: str | Mapping[str, Any], *, nested_anything_but: bool = False) -> None:
        if isinstance(pattern, str):
            try:
                parsed = json.loads(pattern)
            except ValueError as error:
                raise PatternError(f"event pattern is not JSON ({error}): {pattern}") from None
        else:
            parsed = pattern
        if not isinstance(parsed, Mapping):
            raise PatternError(f"event pattern must be a JSON object but is {json.dumps(parsed)}")
        self.source: Mapping[str, Any] = parsed
        self._nested_anything_but = nested_anything_but
        self._matches = self._object(parsed, "$")

    def matches(self, event: Any) -> bool:
        """Whether ``event`` (parsed JSON) matches the pattern. Fields that the pattern doesn't name are ignored."""
        return self._matches(event)

    def _object(self, pattern: Mapping[str, Any], path: str) -> Predicate:
        if not pattern:
            raise PatternError(f"event pattern is empty at {path}")
        parts: list[Predicate] = []
        for key, rule in pattern.items():
            where = f"{path}.{key}"
            if key == "$or":
                parts.append(self._alternatives(rule, where))
            elif isinstance(rule, Mapping):
                parts.append(_inside(key, self._object(rule, where)))
            elif isinstance(rule, list):
                parts.append(self._leaf(key, rule, where))
            else:
                raise PatternError(f"event pattern at {where} must be a list or an object but is {json.dumps(rule)}")
        return _all_of(parts)

    def _alternatives(self, rule: Any, path: str) -> Predicate:
        if not isinstance(rule, list) or len(rule) < 2 or not all(isinstance(one, Mapping) for one in rule):
            raise PatternError(f"event pattern at {path} must be a list of two or more objects")
        options = [self._object(one, f"{path}[{index}]") for index, one in enumerate(rule)]
        return lambda event: any(option(event) for option in options)

    def _leaf(self, key: str, rules: Sequence[Any], path: str) -> Predicate:
        if not rules:
            raise PatternError(f"event pattern at {path} is an empty list, which can never match")
        wants_absent = {"exists": False} in rules
        tests = [self._rule(rule, path) for rule in rules if rule != {"exists": False}]
        texts = frozenset(rule for rule in rules if isinstance(rule, str))
        is_of_texts = len(texts) == len(rules)

        def check(event: Any) -> bool:
            if is_of_texts and type(event) is dict and type(event.get(key)) is str:  # nearly always
                return event[key] in texts
            values = _leaf_values(event, key)
            if not values:
                return wants_absent
            return any(test(value) for value in values for test in tests)

        return check

    def _rule(self, rule: Any, path: str) -> Predicate:
        if isinstance(rule, list):
            raise PatternError(f"event pattern at {path} holds a list in a list")
        if not isinstance(rule, Mapping):
            return _equal_to(rule)
        operator, operand = _single(rule, path)
        if operator == "exists":
            if not isinstance(operand, bool):
                raise PatternError(f"exists at {path} must be true or false but is {json.dumps(operand)}")
            return lambda value: True
        if operator in ("prefix", "suffix"):
            return _affix(operator, operand, path)
        if operator == "equals-ignore-case":
            return _text(operand, path, operator, lambda value, wanted: value.casefold() == wanted.casefold())
        if operator == "numeric":
            return _numeric(operand, path)
        return self._anything_but(operand, path)

    def _anything_but(self, operand: Any, path: str) -> Predicate:
        if isinstance(operand, Mapping):
            inner, _ = _single(operand, path)
            if not self._nested_anything_but or inner not in ("prefix", "suffix", "equals-ignore-case"):
                raise PatternError(f"anything-but with {inner!r} at {path} is not supported for this kind of filter")
            refused = [self._rule(operand, path)]
        else:
            values = operand if isinstance(operand, list) else [operand]
            if not values or not all(_is_number(one) or isinstance(one, str) for one in values):
                raise PatternError(f"anything-but at {path} takes strings or numbers but got {json.dumps(operand)}")
            refused = [_equal_to(one) for one in values]
        return lambda value: not any(test(value) for test in refused)


class FilterSet:
    """The filters of one event source mapping: a record passes if any of them matches, or if there are none."""

    def __init__(self, patterns: Sequence[str]) -> None:
        if len(patterns) > MAX_FILTERS:
            raise PatternError(f"an event source mapping takes at most {MAX_FILTERS} filters but got {len(patterns)}")
        self.patterns = tuple(Pattern(pattern) for pattern in patterns)

    def accepts_stream_record(self, record: Mapping[str, Any]) -> bool:
        """Whether a DynamoDB stream record in Lambda's form passes (``eventName``, ``dynamodb.NewImage.<name>.S``)."""
        return not self.patterns or any(pattern.matches(record) for pattern in self.patterns)

    def accepts_message(self, record: Mapping[str, Any]) -> bool:
        """Whether an SQS message in Lambda's form, with ``body`` as a string, passes.

        A JSON body is matched as JSON; a pattern for a JSON body never matches a plain string, nor vice versa.
        """
        if not self.patterns:
            return True
        body = _json_object(record.get("body"))
        for pattern in self.patterns:
            wanted = pattern.source.get("body")
            if wanted is not None and isinstance(wanted, Mapping) != (body is not None):
                continue
            if pattern.matches({**record, "body": body} if isinstance(wanted, Mapping) else record):
                return True
        return False


def _json_object(text: Any) -> Any:
    """The object in a JSON text; None if it isn't one."""
    try:
        parsed = json.loads(text)
    except (TypeError, ValueError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _all_of(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]

    def check(event: Any) -> bool:
        for part in parts:  # noqa: SIM110 - all() with a generator takes twice the time
            if not part(event):
                return False
        return True

    return check


def _inside(key: str, inner: Predicate) -> Predicate:
    """Descend one level. A missing or scalar node counts as empty, so that ``exists: false`` below it matches."""

    def check(event: Any) -> bool:
        node = event.get(key) if type(event) is dict or isinstance(event, Mapping) else None
        if isinstance(node, list):
            return any(inner(one) for one in node) if node else inner({})
        return inner(node)

    return check


def _leaf_values(event: Any, key: str) -> list[Any]:
    """The scalar values at ``key``; empty if it is missing or not a leaf, since ``exists`` only applies to leaves."""
    if not isinstance(event, Mapping) or key not in event:
        return []
    value = event[key]
    return [one for one in (value if isinstance(value, list) else [value]) if not isinstance(one, (Mapping, list))]


def _single(rule: Mapping[str, Any], path: str) -> tuple[str, Any]:
    if len(rule) != 1:
        raise PatternError(f"event pattern at {path} must name one operator but has {sorted(rule)}")
    ((operator, operand),) = rule.items()
    if operator not in OPERATORS:
        raise PatternError(f"unknown operator {operator!r} at {path}; known: {', '.join(OPERATORS)}")
    return operator, operand


def _equal_to(wanted: Any) -> Predicate:
    """Matches an exact value; numbers by their text, so that 300 and 300.0 differ, as in Lambda's filters."""
    text = json.dumps(wanted)
    return lambda value: json.dumps(value) == text


def _affix(operator: str, operand: Any, path: str) -> Predicate:
    ignore_case = isinstance(operand, Mapping)
    if isinstance(operand, Mapping):
        inner, operand = _single(operand, path)
        if inner != "equals-ignore-case":
            raise PatternError(f"{operator} with {inner!r} at {path} is not supported; allowed: equals-ignore-case")

    def test(value: str, wanted: str) -> bool:
        if ignore_case:
            value, wanted = value.casefold(), wanted.casefold()
        return value.startswith(wanted) if operator == "prefix" else value.endswith(wanted)

    return _text(operand, path, operator, test)


def _text(operand: Any, path: str, operator: str, test: Callable[[str, str], bool]) -> Predicate:
    if not isinstance(operand, str):
        raise PatternError(f"{operator} at {path} takes a string but got {json.dumps(operand)}")
    return lambda value: isinstance(value, str) and test(value, operand)


def _numeric(operand: Any, path: str) -> Predicate:
    """``["=", n]`` or a range ``[">", low, "<=", high]``. DynamoDB's ``N`` values are strings and never match."""
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise PatternError(f"numeric at {path} takes one or two pairs of operator and number: {json.dumps(operand)}")
    tests = []
    for name, bound in zip(operand[::2], operand[1::2], strict=True):
        if name not in NUMERIC_OPERATORS or not _is_number(bound):
            allowed = " ".join(NUMERIC_OPERATORS)
            raise PatternError(f"numeric at {path} has {name!r} {json.dumps(bound)}; operators: {allowed}")
        tests.append((NUMERIC_OPERATORS[name], bound))
    return lambda value: _is_number(value) and all(test(value, bound) for test, bound in tests)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
