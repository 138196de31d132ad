"""The order of the range keys under a hash key, kept up to date so that a query needn't sort."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

#: (comparable value, key as stored)
Entry = tuple[Any, DynamoType]
_ATTRIBUTE = "local_key_order"


def entry_value(entry: Entry) -> Any:
    """What entries are ordered by."""
    return entry[0]


def keys_in_order(table: Table, hash_key: DynamoType) -> list[Entry]:
    """The range keys under ``hash_key``; made by the first query, kept by the writes after it. Not to be changed."""
    rows = table.items.get(hash_key)
    if not rows:
        return []
    orders = _orders(table)
    order = orders.get(hash_key)
    if order is None:
        order = orders[hash_key] = sorted(((key.cast_value, key) for key in rows), key=entry_value)
    return order


def key_added(table: Table, hash_key: DynamoType, range_key: DynamoType) -> None:
    """A row is new."""
    order = _orders(table).get(hash_key)
    if order is not None:
        insort(order, (range_key.cast_value, range_key), key=entry_value)


def key_removed(table: Table, hash_key: DynamoType, range_key: DynamoType) -> None:
    """A row is gone."""
    order = _orders(table).get(hash_key)
    if order is not None:
        del order[bisect_left(order, range_key.cast_value, key=entry_value)]


def _orders(table: Table) -> dict[DynamoType, list[Entry]]:
    orders: dict[DynamoType, list[Entry]] | None = getattr(table, _ATTRIBUTE, None)
    if orders is None:
        orders = {}
        setattr(table, _ATTRIBUTE, orders)
    return orders
