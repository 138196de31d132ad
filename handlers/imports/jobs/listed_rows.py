"""The rows of a file with their outcomes, a page at a time in the order of the file."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import islice

from handlers.core.light_dataclasses import dataclass
from handlers.imports.jobs import status
from handlers.imports.keys import IMPORT_SHARDS, ROW_INDEX_DIGITS, ImportJobKey
from handlers.store.port import IMPORT_TMP, Item, TableStore

#: Most rows that are read for a page, however many match.
MOST_LOOKED_AT = 5_000


@dataclass(frozen=True)
class Rows:
    """A page of rows as stored. ``after``: index of the last row read, None at the end of the file."""

    rows: list[Item]
    after: int | None


def list_rows(
    store: TableStore,
    key: ImportJobKey,
    *,
    limit: int,
    after: int = -1,
    keep: Callable[[Item], bool] = lambda _: True,
) -> Rows:
    """Up to ``limit`` rows after the index ``after``."""
    shards = [_rows(store, key.shard(number)[0], after, limit) for number in range(IMPORT_SHARDS)]
    kept: list[Item] = []
    for row in islice(heapq.merge(*shards, key=lambda row: str(row["sk"])), MOST_LOOKED_AT):
        after = int(row["sk"])
        if keep(row):
            kept.append(row)
            if len(kept) == limit:
                return Rows(kept, after)
    return Rows(kept, None if not _more(store, key, after) else after)


def _more(store: TableStore, key: ImportJobKey, after: int) -> bool:
    return any(next(_rows(store, key.shard(number)[0], after, 1), None) for number in range(IMPORT_SHARDS))


def _rows(store: TableStore, pk: str, after: int, limit: int) -> Iterator[Item]:
    """The rows of one partition; the counter sorts after them."""
    start: Item | None = None if after < 0 else {"pk": pk, "sk": f"{after:0{ROW_INDEX_DIGITS}d}"}
    while True:
        page = store.query(IMPORT_TMP, pk, limit=max(1, limit // IMPORT_SHARDS + 1), start=start)
        yield from (row for row in page.items if row["kind"] == status.ROW)
        start = page.next_key
        if start is None:
            return
