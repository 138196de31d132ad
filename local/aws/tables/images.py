"""moto's items and values as DynamoDB's JSON."""

from __future__ import annotations

import base64
import zlib
from collections import deque
from datetime import datetime
from typing import Any
from weakref import ref

from moto.core.utils import unix_time
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from local.aws.tables.attribute_values import item_size
from local.json_bytes import from_json, json_bytes

#: How many stored items keep moto's form of their attributes.
REMEMBERED_FORMS = 1_000


class StoredItem(Item):  # type: ignore[misc]  # moto has no types that mypy can follow
    """An item stored as DynamoDB's JSON. moto's form of its attributes is created on demand."""

    def __init__(self, hash_key: DynamoType, range_key: DynamoType | None, attributes: dict[str, Any]) -> None:
        """``attributes`` must not be modified afterwards."""
        self.hash_key, self.range_key = hash_key, range_key
        self._image: dict[str, Any] | None = attributes
        self._attrs: LimitedSizeDict | None = None
        self._packed = b""
        _unpacked(self)

    @property
    def attrs(self) -> LimitedSizeDict:
        """moto's form of the attributes."""
        if self._attrs is None:
            self._attrs = limited({name: DynamoType(value) for name, value in image(self).items()})
            _shown.append(self)
            if len(_shown) > REMEMBERED_FORMS:
                _shown.popleft()._attrs = None
        return self._attrs

    @attrs.setter
    def attrs(self, attributes: LimitedSizeDict) -> None:
        """Used by moto when it copies an item."""
        self._attrs, self._image, self._packed = attributes, None, b""


_shown: deque[StoredItem] = deque()


def limited(attributes: dict[str, DynamoType]) -> LimitedSizeDict:
    """moto's dictionary of attributes, filled without its size check, which sums up all attributes for each one."""
    found = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(found, attributes)
    return found


def size_of(item: Item) -> int:
    """The size in bytes as DynamoDB counts it; cached in the item."""
    kept: int | None = getattr(item, "_size", None)
    if kept is None:
        kept = item._size = item_size(image(item))
    return kept


def image(item: Item) -> dict[str, Any]:
    """The item in DynamoDB's JSON. It is cached in the item and shared by its readers: it must not be modified."""
    kept: dict[str, Any] | None = getattr(item, "_image", None)
    if kept is None and isinstance(item, StoredItem) and item._packed:
        kept = item._image = from_json(zlib.decompress(item._packed))
        _unpacked(item)
    elif kept is None:
        kept = item._image = plain(item.attrs)
    return kept


#: How many items are kept as dictionaries. A row of commands takes 6 KB as one, and less than 1 KB packed.
UNPACKED_ITEMS = 20_000
_used: deque[ref[StoredItem]] = deque()


def _unpacked(item: StoredItem) -> None:
    """Record a written or unpacked item, and pack the oldest one beyond the limit if it is still stored."""
    _used.append(ref(item))
    if len(_used) > UNPACKED_ITEMS:
        oldest = _used.popleft()()
        if oldest is not None and oldest._image is not None:
            oldest._packed = oldest._packed or zlib.compress(json_bytes(oldest._image), 1)
            oldest._image = None


def forget_items() -> None:
    """Drop the records of items when an endpoint stops."""
    _used.clear()
    _shown.clear()


def plain(value: Any) -> Any:
    """Any mix of moto's and Python's types as JSON (binary as base64, times as epoch seconds)."""
    if type(value) is str:
        return value
    if isinstance(value, DynamoType):
        return {value.type: plain(value.value)}
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, Item):
        return image(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return unix_time(value)
    return value
