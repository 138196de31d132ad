"""BatchWriteItem: all writes are planned before the first is applied, so that a refused batch has no effect.

API reference, BatchWriteItem: one put or delete per item, at most 25, each item at most 400 KB, else the whole batch
is refused. moto applies the writes before the invalid one, and detects two puts of one key only if they are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table

from local.aws.tables.items import Change, apply, key_of
from local.aws.tables.writes import plan


def batch_write(get_table: Callable[[str], Table], tables: Mapping[str, Any]) -> dict[str, Any]:
    """Do all writes, and return the API's result. Raises MockValidationException."""
    changes: list[Change] = []
    seen: set[tuple[str, Any, Any]] = set()
    for name, writes in tables.items():
        table = get_table(name)
        for write in writes:
            kind, request = next(iter(write.items()))
            is_put = kind == "PutRequest"
            key = (table.name, *key_of(table, request["Item" if is_put else "Key"], whole=not is_put))
            if key in seen:
                raise MockValidationException("Provided list of item keys contains duplicates")
            seen.add(key)
            changes.append(plan("Put" if is_put else "Delete", table, request))
    for change in changes:
        apply(change)
    return {"UnprocessedItems": {}}
