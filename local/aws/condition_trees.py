"""Conditions and filters, parsed once per expression: moto's own trees, given new values for each request.

moto takes an expression apart with a list of patterns at every position, which took longer than to evaluate it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from moto.dynamodb.comparisons import AttributeValue, ConditionExpressionParser, Func, Op

Pairs = tuple[tuple[str, str], ...]


class _Parser(ConditionExpressionParser):  # type: ignore[misc]
    """Remembers which of the tree's operands stand for which value."""

    def __init__(self, expression: str, names: dict[str, str] | None, values: dict[str, dict[str, Any]] | None) -> None:
        super().__init__(expression, names, values)
        self.operands: list[tuple[str, AttributeValue]] = []

    def _make_operand(self, node: Any) -> Any:
        operand = super()._make_operand(node)
        if isinstance(operand, AttributeValue):
            self.operands.append((node.text, operand))
        return operand


def condition_tree(expression: str, names: Mapping[str, str] | None, values: Mapping[str, Any] | None) -> Op | Func:
    """The tree to evaluate at once: the next call with the same expression changes its values.

    Raises what moto's parser raises: KeyError, ValueError or an error of the API.
    """
    types = None if values is None else tuple((name, next(iter(value))) for name, value in values.items())
    tree, operands = _parsed(expression, None if names is None else tuple(names.items()), types)
    for name, operand in operands:
        assert values is not None
        operand.value = values[name][operand.type]
    return tree


@lru_cache(maxsize=1024)
def _parsed(
    expression: str, names: Pairs | None, types: Pairs | None
) -> tuple[Op | Func, tuple[tuple[str, AttributeValue], ...]]:
    values = None if types is None else {name: {kind: None} for name, kind in types}
    parser = _Parser(expression, None if names is None else dict(names), values)
    return parser.parse(), tuple(parser.operands)
