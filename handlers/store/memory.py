"""The table port in memory, for unit tests and for simulations at memory speed."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from handlers.core.errors import ValidationError
from handlers.core.values.json_numbers import ALLOWED, NotKept, added
from handlers.core.values.json_values import plain_item
from handlers.store.conditions import Condition, Path, exists, lookup, shown_path
from handlers.store.port import (
    DUE_AT,
    OPEN_PROJECTION,
    OPEN_SHARD,
    Change,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Page,
    Put,
    TransactionFailed,
    Update,
    Write,
    check_key,
    check_start,
)

#: Called after each change with table, item before, item after (None: there was or is none). These are the stored
#: items themselves, which are never changed in place; the listener must not do so either.
Listener = Callable[[str, Item | None, Item | None], None]
MAX_TRANSACTION_WRITES = 100
LAST_CHARACTER = "\U0010ffff"
_SCALARS = frozenset({str, int, float, bool, type(None)})


class MemoryTableStore:
    """See ``TableStore``. Atomic under threads; items are copied in and out."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._items: dict[tuple[str, str, str], Item] = {}
        self._sort_keys: dict[tuple[str, str], list[str]] = {}
        #: (table, shard) to the (pk, sk) of its rows: the ``open`` index
        self._open: dict[tuple[str, int], dict[tuple[str, str], None]] = {}
        self._lock = threading.RLock()
        self._listener = listener

    def get(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """See TableStore. There is one replica, so every read is consistent."""
        with self._lock:
            return _copy(self._items.get((table, pk, sk)))

    def get_together(self, keys: Sequence[Key]) -> list[Item | None]:
        """See TableStore."""
        with self._lock:
            return [_copy(self._items.get(key)) for key in keys]

    def get_each(self, keys: Sequence[Key]) -> dict[Key, Item | None]:
        """See TableStore."""
        with self._lock:
            return {key: _copy(self._items.get(key)) for key in keys}

    def put(self, table: str, item: Item, condition: Condition | None = None) -> None:
        """See TableStore."""
        plain = _checked(item)
        with self._lock:
            self._require(table, plain["pk"], plain["sk"], condition)
            self._write(table, plain)

    def update(self, table: str, pk: str, sk: str, change: Change, condition: Condition | None = None) -> Item:
        """See TableStore."""
        with self._lock:
            self._require(table, pk, sk, _guarded(condition))
            changed = _apply(self._items[table, pk, sk], change)
            self._write(table, changed)
            return _copied(changed)

    def delete(self, table: str, pk: str, sk: str, condition: Condition | None = None) -> None:
        """See TableStore."""
        with self._lock:
            self._require(table, pk, sk, condition)
            self._remove(table, pk, sk)

    def transact(self, writes: Sequence[Write]) -> None:
        """See TableStore."""
        writes = [replace(one, item=_checked(one.item)) if isinstance(one, Put) else one for one in writes]
        targets = [_target(write) for write in writes]
        if len(writes) > MAX_TRANSACTION_WRITES or len(set(targets)) != len(targets):
            raise ValueError(f"a transaction takes at most {MAX_TRANSACTION_WRITES} writes on distinct items")
        with self._lock:
            failed = {
                index: _copy(self._items.get(target))
                for index, (write, target) in enumerate(zip(writes, targets, strict=True))
                if not _condition(write).holds(self._items.get(target))
            }
            if failed:
                raise TransactionFailed(failed)
            changed = [  # compute all first: one that becomes too large fails the whole transaction
                _apply(self._items[target], write.change) if isinstance(write, Update) else None
                for write, target in zip(writes, targets, strict=True)
            ]
            for write, item in zip(writes, changed, strict=True):
                if isinstance(write, Put):
                    self._write(write.table, write.item)
                elif isinstance(write, Delete):
                    self._remove(write.table, write.pk, write.sk)
                elif item is not None:
                    self._write(write.table, item)

    def due(self, table: str, shard: int, until: int, *, limit: int, start: Item | None = None) -> Page:
        """See TableStore."""
        with self._lock:
            rows = (self._items[table, pk, sk] for pk, sk in self._open.get((table, shard), ()))
            found = sorted((row[DUE_AT], row["pk"], row["sk"]) for row in rows if row[DUE_AT] <= until)
            if start is not None:
                last = (start[DUE_AT], start["pk"], start["sk"])
                found = [one for one in found if one > last]
            page = found[:limit]
            items = [self._items[table, pk, sk] for _, pk, sk in page]
            last_key = {name: items[-1][name] for name in ("pk", "sk", OPEN_SHARD, DUE_AT)} if items else None
            projected = [{name: item[name] for name in OPEN_PROJECTION if name in item} for item in items]
            return Page(projected, last_key if len(page) == limit else None)

    def query(
        self,
        table: str,
        pk: str,
        *,
        sk_prefix: str = "",
        descending: bool = False,
        limit: int | None = None,
        consistent: bool = True,
        start: Item | None = None,
    ) -> Page:
        """See TableStore."""
        check_start(pk, sk_prefix, start)
        with self._lock:
            keys = self._sort_keys.get((table, pk), [])
            found = keys[bisect_left(keys, sk_prefix) : bisect_left(keys, sk_prefix + LAST_CHARACTER)]
            if descending:
                found.reverse()
            if start is not None:
                last = start["sk"]
                found = [key for key in found if (key < last if descending else key > last)]
            page = found if limit is None else found[:limit]
            more = limit is not None and len(page) == limit
            next_key = {"pk": pk, "sk": page[-1]} if more and page else None
            return Page([_copied(self._items[table, pk, sk]) for sk in page], next_key)

    def scan(
        self, table: str, *, keep: Condition | None = None, limit: int | None = None, start: Item | None = None
    ) -> Page:
        """See TableStore. In the order of the keys."""
        with self._lock:
            after = None if start is None else (start["pk"], start["sk"])
            keys = sorted((pk, sk) for name, pk, sk in self._items if name == table)
            found = keys if after is None else [key for key in keys if key > after]
            page = found if limit is None else found[:limit]
            more = limit is not None and len(page) == limit
            next_key = {"pk": page[-1][0], "sk": page[-1][1]} if more and page else None
            items = (self._items[table, pk, sk] for pk, sk in page)
            kept = [_copied(item) for item in items if keep is None or keep.holds(item)]
            return Page(kept, next_key, len(page))

    def _require(self, table: str, pk: str, sk: str, condition: Condition | None) -> None:
        item = self._items.get((table, pk, sk))
        if condition is not None and not condition.holds(item):
            raise ConditionFailed(table, pk, sk, _copy(item))

    def _write(self, table: str, item: Item | None) -> None:
        assert item is not None
        key = (table, item["pk"], item["sk"])
        before = self._items.get(key)
        if before is None:
            insort(self._sort_keys.setdefault(key[:2], []), key[2])
        self._items[key] = item
        self._index(table, key[1:], before, item)
        if self._listener is not None and before != item:
            self._listener(table, before, item)

    def _remove(self, table: str, pk: str, sk: str) -> None:
        before = self._items.pop((table, pk, sk), None)
        if before is None:
            return
        self._sort_keys[table, pk].remove(sk)
        self._index(table, (pk, sk), before, None)
        if self._listener is not None:
            self._listener(table, before, None)

    def _index(self, table: str, key: tuple[str, str], before: Item | None, item: Item | None) -> None:
        if before is not None and _is_indexed(before):
            del self._open[table, before[OPEN_SHARD]][key]
        if item is not None and _is_indexed(item):
            self._open.setdefault((table, item[OPEN_SHARD]), {})[key] = None


def _is_indexed(item: Item | None) -> bool:
    return item is not None and OPEN_SHARD in item and DUE_AT in item


def _guarded(condition: Condition | None) -> Condition:
    return exists("pk") if condition is None else exists("pk") & condition


def _condition(write: Write) -> Condition:
    if isinstance(write, Update):
        return _guarded(write.condition)
    return write.condition if write.condition is not None else exists("pk") | ~exists("pk")


def _target(write: Write) -> tuple[str, str, str]:
    if isinstance(write, Put):
        return (write.table, write.item["pk"], write.item["sk"])
    return (write.table, write.pk, write.sk)


def _apply(item: Item, change: Change) -> Item:
    changed = dict(item)
    for path, value in change.set.items():
        _assign(changed, path, value)
    for path, value in change.set_once.items():
        if not lookup(item, path)[0]:
            _assign(changed, path, value)
    for path, amount in change.add.items():
        _assign(changed, path, _sum(path, lookup(item, path)[1], amount))
    for path in change.remove:
        parent, name = _parent(changed, path)
        if parent is not None:
            parent.pop(name, None)
    return plain_item(changed)  # checks the new size and depth


def _checked(item: Item) -> Item:
    """A plain copy. Raises ValidationError: the table can't store it."""
    check_key(item)
    return plain_item(item)


def _sum(path: Path, present: Any, amount: float) -> float:
    if isinstance(present, bool) or not isinstance(present, int | float | None):
        raise ValidationError(shown_path(path), present, "a number that is stored, or nothing, where one is added")
    try:
        return added(present or 0, amount)
    except NotKept as error:
        raise ValidationError(shown_path(path), str(error), ALLOWED) from None


def _assign(item: Item, path: Path, value: Any) -> None:
    parent, name = _parent(item, path)
    if parent is None:
        raise ValueError(f"the parent of {path} does not exist")
    parent[name] = value


def _parent(item: Item, path: Path) -> tuple[Item | None, str]:
    """The parent map of the path's last step, None if it doesn't exist. Stored maps on the way are copied."""
    if isinstance(path, str):
        return item, path
    parent = item
    for step in path[:-1]:
        inner = parent.get(step)
        if not isinstance(inner, dict):
            return None, path[-1]
        parent[step] = parent = dict(inner)
    return parent, path[-1]


def _copied(item: Item) -> Item:
    return {key: value if type(value) in _SCALARS else _copied_value(value) for key, value in item.items()}


def _copied_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _copied(value)
    if isinstance(value, list):
        return [_copied_value(entry) for entry in value]
    return value


def _copy(item: Item | None) -> Item | None:
    return None if item is None else _copied(item)
