"""Plain values to and from DynamoDB's typed JSON.

Smaller and faster to import than boto3's serializer, and without ``Decimal``: attributes are JSON,
whose numbers are ``int`` and ``float``. A number that DynamoDB returns without fraction and exponent
is an ``int`` (it stores 1.0 as 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_dynamo(value: Any) -> dict[str, Any]:
    """``"a"`` to ``{"S": "a"}`` and so on."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}
    if isinstance(value, Mapping):
        return {"M": {key: to_dynamo(entry) for key, entry in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [to_dynamo(entry) for entry in value]}
    raise TypeError(f"cannot store {type(value).__name__}")


def from_dynamo(typed: Mapping[str, Any]) -> Any:
    """``{"S": "a"}`` to ``"a"`` and so on; also for the images of stream records."""
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return _number(value)
        case "NULL":
            return None
        case "M":
            return {key: from_dynamo(entry) for key, entry in value.items()}
        case "L":
            return [from_dynamo(entry) for entry in value]
    raise TypeError(f"cannot read DynamoDB type {kind}")


def item_to_dynamo(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item for PutItem."""
    return {name: to_dynamo(value) for name, value in item.items()}


def item_from_dynamo(typed: Mapping[str, Any]) -> dict[str, Any]:
    """An item from GetItem, a query, an error or a stream image."""
    return {name: from_dynamo(value) for name, value in typed.items()}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
