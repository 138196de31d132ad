"""All expressions of one request (or of one action of a transaction), with their names and values."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from moto.dynamodb.exceptions import ExpressionAttributeValuesEmpty, MockValidationException

from local.aws.expressions.conditions import Test, examine
from local.aws.expressions.keys import key_tests
from local.aws.expressions.tokens import ExpressionError, Path
from local.aws.expressions.updates import examine_projection, examine_update

Values = Mapping[str, Any]
Pairs = tuple[tuple[str, str], ...]

#: In the order in which DynamoDB checks them.
FIELDS = (
    "UpdateExpression",
    "ConditionExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
)
#: Legacy parameters, each of which an expression replaces.
OLDER = frozenset(
    {
        "AttributeUpdates",
        "AttributesToGet",
        "ConditionalOperator",
        "Expected",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    }
)
TYPE_NAMES = frozenset({"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"})
_PLACEHOLDER = re.compile(r"[#:][0-9A-Za-z_]+", re.ASCII)


@dataclass(frozen=True)
class Examined:
    """One expression, checked as far as its values' types show; ``wrong``: the error message instead."""

    wrong: str = ""
    names: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    bounds: tuple[tuple[str, str], ...] = ()
    type_names: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    tests: Mapping[str, Test] = field(default_factory=dict)


def check_expressions(request: Values, *, has_values: bool = True) -> None:
    """Raises MockValidationException: DynamoDB would refuse them, whatever is stored.

    ``has_values``: whether the operation has the parameter ExpressionAttributeValues; if not, it is ignored, like other
    unknown parameters.
    """
    names = request.get("ExpressionAttributeNames")
    values = request.get("ExpressionAttributeValues") if has_values else None
    texts = tuple((name, request[name]) for name in FIELDS if request.get(name) is not None)
    if not texts and names is None and values is None:
        return
    older = sorted(OLDER & request.keys())
    if older and texts:
        raise MockValidationException(
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
            f"{{{', '.join(older)}}} Expression parameters: {{{', '.join(sorted(name for name, _ in texts))}}}"
        )
    depend, wrong = _checked(texts, None if names is None else tuple(names.items()), types_of(values))
    for name, found in depend:
        _check_values(name, found, values or {})
    if wrong:
        raise MockValidationException(wrong)


@lru_cache(maxsize=1024)
def _checked(texts: Pairs, names: Pairs | None, types: Pairs | None) -> tuple[list[tuple[str, Examined]], str]:
    """The expressions whose values have to be checked, and what is wrong after them. Raises MockValidationException."""
    _check_placeholders(names, types, texts)
    unused_names, unused_values = {name for name, _ in names or ()}, {name for name, _ in types or ()}
    depend: list[tuple[str, Examined]] = []
    for name, text in texts:
        found = _examined(name, text, names or (), types or ())
        if found.wrong:
            return depend, f"Invalid {name}: {found.wrong}"
        if found.type_names or found.bounds:
            depend.append((name, found))
        unused_names -= found.names
        unused_values -= found.values
    for kind, unused in (("Names", unused_names), ("Values", unused_values)):
        if unused:
            keys = ", ".join(sorted(unused))
            return depend, f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{keys}}}"
    return depend, ""


def types_of(values: Values | None) -> Pairs | None:
    """The values' names and types, which all checks but those of the values themselves depend on."""
    return None if values is None else tuple([(name, next(iter(value))) for name, value in values.items()])


def examined(parameter: str, text: str, names: Values | None, values: Values | None) -> Examined:
    """The expression in a parameter, with the names and values of its request."""
    return _examined(parameter, text, tuple(names.items()) if names else (), types_of(values) or ())


@lru_cache(maxsize=1024)
def _examined(parameter: str, text: str, names: Pairs, types: Pairs) -> Examined:
    try:
        if parameter == "UpdateExpression":
            used, paths = examine_update(text, dict(names), dict(types))
            return Examined("", frozenset(used.names), frozenset(used.values), paths=paths)
        if parameter == "ProjectionExpression":
            used, paths = examine_projection(text, dict(names))
            return Examined("", frozenset(used.names), paths=paths)
        found = examine(text, dict(names), dict(types))
        tests = key_tests(found.tree) if parameter == "KeyConditionExpression" else {}
    except ExpressionError as error:
        return Examined(str(error))
    used = found.used
    sets = frozenset(used.names), frozenset(used.values), frozenset(used.attributes)
    return Examined("", *sets, tuple(found.bounds), tuple(found.type_names), tests=tests)


def _check_placeholders(names: Pairs | None, types: Pairs | None, texts: Pairs) -> None:
    for kind, given in (("Names", names), ("Values", types)):
        if given is None:
            continue
        field = f"ExpressionAttribute{kind}"
        if not texts:
            raise MockValidationException(f"{field} can only be specified when using expressions")
        if not given:
            if kind == "Values":
                raise ExpressionAttributeValuesEmpty
            raise MockValidationException(f"{field} must not be empty")
        for key, _ in given:
            if not _PLACEHOLDER.fullmatch(key) or (key[0] == "#") != (kind == "Names"):
                raise MockValidationException(f'{field} contains invalid key: Syntax error; key: "{key}"')
    for key, name in names or ():
        if not name:
            raise MockValidationException(
                f"ExpressionAttributeNames contains invalid value: Empty attribute name; key: {key}"
            )


def _check_values(parameter: str, found: Examined, values: Values) -> None:
    for one in found.type_names:
        if values[one]["S"] not in TYPE_NAMES:
            raise MockValidationException(
                f"Invalid {parameter}: Invalid attribute type name found; type: {values[one]['S']}, "
                "valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            )
    for low, high in found.bounds:
        ((low_kind, low_text),), ((high_kind, high_text),) = values[low].items(), values[high].items()
        both = (
            f"lower bound operand: AttributeValue: {{{low_kind}:{low_text}}}, "
            f"upper bound operand: AttributeValue: {{{high_kind}:{high_text}}}"
        )
        if low_kind != high_kind:
            raise MockValidationException(
                f"Invalid {parameter}: The BETWEEN operator requires same data type for lower and upper bounds; {both}"
            )
        if _in_order(low_kind, low_text) > _in_order(high_kind, high_text):
            raise MockValidationException(
                f"Invalid {parameter}: The BETWEEN operator requires upper bound to be greater than or equal to lower "
                f"bound; {both}"
            )


def _in_order(kind: str, content: str) -> Any:
    """A value that Python orders as DynamoDB does: numbers, text by its UTF-8, bytes."""
    if kind == "N":
        return Decimal(content)
    return content.encode() if kind == "S" else base64.b64decode(content)
