"""Where the mappings of streams are, kept on disk with the records that they have still to deal with."""

from __future__ import annotations

from local.journal import Journal
from local.sources.mappings import StreamMapping

#: Of the journal's rows: a position by the mapping's id.
KIND = "position"


class Positions:
    """All mappings of one deployment. Implements ``KeptPositions``."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: dict[str, int] = {row.key: row.value for row in journal.rows(KIND)}
        #: table -> id of a mapping of its stream -> its position
        self._by_table: dict[str, dict[str, int]] = {}

    def of(self, mapping: StreamMapping) -> int | None:
        """Where it was; None: it is new."""
        position = self._kept.get(mapping.id)
        self._table(mapping)[mapping.id] = position or 0
        return position

    def passed(self, mapping: StreamMapping, position: int) -> None:
        """All before ``position`` was dealt with. Records that every mapping of the table has passed are dropped."""
        positions = self._table(mapping)
        if self._kept.get(mapping.id) == position:
            return
        self._kept[mapping.id] = positions[mapping.id] = position
        with self._journal.together():
            self._journal.put(KIND, mapping.id, position)
            self._journal.delete_before(f"stream {table_name(mapping)}", f"{min(positions.values()):020}")

    def _table(self, mapping: StreamMapping) -> dict[str, int]:
        return self._by_table.setdefault(table_name(mapping), {})


def table_name(mapping: StreamMapping) -> str:
    """The table that the mapping reads the stream of."""
    return mapping.stream_arn.split("/")[1]
