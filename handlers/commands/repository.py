"""Reads of commands, data and history, with the consistency that ordering and conflict detection need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from handlers.commands.model import completed
from handlers.core.expiry import is_expired
from handlers.core.light_dataclasses import dataclass
from handlers.store.port import COMMANDS, DATA, HISTORY, Item, TableStore

if TYPE_CHECKING:
    from handlers.commands.keys import EntityKey, VersionKey

PAGE = 100
#: Entities whose neighbourhoods, three rows each, fit into one transaction of a hundred reads.
MOST_TOGETHER = 33


@dataclass(frozen=True)
class Neighbourhood:
    """The rows that ``check_version`` decides on, from one consistent read."""

    own: Item | None
    prev: Item | None
    data: Item | None

    @property
    def data_version(self) -> int:
        """The applied version, 0 if there is none."""
        return int(self.data["version"]) if self.data is not None else 0


class CommandRepository:
    """Strongly consistent reads; rows past their ttl count as absent, and rows of other writers are completed.

    With ``decoded`` (``AttributeStore.decoded``) rows include their attributes, as readers expect. Without it they are
    returned as stored, perhaps with a pointer in place of ``attributes``: the pipeline would otherwise download
    megabytes to read a status.
    """

    def __init__(
        self, store: TableStore, now: Callable[[], float], decoded: Callable[[Item], Item] | None = None
    ) -> None:
        self._store = store
        self._now = now
        self._decoded = decoded

    def command(self, key: VersionKey) -> Item | None:
        """The row of one version."""
        return self._live(self._store.get(COMMANDS, key.pk, key.sk))

    def data(self, key: EntityKey) -> Item | None:
        """The read model's row."""
        return self._live(self._store.get(DATA, key.pk, key.sk))

    def data_of(self, keys: Collection[EntityKey]) -> dict[EntityKey, Item | None]:
        """The read model's rows of up to 100 entities in one call; one that was not read is missing."""
        of_place = {(DATA, key.pk, key.sk): key for key in keys}
        found = self._store.get_each(list(of_place)) if keys else {}
        return {of_place[place]: self._live(row) for place, row in found.items()}

    def latest_command(self, key: EntityKey) -> Item | None:
        """The highest version in the log: one descending query, regardless of the number of versions."""
        page = self._store.query(COMMANDS, key.pk, sk_prefix=key.version_prefix, descending=True, limit=1)
        return self._live(page.items[0]) if page.items else None

    def latest(self, key: EntityKey) -> Item | None:
        """The higher of the latest command row and the data row."""
        return self.higher(self.latest_command(key), self.data(key))

    @staticmethod
    def higher(command: Item | None, data: Item | None) -> Item | None:
        """The row with the higher version; the command row if they are equal."""
        if command is None or data is None:
            return command or data
        return command if command["version"] >= data["version"] else data

    def neighbourhood(self, key: VersionKey) -> Neighbourhood:
        """Own row, predecessor and data row in one transaction."""
        return self.neighbourhoods([key])[0]

    def neighbourhoods(self, keys: Sequence[VersionKey]) -> list[Neighbourhood]:
        """The same for several entities in one transaction: at most ``MOST_TOGETHER``, and a response of 4 MB
        (DynamoDB API reference, TransactGetItems).
        """
        of = [_neighbours(key) for key in keys]
        rows = iter(self._store.get_together([one for wanted in of for one in wanted]))
        found = []
        for wanted in of:
            own, data, *prev = (self._live(next(rows)) for _ in wanted)
            found.append(Neighbourhood(own, prev[0] if prev else None, data))
        return found

    def versions(self, key: EntityKey) -> Iterator[Item]:
        """All versions in the log, in numeric order."""
        return self._all(COMMANDS, key)

    def history(self, key: EntityKey) -> Iterator[Item]:
        """Earlier states of the data row, in numeric order."""
        return self._all(HISTORY, key)

    def _all(self, table: str, key: EntityKey) -> Iterator[Item]:
        start: Item | None = None
        while True:
            page = self._store.query(table, key.pk, sk_prefix=key.version_prefix, limit=PAGE, start=start)
            yield from (row for row in map(self._live, page.items) if row is not None)
            if page.next_key is None:
                return
            start = page.next_key

    def _live(self, row: Item | None) -> Item | None:
        if row is None or is_expired(row, self._now()):
            return None
        return completed(row if self._decoded is None else self._decoded(row))


def _neighbours(key: VersionKey) -> list[tuple[str, str, str]]:
    previous = key.previous()
    keys = [(COMMANDS, key.pk, key.sk), (DATA, key.entity.pk, key.entity.sk)]
    return keys if previous is None else [*keys, (COMMANDS, previous.pk, previous.sk)]
