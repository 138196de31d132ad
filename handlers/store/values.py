"""Converts plain values to and from DynamoDB's typed JSON.

Smaller and faster to import than boto3's serializer, and without ``Decimal``: attributes are JSON,
whose numbers are ``int`` and ``float`` (``handlers.core.values.json_numbers``). Values to write were already validated
by ``handlers.core.values.json_values``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from handlers.core.values.json_numbers import from_text


def to_dynamo(value: Any) -> dict[str, Any]:
    """``"a"`` to ``{"S": "a"}`` and so on."""
    if type(value) is str:  # most values are texts
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, dict):
        return {"M": {key: to_dynamo(entry) for key, entry in value.items()}}
    if isinstance(value, list):
        return {"L": [to_dynamo(entry) for entry in value]}
    raise TypeError(f"cannot store {type(value).__name__}")


def from_dynamo(typed: Mapping[str, Any]) -> Any:
    """``{"S": "a"}`` to ``"a"`` and so on; also for the images of stream records.

    Sets and binary values, which only other writers use, are read as lists and base64 text.
    """
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return from_text(value)
        case "NULL":
            return None
        case "M":
            return {key: from_dynamo(entry) for key, entry in value.items()}
        case "L":
            return [from_dynamo(entry) for entry in value]
        case "SS":
            return list(value)
        case "NS":
            return [from_text(entry) for entry in value]
        case "B":
            return _base64(value)
        case "BS":
            return [_base64(entry) for entry in value]
    raise TypeError(f"cannot read DynamoDB type {kind}")


def item_to_dynamo(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item for PutItem."""
    return {name: to_dynamo(value) for name, value in item.items()}


def item_from_dynamo(typed: Mapping[str, Any]) -> dict[str, Any]:
    """An item from GetItem, a query, an error or a stream image."""
    return {name: from_dynamo(value) for name, value in typed.items()}


def _base64(value: bytes | str) -> str:
    """boto3 returns bytes; a stream record contains base64 in its JSON."""
    return value if isinstance(value, str) else base64.b64encode(value).decode()
