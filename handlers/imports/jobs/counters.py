"""A job's counters: in which a row counts, and when one has them all."""

from __future__ import annotations

from collections.abc import Mapping

from contract.rows import EXPECTED, LEFT
from handlers.imports.jobs import status
from handlers.imports.jobs.model import APPLIED
from handlers.imports.keys import IMPORT_SHARDS, ImportJobKey
from handlers.store.conditions import Path, absent
from handlers.store.port import IMPORT_TMP, Change, Item, Update, Write


def counter_of(row: Item) -> str:
    """The number in which a row with an outcome counts."""
    if row["status"] == status.COMPLETED:
        return "applied" if row["result"] == APPLIED else "unchanged"
    return {status.FAILED: "failed", status.SUPERSEDED: "superseded", status.CANCELLED: "cancelled"}[row["status"]]


def counting(counts: Mapping[str, int]) -> dict[Path, int]:
    """What is added to a counter: rows by outcome, which are not left to be counted any more."""
    added: dict[Path, int] = {LEFT: -sum(counts.values())}
    added.update(counts)
    return added


def expectations(key: ImportJobKey, rows: int) -> list[Write]:
    """How many rows each counter is going to count, written once: ``left`` is 0 as soon as it has them all.

    Nothing is decided by it: it only says when to look (decision 0161).
    """
    writes: list[Write] = []
    for number in range(min(rows, IMPORT_SHARDS)):
        expected = len(range(number, rows, IMPORT_SHARDS))
        change = Change(set={EXPECTED: expected}, add={LEFT: expected})
        writes.append(Update(IMPORT_TMP, *key.shard(number), change, absent(EXPECTED)))
    return writes
