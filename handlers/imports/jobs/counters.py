"""A job's counters: which one a row counts in, and when one is complete."""

from __future__ import annotations

from collections.abc import Mapping

from contract.rows import EXPECTED, LEFT
from handlers.imports.jobs import status
from handlers.imports.jobs.model import APPLIED
from handlers.imports.keys import IMPORT_SHARDS, ImportJobKey
from handlers.store.conditions import Path, absent
from handlers.store.port import IMPORT_TMP, Change, Item, Update, Write


def counter_of(row: Item) -> str:
    """The name of the number in which a row with an outcome counts."""
    if row["status"] == status.COMPLETED:
        return "applied" if row["result"] == APPLIED else "unchanged"
    return {status.FAILED: "failed", status.SUPERSEDED: "superseded", status.CANCELLED: "cancelled"}[row["status"]]


def counting(counts: Mapping[str, int]) -> dict[Path, int]:
    """The increments of a counter: rows by outcome, subtracted from those that remain to be counted."""
    added: dict[Path, int] = {LEFT: -sum(counts.values())}
    added.update(counts)
    return added


def expectations(key: ImportJobKey, rows: int) -> list[Write]:
    """Write once how many rows each counter will count: ``left`` is 0 as soon as it has counted them all.

    It only triggers checks; no decision depends on it (decision 0161).
    """
    writes: list[Write] = []
    for number in range(min(rows, IMPORT_SHARDS)):
        expected = len(range(number, rows, IMPORT_SHARDS))
        change = Change(set={EXPECTED: expected}, add={LEFT: expected})
        writes.append(Update(IMPORT_TMP, *key.shard(number), change, absent(EXPECTED)))
    return writes
