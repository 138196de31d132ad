"""Conditions and filters: moto's trees, parsed once per expression and given new values for each request.

moto tries a list of patterns at every position of an expression, which took longer than evaluating it. Its comparisons
are replaced: they compare Python values, for which ``true`` equals 1 and NULL equals an absent attribute, and fail when
text is compared with a number (Developer Guide, "Comparison operator and function reference": values of different
types are never equal, and have no order).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any

from moto.dynamodb.comparisons import AttributePath, AttributeValue, ConditionExpressionParser, Func, Op
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType

from local.aws.expressions.requests import Pairs, types_of
from local.aws.tables.images import image


class _Parser(ConditionExpressionParser):  # type: ignore[misc]
    """Records which value each of the tree's operands stands for."""

    def __init__(self, expression: str, names: dict[str, str] | None, values: dict[str, dict[str, Any]] | None) -> None:
        super().__init__(expression, names, values)
        self.operands: list[tuple[str, AttributeValue]] = []

    def _make_operand(self, node: Any) -> Any:
        if node.kind == self.Kind.PATH:
            return _Path([child.value for child in node.children])
        operand = super()._make_operand(node)
        if isinstance(operand, AttributeValue):
            self.operands.append((node.text, operand))
        return operand

    def _make_op_condition(self, node: Any) -> Any:
        if node.kind == self.Kind.COMPARISON:
            left, comparator, right = node.children
            return _Comparison(self._make_operand(left), comparator.value, self._make_operand(right))
        if node.kind == self.Kind.IN:
            wanted, *values = (self._make_operand(one) for one in node.children)
            return _OneOf(wanted, values)
        return super()._make_op_condition(node)


class _Path(AttributePath):  # type: ignore[misc]
    """An attribute, or a part of one, in the item's JSON."""

    def value(self, item: Any) -> dict[str, Any] | None:
        """``{type: value}``; None if it is absent."""
        if item is None:
            return None
        found: dict[str, Any] | None = image(item).get(self.path[0])
        for step in self.path[1:]:
            if found is None:
                return None
            if isinstance(step, str):
                found = found["M"].get(step) if "M" in found else None
            else:
                found = found["L"][step] if "L" in found and 0 <= step < len(found["L"]) else None
        return found

    def _get_attr(self, item: Any) -> DynamoType | None:
        found = self.value(item)
        return None if found is None else DynamoType(found)

    def get_type(self, item: Any) -> str | None:
        found = self.value(item)
        return None if found is None else next(iter(found))


class _Comparison(Op):  # type: ignore[misc]
    """Two operands: paths, values, or ``size(path)``."""

    def __init__(self, left: Any, operator: str, right: Any) -> None:
        super().__init__(left, right)
        self.OP = operator
        for operand in (left, right):
            if operator in _ORDERS and isinstance(operand, AttributeValue) and operand.type not in _ORDERED:
                raise MockValidationException(
                    "Invalid ConditionExpression: Incorrect operand type for operator or function; "
                    f"operator or function: {operator}, operand type: {operand.type}"
                )

    def expr(self, item: Any) -> bool:
        left, right = _typed(self.lhs, item), _typed(self.rhs, item)
        if self.OP == "=":
            return left is not None and left == right
        if self.OP == "<>":
            return left != right
        if left is None or right is None or left.keys() != right.keys() or not left.keys() <= _ORDERED:
            return False
        return bool(_ORDERS[self.OP](self.lhs.expr(item), self.rhs.expr(item)))


class _OneOf(Func):  # type: ignore[misc]
    """``path IN (values)``."""

    FUNC = "IN"

    def __init__(self, wanted: Any, values: list[Any]) -> None:
        self.wanted = wanted
        self.values = values
        super().__init__(wanted, *values)

    def expr(self, item: Any) -> bool:
        wanted = _typed(self.wanted, item)
        return wanted is not None and any(wanted == _typed(value, item) for value in self.values)


_ORDERED = frozenset({"S", "N", "B"})
_ORDERS = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _typed(operand: Any, item: Any) -> dict[str, Any] | None:
    """An operand as ``{type: value}``, with sets sorted; None if it is absent. Numbers are canonical already."""
    if isinstance(operand, AttributeValue):
        kind, value = operand.type, operand.value
    elif isinstance(operand, _Path):
        found = operand.value(item)
        if found is None:
            return None
        ((kind, value),) = found.items()
    else:
        try:
            size = operand.expr(item)
        except (ValueError, TypeError):  # moto: no such attribute; it can't write a path with an index in that error
            return None
        if size is None:
            return None
        kind, value = "N", str(size)
    return {kind: sorted(value) if kind in ("SS", "NS", "BS") else value}


def condition_tree(expression: str, names: Mapping[str, str] | None, values: Mapping[str, Any] | None) -> Op | Func:
    """The tree. It must be evaluated before the next call with the same expression, which changes its values.

    Raises the errors of moto's parser: KeyError, ValueError or an error of the API.
    """
    tree, operands = _parsed(expression, None if names is None else tuple(names.items()), types_of(values))
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
