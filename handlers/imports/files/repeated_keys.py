"""Finds rows of one file with the same key, with one hash per key in memory."""

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
    """One pass over the keys. ``last``: repeated key to the index of the last row that has it."""

    def __init__(self, last: dict[Key, int]) -> None:
        self._last = last
        self._seen: set[int] = set()

    def add_all(self, keys: Sequence[Key], index: int) -> None:
        """Add the keys of consecutive rows; ``index``: of the first."""
        hashes = set(map(hash, keys))
        if len(hashes) == len(keys) and self._seen.isdisjoint(hashes):
            self._seen |= hashes
            return
        for offset, key in enumerate(keys):
            self.add(key, index + offset)

    def add(self, key: Key, index: int) -> None:
        """Add a key. Different keys with the same hash are recorded, too, without effect: each is its own last row."""
        number = hash(key)
        if number in self._seen and not _is_empty(key):
            self._last[key] = index
        self._seen.add(number)


class KeyEnds:
    """For a second pass over the rows: the outcome of each that follows from its key."""

    def __init__(self, last: dict[Key, int], layout: Layout) -> None:
        self._last = last
        self._rejects = layout.on_duplicate == REJECT
        self._first: dict[Key, Record] = {}

    def of(self, record: Record, key: Key) -> RowProblem | int | None:
        """The index of the row that supersedes this one, if any; if the strategy rejects repeated keys, the problem of
        a repeated row, which names the first.
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
    """Rows without a key aren't duplicates of each other: each fails separately."""
    return not key if isinstance(key, str) else not all(key)
