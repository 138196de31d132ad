"""Queries and scans of a table itself: selection, order and pagination of items."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table

from local.aws.expressions.projecting import projected
from local.aws.expressions.requests import examined
from local.aws.tables.condition_trees import condition_tree
from local.aws.tables.images import image, size_of
from local.aws.tables.items import Values, find, key_of
from local.aws.tables.key_checks import check_condition_types
from local.aws.tables.key_order import Entry, entry_value, keys_in_order

_PLAIN_GET = frozenset({"TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"})
_PLAIN_QUERY = frozenset(
    {
        "TableName",
        "KeyConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "Limit",
        "ScanIndexForward",
        "ConsistentRead",
        "ExclusiveStartKey",
    }
)
#: As conformance tests of real tables hold them (github.com/architect/dynalite, test/query.js).
OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"
NOT_IN_RANGE = "The provided starting key does not match the range key predicate"
_KEY_CONDITION = re.compile(r"(#?[A-Za-z]\w*) = (:\w+)(?: AND begins_with\((#?[A-Za-z]\w*), (:\w+)\))?", re.ASCII)


def items_in_order(table: Table, after: Mapping[str, Any] | None) -> Iterator[Item]:
    """All items by hash key and range key, starting after the key ``after``."""
    hash_name, range_name = table.hash_key_attr, table.range_key_attr
    hashes = sorted(((key.cast_value, key) for key in table.items), key=entry_value)
    start = None if after is None else DynamoType(after[hash_name]).cast_value
    for value, hash_key in hashes if start is None else hashes[bisect_left(hashes, start, key=entry_value) :]:
        if range_name is None:
            if value != start:
                yield table.items[hash_key]
            continue
        keys = keys_in_order(table, hash_key)
        if after is not None and value == start:
            keys = keys[bisect_right(keys, DynamoType(after[range_name]).cast_value, key=entry_value) :]
        rows = table.items[hash_key]
        for _, range_key in keys:
            yield rows[range_key]


def table_page(
    table: Table,
    hash_value: Mapping[str, Any],
    comparison: str | None,
    range_values: Sequence[Mapping[str, Any]],
    *,
    limit: int | None,
    start: Mapping[str, Any] | None,
    forward: bool,
) -> tuple[list[Item], dict[str, Any] | None]:
    """The items that a query of a table with a range key finds, and the key to continue from.

    Raises MockValidationException: values of wrong types, or a start key that the query could not have returned.
    """
    check_condition_types(table, hash_value, range_values)
    hash_key = DynamoType(hash_value)
    keys = keys_in_order(table, hash_key)
    wanted = [DynamoType(value) for value in range_values]
    first, last = bounds(keys, comparison, wanted)
    if start:
        if DynamoType(start[table.hash_key_attr]) != hash_key:
            raise MockValidationException(OUTSIDE)
        start_key = DynamoType(start[table.range_key_attr])
        behind = start_key.cast_value
        if bounds([(behind, start_key)], comparison, wanted) != (0, 1):
            raise MockValidationException(NOT_IN_RANGE)
        if forward:
            first = max(first, bisect_right(keys, behind, key=entry_value))
        else:
            last = min(last, bisect_left(keys, behind, key=entry_value))
    rows = table.items[hash_key] if keys else {}
    order = range(first, last) if forward else range(last - 1, first - 1, -1)
    return page(table, (rows[keys[index][1]] for index in order), limit)


def short_get(table: Table, request: Values) -> dict[str, Any] | None:
    """GetItem; None: left to moto."""
    if not request.keys() <= _PLAIN_GET:
        return None
    item = find(table, *key_of(table, request["Key"]))
    return {} if item is None else {"Item": project(item, request)}


def short_query(table: Table, request: Values) -> dict[str, Any] | None:
    """Query by hash key, optionally with a prefix of the range key, for whole items; None: left to moto."""
    found = _KEY_CONDITION.fullmatch(request.get("KeyConditionExpression") or "")
    if found is None or not request.keys() <= _PLAIN_QUERY or not table.range_key_attr:
        return None
    names, values = request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {}
    used = [name for name in (found[1], found[3]) if name]
    wanted = [name for name in (found[2], found[4]) if name]
    attributes = [names.get(name) if name.startswith("#") else name for name in used]
    if attributes != [table.hash_key_attr, table.range_key_attr][: len(attributes)]:
        return None
    if names.keys() != {name for name in used if name.startswith("#")} or values.keys() != set(wanted):
        return None
    items, next_key = table_page(
        table,
        values[wanted[0]],
        "BEGINS_WITH" if found[3] else None,
        [values[name] for name in wanted[1:]],
        limit=request.get("Limit"),
        start=request.get("ExclusiveStartKey"),
        forward=request.get("ScanIndexForward", True),
    )
    answer: dict[str, Any] = {"Count": len(items), "ScannedCount": len(items), "Items": [image(one) for one in items]}
    return answer if next_key is None else {**answer, "LastEvaluatedKey": next_key}


def bounds(keys: list[Entry], comparison: str | None, values: list[DynamoType]) -> tuple[int, int]:
    """The slice of ``keys`` that the condition on the range key selects."""
    if comparison is None:
        return 0, len(keys)
    wanted = [value.cast_value for value in values]
    before, behind = bisect_left(keys, wanted[0], key=entry_value), bisect_right(keys, wanted[0], key=entry_value)
    match comparison.upper():
        case "=":
            return before, behind
        case "<":
            return 0, before
        case "<=":
            return 0, behind
        case ">":
            return behind, len(keys)
        case ">=":
            return before, len(keys)
        case "BETWEEN":
            return before, bisect_right(keys, wanted[1], key=entry_value)
        case "BEGINS_WITH":
            end = before
            while end < len(keys) and keys[end][0].startswith(wanted[0]):
                end += 1
            return before, end
    raise MockValidationException(f"Invalid operator used in KeyConditionExpression: {comparison}")


def page(table: Table, items: Iterable[Item], limit: int | None) -> tuple[list[Item], dict[str, Any] | None]:
    """Items up to ``limit`` or 1 MB, and the key to continue from if either was reached."""
    found: list[Item] = []
    size = 0
    for item in items:
        found.append(item)
        size += size_of(item)
        if len(found) == limit or size >= RESULT_SIZE_LIMIT:
            return found, {name: image(item)[name] for name in table.table_key_attrs}
    return found, None


def select(
    items: list[Item], expression: str | None, names: Any, values: Any, projection: list[list[str]] | None
) -> list[Item]:
    """The items that pass a filter, with the requested attributes."""
    if expression:
        condition = condition_tree(expression, names, values)
        items = [item for item in items if condition.expr(item)]
    return [item.project(projection) for item in items] if projection else items


def project(item: Item, request: Values) -> Mapping[str, Any]:
    """The requested attributes of an item, as JSON."""
    expression = request.get("ProjectionExpression")
    if expression is None:
        return image(item)
    found = examined("ProjectionExpression", expression, request.get("ExpressionAttributeNames"), None)
    return projected(image(item), found.paths)
