"""BatchGetItem and BatchWriteItem.

All writes are planned before the first is applied, so that a refused batch has no effect. API reference,
BatchWriteItem: one put or delete per item, at most 25, each item at most 400 KB, else the whole batch is refused. moto
applies the writes before the invalid one, and detects two puts of one key only if they are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table

from local.aws.tables.images import image, size_of
from local.aws.tables.items import Change, apply, find, key_of
from local.aws.tables.writes import plan

#: API reference, BatchGetItem: up to 100 items and 16 MB.
MAX_BATCH_READS = 100
MAX_READ_BYTES = 16 * 1024 * 1024
_PLAIN_READ = frozenset({"Keys", "ConsistentRead"})


def short_batch_get(get_table: Callable[[str], Table], request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Whole items by their keys; None: left to moto, as are requests that it refuses."""
    tables = request["RequestItems"]
    if len(request) > 1 or any(not asked.keys() <= _PLAIN_READ for asked in tables.values()):
        return None
    if sum(len(asked["Keys"]) for asked in tables.values()) > MAX_BATCH_READS:
        return None
    found: dict[str, list[Any]] = {}
    size = 0
    for name, asked in tables.items():
        table = get_table(name)
        keys = [key_of(table, key) for key in asked["Keys"]]
        if len(set(keys)) != len(keys):
            return None
        items = [item for item in (find(table, *key) for key in keys) if item is not None]
        size += sum(map(size_of, items))
        found[name] = [image(item) for item in items]
    return {"Responses": found, "UnprocessedKeys": {}} if size <= MAX_READ_BYTES else None


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
