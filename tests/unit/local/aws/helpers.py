"""Short forms of items and reads for the tests of the local AWS."""

from __future__ import annotations

from typing import Any

Attributes = dict[str, dict[str, Any]]


def key(sk: str = "1", pk: str = "a") -> Attributes:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def item(sk: str = "1", pk: str = "a", **numbers: int) -> Attributes:
    return {**key(sk, pk), **{name: {"N": str(value)} for name, value in numbers.items()}}


def read(dynamodb: Any, table: str, sk: str = "1", pk: str = "a") -> Attributes | None:
    found: Attributes | None = dynamodb.get_item(TableName=table, Key=key(sk, pk), ConsistentRead=True).get("Item")
    return found
