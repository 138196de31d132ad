"""Key conditions of queries: equality on the hash key, and at most one test of the range key.

API reference, Query, KeyConditionExpression; for error messages see ``tokens``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.aws.expressions.conditions import COMPARISONS, Joined, Test, Tree
from local.aws.expressions.tokens import ExpressionError, Path, Value

#: The service's name of an operator that isn't allowed here.
_NAMES = {"<>": "NE"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def key_tests(tree: Tree) -> dict[str, Test]:
    """Attribute to its test, with the attribute as first operand. Raises ExpressionError: not a key condition."""
    found: dict[str, Test] = {}
    for part in tree.parts if isinstance(tree, Joined) and tree.operator == "AND" else (tree,):
        if isinstance(part, Joined) and part.operator == "AND":
            tests = key_tests(part)
        else:
            name, test = _test(part)
            tests = {name: test}
        if found.keys() & tests.keys():
            raise ExpressionError("KeyConditionExpressions must only contain one condition per key")
        found |= tests
    return found


def _test(part: Tree) -> tuple[str, Test]:
    if isinstance(part, Joined) or part.operator not in (*COMPARISONS, "BETWEEN", "begins_with"):
        raise ExpressionError(f"Invalid operator used in KeyConditionExpression: {part.operator}")
    if part.operator == "<>":
        raise ExpressionError(f"Unsupported operator on KeyCondition: operator: {_NAMES[part.operator]}")
    first, *others = part.operands
    operator = part.operator
    if isinstance(first, Value) and operator in COMPARISONS and isinstance(others[0], Path):
        first, others, operator = others[0], [first], _MIRRORED.get(operator, operator)
    if not isinstance(first, Path) or not all(isinstance(one, Value) for one in others):
        raise ExpressionError(
            f"Invalid condition in KeyConditionExpression: {part.operator} operator must have one "
            "operand that is a key attribute"
        )
    if len(first.steps) > 1:
        raise ExpressionError("KeyConditionExpressions cannot have conditions on nested attributes")
    return str(first.steps[0]), Test(operator, (first, *others))


def wrong_for_schema(tests: Mapping[str, Test], keys: Sequence[str], types: Mapping[str, str]) -> str:
    """The error in the tests for a table or index with these keys (hash key first); "": none."""
    if len(tests) > len(keys):
        return (
            f"The number of query conditions ({len(tests)}) exceeds the number of key attributes defined in the schema "
            f"({len(keys)})"
        )
    if keys[0] not in tests:
        return f"Query condition missed key schema element: {keys[0]}"
    if tests[keys[0]].operator != "=":
        return "Query key condition not supported"
    for name in tests:
        if name not in keys:
            return f"Query condition missed key schema element: {keys[-1]}"
    kinds: list[tuple[Any, str]] = [
        (value.kind, types[name]) for name, test in tests.items() for value in test.operands if isinstance(value, Value)
    ]
    if any(kind != wanted for kind, wanted in kinds):
        return "One or more parameter values were invalid: Condition parameter type does not match schema type"
    return ""
