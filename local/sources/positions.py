"""Positions of mappings in streams, stored on disk with the records that they haven't processed yet."""

from __future__ import annotations

from local.journal import Journal
from local.sources.mappings import StreamMapping

#: Kind of journal rows: mapping's id to its position.
KIND = "position"


class Positions:
    """The positions of one deployment's mappings. Implements ``KeptPositions``."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: dict[str, int] = {row.key: row.value for row in journal.rows(KIND)}
        #: table -> id of a mapping of its stream -> its position
        self._by_table: dict[str, dict[str, int]] = {}

    def of(self, mapping: StreamMapping) -> int | None:
        """The stored position; None for a new mapping."""
        position = self._kept.get(mapping.id)
        self._table(mapping)[mapping.id] = position or 0
        return position

    def passed(self, mapping: StreamMapping, position: int) -> None:
        """Store that everything before ``position`` was processed. Records that all mappings of the table have
        processed are deleted.
        """
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
    """The table whose stream the mapping reads."""
    return mapping.stream_arn.split("/")[1]
