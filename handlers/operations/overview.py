"""What of a tenant is on its way, and of which types it has something: for a page that shows a stack. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from handlers.commands.keys import VersionKey
from handlers.core.clock import seconds_of
from handlers.core.key_parts import SEPARATOR
from handlers.core.keys import OPEN_SHARDS
from handlers.core.light_dataclasses import dataclass
from handlers.store.port import COMMANDS, DATA, Item, TableStore

#: Rows of the index that are looked at in one shard; those of all tenants lie in it.
SHARD_ROWS = 500
#: Commands whose age is looked at: those that the sweeper takes first.
LOOKED_AT = 25
#: Types that are found by looking, one read each.
MOST_TYPES = 50
#: Later than any row is due.
EVER = 9_999_999_999


@dataclass(frozen=True)
class OldestOpen:
    """``since``: when it was published."""

    key: VersionKey
    status: str
    since: str


@dataclass(frozen=True)
class OpenCommands:
    """Commands without outcome, counted by status. ``is_complete``: nothing was left uncounted."""

    by_status: Counter[str]
    oldest: OldestOpen | None
    is_complete: bool


def open_commands(store: TableStore, tenant_code: str) -> OpenCommands:
    """Those of one tenant, by the index, which is a moment behind.

    ``oldest`` is the oldest of ``LOOKED_AT`` commands that are due first; a failed one whose alarm is not out counts.
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
    """The first types of which a partition has entities, by skipping from one to the next."""
    types: list[str] = []
    start: Item | None = None
    for _ in range(MOST_TYPES):
        page = store.query(DATA, pk, limit=1, consistent=False, start=start)
        if not page.items:
            break
        row = page.items[0]
        type_ = row["sk"].partition(SEPARATOR)[0]
        if "csk" in row:  # others are a handler's own rows
            types.append(type_)
        # The character after the separator: behind every key of this type.
        start = {"pk": pk, "sk": f"{type_}{chr(ord(SEPARATOR) + 1)}"}
    return types
