"""A tenant's open commands and entity types, for the overview page. Read-only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from handlers.commands.keys import VersionKey
from handlers.core.clock import seconds_of
from handlers.core.key_parts import SEPARATOR
from handlers.core.keys import OPEN_SHARDS
from handlers.core.light_dataclasses import dataclass
from handlers.store.port import COMMANDS, DATA, Item, TableStore

#: Rows that are read per shard of the index, which contains those of all tenants.
SHARD_ROWS = 500
#: Commands whose age is checked: those that the sweeper processes first.
LOOKED_AT = 25
#: Most types that are looked up, with one read each.
MOST_TYPES = 50
#: Later than the due time of any row.
EVER = 9_999_999_999


@dataclass(frozen=True)
class OldestOpen:
    """``since``: when it was published."""

    key: VersionKey
    status: str
    since: str


@dataclass(frozen=True)
class OpenCommands:
    """Commands without an outcome, counted by status. ``is_complete``: all were counted."""

    by_status: Counter[str]
    oldest: OldestOpen | None
    is_complete: bool


def open_commands(store: TableStore, tenant_code: str) -> OpenCommands:
    """The open commands of one tenant, from the index, which lags slightly behind.

    ``oldest``: of the ``LOOKED_AT`` commands that are due first, including failed ones whose alarm wasn't sent.
    """
    rows: list[Item] = []
    is_complete = True
    for shard in range(OPEN_SHARDS):
        page = store.due(COMMANDS, shard, EVER, limit=SHARD_ROWS)
        is_complete = is_complete and page.next_key is None
        rows += [row for row in page.items if row["pk"].partition(SEPARATOR)[2] == tenant_code]
    first = sorted(rows, key=lambda row: row["dueAt"])[:LOOKED_AT]
    found = store.get_together([(COMMANDS, row["pk"], row["sk"]) for row in first]) if first else []
    still = [row for row in found if row is not None and "openShard" in row]
    oldest = min(still, key=lambda row: seconds_of(row["updatedAt"]), default=None)
    return OpenCommands(
        Counter(row["status"] for row in rows),
        None
        if oldest is None
        else OldestOpen(VersionKey.parse(oldest["pk"], oldest["sk"]), oldest["status"], oldest["updatedAt"]),
        is_complete,
    )


def stored_types(store: TableStore, pk: str) -> Sequence[str]:
    """The first types that have entities in a partition, found by skipping from one to the next."""
    types: list[str] = []
    start: Item | None = None
    for _ in range(MOST_TYPES):
        page = store.query(DATA, pk, limit=1, consistent=False, start=start)
        if not page.items:
            break
        row = page.items[0]
        type_ = row["sk"].partition(SEPARATOR)[0]
        if "csk" in row:  # others are rows of a handler
            types.append(type_)
        # The character after the separator sorts after every key of this type.
        start = {"pk": pk, "sk": f"{type_}{chr(ord(SEPARATOR) + 1)}"}
    return types
