"""DynamoDB's item writes on moto's tables: each is first planned, then applied in one step.

moto changes items in place. Here a stored item is never modified, only replaced, so that a failed write has no effect,
a stream's images stay unchanged, and a transaction needs no copy of its tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import localcontext
from functools import lru_cache
from typing import Any, NamedTuple

from moto.dynamodb.comparisons import get_expected
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    InvalidAttributeTypeError,
    ItemSizeTooLarge,
    ItemSizeToUpdateTooLarge,
    MockValidationException,
    ProvidedKeyDoesNotExist,
)
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

from local.aws.tables.attribute_values import EXACT, canonical_values, item_size, keep_canonical
from local.aws.tables.condition_trees import condition_tree
from local.aws.tables.images import StoredItem, image, limited, plain, size_of
from local.aws.tables.key_order import item_replaced, key_added, key_removed
from local.aws.tables.updates import updated
from local.journal import active

Values = Mapping[str, Any]
#: Maximum bytes of an item, including names: 400 KB (API reference, "Service, account, and table quotas").
ITEM_LIMIT = 400 * 1024
#: Keys up to this length can't be too long: a character has at most 4 bytes, and the shorter limit, that of range keys,
#: is 1,024 bytes.
USUAL_CHARACTERS = 256


class Condition(NamedTuple):
    """A write's condition; ``expected`` is its legacy form."""

    expression: str | None = None
    names: Values | None = None
    values: Values | None = None
    return_old: bool = False
    expected: Values | None = None

    def check(self, item: Item | None) -> None:
        """Raises:
        ConditionalCheckFailed: with the item found, if ``return_old`` asks for it.
        """
        holds = not self.expected or get_expected(self.expected).expr(item)
        if holds and self.expression:
            holds = condition_tree(self.expression, self.names, self.values).expr(item)
        if not holds:
            found = image(item) if self.return_old and item is not None else None
            raise ConditionalCheckFailed(item=found)


class Change(NamedTuple):
    """A planned write; ``old`` and ``new`` are None if there is no item before or after."""

    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    old: Item | None
    new: Item | None


def find(table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
    """The stored item, which must not be modified."""
    found = table.items.get(hash_key)
    if found is None or range_key is None:
        return found
    item: Item | None = found.get(range_key)
    return item


def key_value(typed: Values) -> DynamoType:
    """moto's form of a key's value; for text without its search for nested values."""
    text = typed.get("S")
    if text is None:
        return DynamoType(typed)
    value: DynamoType = DynamoType.__new__(DynamoType)
    value.type, value.value = "S", text
    return value


def key_of(table: Table, key: Values, *, whole: bool = True) -> tuple[DynamoType, DynamoType | None]:
    """The hash and range key in ``key``; ``whole`` refuses additional attributes.

    Raises:
        ProvidedKeyDoesNotExist: they don't match the table's key schema.
    """
    names = table.table_key_attrs
    if any(name not in key for name in names) or (whole and len(key) != len(names)):
        raise ProvidedKeyDoesNotExist
    hash_key = key_value(key[table.hash_key_attr])
    range_key = key_value(key[table.range_key_attr]) if table.range_key_attr else None
    if hash_key.type != table.hash_key_type or (range_key is not None and range_key.type != table.range_key_type):
        raise ProvidedKeyDoesNotExist
    return hash_key, range_key


def has_usual_key(table: Table, attributes: Values) -> bool:
    """Whether all of the key is short text, as nearly always; the full checks take longer than a read."""
    if table.hash_key_type != "S" or table.range_key_type not in ("S", None):
        return False
    for name in table.table_key_attrs:
        text = attributes.get(name, {}).get("S")
        if type(text) is not str or not 0 < len(text) <= USUAL_CHARACTERS:
            return False
    return True


def plan_put(table: Table, attributes: Values, condition: Condition) -> Change:
    """Plan PutItem."""
    for name in table.table_key_attrs:
        if name not in attributes:
            raise MockValidationException(
                f"One or more parameter values were invalid: Missing the key {name} in the item"
            )
    hash_key = key_value(attributes[table.hash_key_attr])
    range_key = key_value(attributes[table.range_key_attr]) if table.range_key_attr else None
    _check_key_type(table.hash_key_attr, table.hash_key_type, hash_key)
    if range_key is not None:
        _check_key_type(table.range_key_attr, table.range_key_type, range_key)
    if not has_usual_key(table, attributes):
        table._validate_key_sizes(attributes)
    old = find(table, hash_key, range_key)
    new = _item(hash_key, range_key, attributes)
    condition.check(old)
    return Change(table, hash_key, range_key, old, new)


def plan_delete(table: Table, key: Values, condition: Condition) -> Change:
    """Plan DeleteItem."""
    hash_key, range_key = key_of(table, key)
    old = find(table, hash_key, range_key)
    condition.check(old)
    return Change(table, hash_key, range_key, old, None)


def plan_update(
    table: Table,
    key: Values,
    expression: str | None,
    condition: Condition,
    attribute_updates: Values | None = None,
) -> Change:
    """Plan UpdateItem on a copy of the item, or on a new one with only the key.

    Raises:
        MockValidationException: the expression is invalid, or doesn't match the item.
        ConditionalCheckFailed: the condition doesn't hold.
    """
    tree = _parsed(expression) if expression else None
    hash_key, range_key = key_of(table, key)
    old = find(table, hash_key, range_key)
    condition.check(old)
    if expression and old is not None:
        attributes = updated(expression, image(old), condition.names, condition.values, table.table_key_attrs)
        if attributes is not None:
            return Change(table, hash_key, range_key, old, _successor(old, attributes))
    new = _copy(old) if old is not None else Item(hash_key, range_key, dict(key))
    if tree is not None:
        validator = UpdateExpressionValidator(
            tree,
            expression_attribute_names=condition.names or {},
            expression_attribute_values=condition.values or {},
            item=new,
            table=table,
        )
        with localcontext(EXACT):  # moto adds with the context's precision, by default 28 digits
            validated = validator.validate()
            validated.normalize()
            try:
                UpdateExpressionExecutor(validated, new, condition.names or {}).execute()
            except ItemSizeTooLarge:
                raise ItemSizeToUpdateTooLarge from None
        for value in new.attrs.values():
            keep_canonical(value)
    elif attribute_updates:
        new.validate_no_empty_key_values(attribute_updates, table.attribute_keys)
        new.update_with_attribute_updates(attribute_updates)
    table._validate_key_sizes(plain(new.attrs))
    canonical_values(image(new))  # checks the nesting levels that a nested path adds
    if size_of(new) > ITEM_LIMIT:
        raise ItemSizeToUpdateTooLarge
    return Change(table, hash_key, range_key, old, new)


def apply(change: Change) -> None:
    """Store the result in the table and the journal, and write its stream record."""
    store(change)
    table, kept = change.table, active()
    if kept is not None:
        kind, key = kind_of_items(table.name), _key_text(change)
        if change.new is None:
            kept.delete(kind, key)
        else:
            kept.put(kind, key, image(change.new))
    if table.stream_shard is not None:
        table.stream_shard.add(change.old, change.new)


def kind_of_items(table_name: str) -> str:
    """The kind of a table's rows in the journal."""
    return f"item {table_name}"


def _key_text(change: Change) -> str:
    range_key = None if change.range_key is None else change.range_key.value
    return json.dumps([change.hash_key.value, range_key])


def store(change: Change) -> None:
    """Store the result in its table only."""
    table = change.table
    item_replaced(table, change.old, change.new)
    if change.new is not None:
        if change.range_key is None:
            table.items[change.hash_key] = change.new
        else:
            table.items[change.hash_key][change.range_key] = change.new
            if change.old is None:
                key_added(table, change.hash_key, change.range_key)
    elif change.old is not None:
        if change.range_key is None:
            del table.items[change.hash_key]
        else:
            rows = table.items[change.hash_key]
            del rows[change.range_key]
            key_removed(table, change.hash_key, change.range_key)
            if not rows:
                del table.items[change.hash_key]


@lru_cache(maxsize=512)
def _parsed(expression: str) -> Any:
    """The expression's tree. It can be shared, since moto's validator works on a copy."""
    return UpdateExpressionParser.make(expression)


def _item(hash_key: DynamoType, range_key: DynamoType | None, attributes: Values) -> Item:
    item = StoredItem(hash_key, range_key, dict(attributes))
    if size_of(item) > ITEM_LIMIT:
        raise ItemSizeTooLarge
    return item


def _successor(old: Item, attributes: dict[str, Any]) -> Item:
    """The item after an update by ``updates``; it shares unchanged values with the old item."""
    before, size = image(old), size_of(old)
    gone = {name: value for name, value in before.items() if attributes.get(name) is not value}
    come = {name: value for name, value in attributes.items() if before.get(name) is not value}
    canonical_values(come)  # checks the nesting levels of new values
    item = StoredItem(old.hash_key, old.range_key, attributes)
    item._size = size - item_size(gone) + item_size(come)
    if item._size > ITEM_LIMIT:
        raise ItemSizeToUpdateTooLarge
    return item


def _copy(item: Item) -> Item:
    copied: Item = Item.__new__(Item)
    copied.hash_key, copied.range_key = item.hash_key, item.range_key
    copied.attrs = limited({name: _copy_value(value) for name, value in item.attrs.items()})
    return copied


def _copy_value(value: DynamoType) -> DynamoType:
    """A deep copy (with ``SET a = b``, moto shares the value of b)."""
    copied = DynamoType.__new__(DynamoType)
    copied.type = value.type
    if value.type == "M":
        copied.value = {name: _copy_value(part) for name, part in value.value.items()}
    elif value.type == "L":
        copied.value = [_copy_value(part) for part in value.value]
    else:
        copied.value = list(value.value) if isinstance(value.value, list) else value.value
    return copied


def _check_key_type(name: str, expected: str, key: DynamoType) -> None:
    if key.type != expected:
        raise InvalidAttributeTypeError(name, expected_type=expected, actual_type=key.type)
