"""The range keys under a hash key in order, and the items of an index, updated by writes so that no query sorts."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from copy import copy
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from local.aws.tables.images import image

#: (comparable value, key as stored)
Entry = tuple[Any, DynamoType]
_ATTRIBUTE = "local_key_order"
#: attribute -> its value as text -> items that have it, by their keys
_Index = dict[str, dict[str, dict[Any, Item]]]
_INDEX = "local_items_by_attribute"


def entry_value(entry: Entry) -> Any:
    """The sort key of an entry."""
    return entry[0]


def keys_in_order(table: Table, hash_key: DynamoType) -> list[Entry]:
    """The range keys under ``hash_key``, created by the first query and updated by writes. Must not be modified."""
    rows = table.items.get(hash_key)
    if not rows:
        return []
    orders = _orders(table)
    order = orders.get(hash_key)
    if order is None:
        order = orders[hash_key] = sorted(((key.cast_value, key) for key in rows), key=entry_value)
    return order


def key_added(table: Table, hash_key: DynamoType, range_key: DynamoType) -> None:
    """Record a new row."""
    order = _orders(table).get(hash_key)
    if order is not None:
        insort(order, (range_key.cast_value, range_key), key=entry_value)


def key_removed(table: Table, hash_key: DynamoType, range_key: DynamoType) -> None:
    """Record a deleted row."""
    order = _orders(table).get(hash_key)
    if order is not None:
        del order[bisect_left(order, range_key.cast_value, key=entry_value)]


def _orders(table: Table) -> dict[DynamoType, list[Entry]]:
    orders: dict[DynamoType, list[Entry]] | None = getattr(table, _ATTRIBUTE, None)
    if orders is None:
        orders = {}
        setattr(table, _ATTRIBUTE, orders)
    return orders


def table_of_items_with(table: Table, name: str, value: dict[str, Any]) -> Table:
    """A view of the table with only the items whose attribute ``name`` has this value.

    For moto's queries of an index, which scan and sort all items. Its data is created by the first query of an index
    and updated by writes.
    """
    index: _Index = table.__dict__.setdefault(_INDEX, {})
    if name not in index:
        index[name] = defaultdict(dict)
        for stored in table.items.values():
            for item in stored.values() if table.range_key_attr else [stored]:
                _note(index[name], name, item)
    view = copy(table)
    view.items = defaultdict(dict)
    for item in index[name][_text(value)].values():
        if table.range_key_attr:
            view.items[item.hash_key][item.range_key] = item
        else:
            view.items[item.hash_key] = item
    return view


def item_replaced(table: Table, old: Item | None, new: Item | None) -> None:
    """Record a new, deleted or replaced row."""
    index: _Index = table.__dict__.get(_INDEX, {})
    for name, items in index.items():
        value = None if old is None else image(old).get(name)
        if old is not None and value is not None:
            del items[_text(value)][_identity(old)]
        if new is not None:
            _note(items, name, new)


def _note(items: dict[str, dict[Any, Item]], name: str, item: Item) -> None:
    value = image(item).get(name)
    if value is not None:
        items[_text(value)][_identity(item)] = item


def _text(value: dict[str, Any]) -> str:
    ((kind, content),) = value.items()
    return f"{kind} {content}"


def _identity(item: Item) -> Any:
    return item.hash_key.value, item.range_key.value if item.range_key is not None else None
