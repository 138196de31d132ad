"""moto's items and values as DynamoDB's JSON."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from moto.core.utils import unix_time
from moto.dynamodb.models.dynamo_type import DynamoType, Item


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
