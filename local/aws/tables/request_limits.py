"""Validates requests as DynamoDB does before it reads items, and makes their values canonical.

Limits from the API reference (each operation's parameters) and the Developer Guide, "Constraints". moto only checks
some of them, in some operations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import MockValidationException

from local.aws.expressions.requests import check_expressions
from local.aws.tables.attribute_values import canonical_value, canonical_values, item_size

Values = Mapping[str, Any]

MAX_BATCH_WRITES = 25
MAX_ACTIONS = 100
MAX_TOKEN_CHARS = 36
MAX_TABLE_NAME = 255
#: Maximum bytes of UTF-8 of an expression, and of all its values.
MAX_EXPRESSION_BYTES = 4_096
MAX_VALUES_BYTES = 2 * 1024 * 1024

_OF_ONE_TABLE = frozenset({"DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"})
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_VALUES_BY_NAME = ("Item", "Key", "ExpressionAttributeValues", "ExclusiveStartKey")
_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
#: Legacy parameters, with values in an entry per attribute.
_CONDITIONS_BY_NAME = ("AttributeUpdates", "Expected", "KeyConditions", "QueryFilter", "ScanFilter")


def checked(operation: str, request: Values) -> dict[str, Any]:
    """The validated parameters of a request on items; those of other operations unchanged.

    Raises:
        MockValidationException: DynamoDB would refuse them.
    """
    if operation in _OF_ONE_TABLE:
        _check_table_name(request.get("TableName"))
    request = _canonical(request, has_values=operation != "GetItem")
    match operation:
        case "BatchWriteItem" | "BatchGetItem":
            request["RequestItems"] = _batch(operation, request.get("RequestItems") or {})
        case "TransactWriteItems" | "TransactGetItems":
            request["TransactItems"] = _actions(request.get("TransactItems") or ())
            token = request.get("ClientRequestToken")
            if token is not None and not 1 <= len(token) <= MAX_TOKEN_CHARS:
                raise MockValidationException(_constraint(token, "clientRequestToken", MAX_TOKEN_CHARS))
        case "Query" | "Scan":
            limit = request.get("Limit")
            if limit is not None and limit < 1:
                # The two operations have different messages.
                where = "Value at 'Limit'" if operation == "Query" else f"Value '{limit}' at 'limit'"
                raise MockValidationException(
                    f"1 validation error detected: {where} failed to satisfy constraint: "
                    "Member must have value greater than or equal to 1"
                )
    return request


def _check_table_name(name: str | None) -> None:
    if name is None:
        shown, constraint = "null", "Member must not be null"
    elif not name:
        shown, constraint = "''", "Member must have length greater than or equal to 1"
    elif name.startswith("arn:") or (len(name) <= MAX_TABLE_NAME and _TABLE_NAME.fullmatch(name)):
        return
    elif len(name) > MAX_TABLE_NAME:
        shown, constraint = f"'{name}'", f"Member must have length less than or equal to {MAX_TABLE_NAME}"
    else:
        shown, constraint = f"'{name}'", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    raise MockValidationException(
        f"1 validation error detected: Value {shown} at 'tableName' failed to satisfy constraint: {constraint}"
    )


def _canonical(request: Values, *, has_values: bool = True) -> dict[str, Any]:
    """The canonical form of one request, or of one action of a transaction."""
    checked = dict(request)
    for field in _VALUES_BY_NAME:
        if field in request and _is_mapping(request[field]):
            checked[field] = canonical_values(request[field])
    for field in _CONDITIONS_BY_NAME:
        if field in request and _is_mapping(request[field]):
            checked[field] = {name: _condition(entry) for name, entry in request[field].items()}
    for field in _EXPRESSIONS:
        text = request.get(field) or ""
        if len(text) > MAX_EXPRESSION_BYTES // 4 and len(text.encode()) > MAX_EXPRESSION_BYTES:
            raise MockValidationException(
                f"Invalid {field}: Expression size has exceeded the maximum allowed size; "
                f"expression size: {len(text.encode())}"
            )
    values = checked.get("ExpressionAttributeValues")
    if values and not _are_few_texts(values) and item_size(values) > MAX_VALUES_BYTES:
        raise MockValidationException("ExpressionAttributeValues exceeds max size")
    check_expressions(checked, has_values=has_values)
    return checked


def _is_mapping(value: Any) -> bool:
    return type(value) is dict or isinstance(value, Mapping)


def _are_few_texts(values: Values) -> bool:
    """Whether all values are texts or numbers, and so short that they can't be too long together."""
    length = 0
    for name, value in values.items():
        text = value.get("S") or value.get("N")
        if text is None:
            return False
        length += len(name) + len(text)
    return length < MAX_VALUES_BYTES // 4  # a character has at most 4 bytes


def _condition(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    checked = dict(entry)
    if "Value" in entry:
        checked["Value"] = canonical_value(entry["Value"])
    if "AttributeValueList" in entry:
        checked["AttributeValueList"] = [canonical_value(value) for value in entry["AttributeValueList"]]
    return checked


def _batch(operation: str, tables: Values) -> dict[str, Any]:
    if not tables or not all(tables.values()):
        raise MockValidationException(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    if operation == "BatchGetItem":
        for one in tables.values():
            check_expressions(one, has_values=False)
        return {table: {**one, "Keys": [canonical_values(key) for key in one["Keys"]]} for table, one in tables.items()}
    if sum(map(len, tables.values())) > MAX_BATCH_WRITES:
        raise MockValidationException("Too many items requested for the BatchWriteItem call")
    return {table: [_single(write, _canonical) for write in writes] for table, writes in tables.items()}


def _actions(actions: Sequence[Values]) -> list[dict[str, Any]]:
    if not 1 <= len(actions) <= MAX_ACTIONS:
        bound = f"less than or equal to {MAX_ACTIONS}" if actions else "greater than or equal to 1"
        raise MockValidationException(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )
    for number, action in enumerate(actions, 1):
        if "Update" in action and action["Update"].get("UpdateExpression") is None:
            raise MockValidationException(
                f"1 validation error detected: Value null at 'transactItems.{number}.member.update.updateExpression' "
                "failed to satisfy constraint: Member must not be null"
            )
    return [
        {kind: _canonical(request, has_values=kind != "Get") for kind, request in action.items()} for action in actions
    ]


def _single(write: Values, check: Callable[[Values], dict[str, Any]]) -> dict[str, Any]:
    if len(write) != 1:
        raise MockValidationException(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "datatypes"
        )
    return {kind: check(request) for kind, request in write.items()}


def _constraint(value: str, field: str, most: int) -> str:
    return (
        f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: "
        f"Member must have length between 1 and {most}"
    )
