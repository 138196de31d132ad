"""Rows of one file with the same key: which one counts, found with a hash a key in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handlers.imports.errors import REPEATED_KEY, RowProblem
from handlers.imports.files.layout import REJECT, Layout

if TYPE_CHECKING:
    from handlers.imports.files.records import Record

#: A key's value, or those of several columns.
Key = str | tuple[str, ...]


class KeyScan:
    """One pass over the keys. ``last``: key to the index of the last row that has it, of those that several have."""

    def __init__(self, last: dict[Key, int]) -> None:
        self._last = last
        self._seen: set[int] = set()

    def add_all(self, keys: Sequence[Key], index: int) -> None:
        """Those of consecutive rows; ``index`` is that of the first."""
        hashes = set(map(hash, keys))
        if len(hashes) == len(keys) and self._seen.isdisjoint(hashes):
            self._seen |= hashes
            return
        for offset, key in enumerate(keys):
            self.add(key, index + offset)

    def add(self, key: Key, index: int) -> None:
        """Two keys with one hash count as repeated here; each then is the last of its own, so nothing follows."""
        number = hash(key)
        if number in self._seen and not _is_empty(key):
            self._last[key] = index
        self._seen.add(number)


class KeyEnds:
    """Read the rows again: the outcome of each that follows from its key."""

    def __init__(self, last: dict[Key, int], layout: Layout) -> None:
        self._last = last
        self._rejects = layout.on_duplicate == REJECT
        self._first: dict[Key, Record] = {}

    def of(self, record: Record, key: Key) -> RowProblem | int | None:
        """The index of the row that supersedes this one, if one does; where the strategy rejects repeated keys, the
        problem of a repeat, which names the first row.
        """
        last = self._last.get(key)
        if last is None or _is_empty(key):
            return None
        if self._rejects:
            return _rejected(record, self._first.setdefault(key, record), key)
        return None if last == record.index else last


def _rejected(record: Record, first: Record, key: Key) -> RowProblem | None:
    if first.index == record.index:
        return None
    shown = key if isinstance(key, str) else " / ".join(key)
    return RowProblem(REPEATED_KEY, f"key {shown!r} is in row {first.number} (line {first.line}) already")


def _is_empty(key: Key) -> bool:
    """Rows without key are not the same row: each fails by itself."""
    return not key if isinstance(key, str) else not all(key)
