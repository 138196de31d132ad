"""The state of an entity before a version, for sync handlers that take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.commands.model import Command, completed
from handlers.commands.status import APPLIED_STATUSES, SKIPPED
from handlers.core.expiry import is_expired
from handlers.core.keys import FIRST_VERSION
from handlers.store.port import COMMANDS, HISTORY, Item, TableStore

if TYPE_CHECKING:
    from handlers.commands.keys import VersionKey

#: Page size when going back from a version whose predecessor isn't in history.
PAGE = 10

#: Takes a command and returns the entity's state before it; None if it didn't exist.
Before = Callable[[Command], Command | None]


class StatesBefore:
    """Reads the state of the read model before a version: the same on every delivery of that version.

    The pipeline copies the data row to ``history`` before any target receives a version, so the previous state is there
    on every redelivery. There is no copy only if the data row had expired; then the state is that of the version's
    predecessor in the log, if its row still exists. Skipped versions were never a state.
    """

    def __init__(self, store: TableStore, now: Callable[[], float], decoded: Callable[[Item], Item]) -> None:
        """``decoded``: ``AttributeStore.decoded``."""
        self._store = store
        self._now = now
        self._decoded = decoded

    def __call__(self, command: Command) -> Command | None:
        """The state before; None for the first version, and if neither history nor the log still has it.

        Makes one query, and a second one if there are versions in between.
        """
        key = command.key
        if key.version == FIRST_VERSION:
            return None
        kept = self._kept(key)
        if kept is None or kept["version"] < key.version - 1:
            kept = self._in_between(key, 0 if kept is None else kept["version"]) or kept
        return None if kept is None else Command.from_row(self._decoded(kept))

    def _kept(self, key: VersionKey) -> Item | None:
        start = {"pk": key.pk, "sk": key.sk}
        prefix = key.entity.version_prefix
        page = self._store.query(HISTORY, key.pk, sk_prefix=prefix, descending=True, limit=1, start=start)
        return next((completed(row) for row in page.items if not is_expired(row, self._now())), None)

    def _in_between(self, key: VersionKey, lowest: int) -> Item | None:
        """The latest applied command between two versions; None if a later one is neither applied nor skipped."""
        start: Item | None = {"pk": key.pk, "sk": key.sk}
        prefix = key.entity.version_prefix
        while start is not None:
            page = self._store.query(COMMANDS, key.pk, sk_prefix=prefix, descending=True, limit=PAGE, start=start)
            for row in map(completed, page.items):
                if row["version"] <= lowest:
                    return None
                if row["status"] != SKIPPED:
                    return row if row["status"] in APPLIED_STATUSES and not is_expired(row, self._now()) else None
            start = page.next_key
        return None


class WithPrevious:
    """Adapts a sync handler whose ``up`` also takes the previous state to one that takes only the command."""

    def __init__(self, up: Callable[..., object], before: Before) -> None:
        self._up = up
        self._before = before

    def up(self, command: Command) -> object:
        """See SyncHandler."""
        return self._up(command, self._before(command))
