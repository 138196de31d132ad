"""The state of an entity before a version, for sync handlers that ask for it."""

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

#: Versions that are looked at together, going back from a version whose predecessor is not in history.
PAGE = 10

#: A command to the entity as it was before it; None if it was not there.
Before = Callable[[Command], Command | None]


class StatesBefore:
    """Reads what the read model held before a version: the same on every delivery of that version.

    The pipeline copies the data row to ``history`` before any target gets a version, so that is where the previous
    state
    it is, however often the version comes again. Only where the data row had expired meanwhile there is no copy; then
    the state is that of the version's predecessor in the log, if its row is still there. Versions that were skipped
    were never a state.
    """

    def __init__(self, store: TableStore, now: Callable[[], float], decoded: Callable[[Item], Item]) -> None:
        """``decoded``: ``AttributeStore.decoded``."""
        self._store = store
        self._now = now
        self._decoded = decoded

    def __call__(self, command: Command) -> Command | None:
        """The state before; None for the first version, and where neither history nor the log has it any more.

        One query; a second one where versions lie between.
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
        """The latest applied command between two versions, unless one that is not skipped ends the search."""
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
    """Wraps a sync handler whose ``up`` also takes the previous state, as one that takes only the command."""

    def __init__(self, up: Callable[..., object], before: Before) -> None:
        self._up = up
        self._before = before

    def up(self, command: Command) -> object:
        """See SyncHandler."""
        return self._up(command, self._before(command))
