"""moto's items and values as DynamoDB's JSON."""

from __future__ import annotations

import base64
from collections import deque
from datetime import datetime
from typing import Any

from moto.core.utils import unix_time
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

from local.aws.tables.attribute_values import item_size

#: Stored items that moto's form is kept of, once it was made.
REMEMBERED_FORMS = 1_000


class StoredItem(Item):  # type: ignore[misc]  # moto has no types that mypy can follow
    """An item that is kept as DynamoDB's JSON. moto's form of its attributes is made when moto asks for it."""

    def __init__(self, hash_key: DynamoType, range_key: DynamoType | None, attributes: dict[str, Any]) -> None:
        """``attributes`` are not to be changed afterwards."""
        self.hash_key, self.range_key = hash_key, range_key
        self._image: dict[str, Any] | None = attributes
        self._attrs: LimitedSizeDict | None = None

    @property
    def attrs(self) -> LimitedSizeDict:
        """For moto."""
        if self._attrs is None:
            assert self._image is not None
            self._attrs = limited({name: DynamoType(value) for name, value in self._image.items()})
            _shown.append(self)
            if len(_shown) > REMEMBERED_FORMS:
                _shown.popleft()._attrs = None
        return self._attrs

    @attrs.setter
    def attrs(self, attributes: LimitedSizeDict) -> None:
        """moto's copy of an item is made so."""
        self._attrs, self._image = attributes, None


_shown: deque[StoredItem] = deque()


def limited(attributes: dict[str, DynamoType]) -> LimitedSizeDict:
    """moto's dictionary of attributes without its size check, which adds up all of them for each."""
    found = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(found, attributes)
    return found


def size_of(item: Item) -> int:
    """Bytes as DynamoDB counts them; kept with the item."""
    kept: int | None = getattr(item, "_size", None)
    if kept is None:
        kept = item._size = item_size(image(item))
    return kept


def image(item: Item) -> dict[str, Any]:
    """The item in DynamoDB's JSON. Kept with the item, shared by its readers: not to be changed."""
    kept: dict[str, Any] | None = getattr(item, "_image", None)
    if kept is None:
        kept = item._image = plain(item.attrs)
    return kept


def plain(value: Any) -> Any:
    """Any mix of moto's and Python's types as JSON (binary as base64, times as epoch seconds)."""
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
