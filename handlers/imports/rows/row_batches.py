"""Writes new rows of a job's file, many per transaction, and counts those with an outcome from the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from handlers.core.values.json_values import json_bytes
from handlers.imports.jobs import status
from handlers.imports.jobs.counters import counter_of, counting
from handlers.imports.jobs.model import job_key_of
from handlers.imports.keys import IMPORT_SHARDS, ImportRowKey
from handlers.store.conditions import absent
from handlers.store.port import IMPORT_TMP, Change, Item, Put, TransactionFailed, Update, Write

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository

#: A transaction has at most 100 writes (API reference, TransactWriteItems), and up to 16 of them are counters.
MOST_ROWS = 100 - IMPORT_SHARDS
#: And at most 4 MB; a character has at most four bytes.
MOST_CHARACTERS = 750_000


class RowBatches:
    """Writes rows idempotently: a row counts once."""

    def __init__(self, repository: ImportRepository) -> None:
        self._repository = repository

    def write(self, rows: Sequence[Item]) -> int:
        """Write rows; existing ones are unchanged. Returns how many are new."""
        return sum(self._transact(part) for part in _parts(rows))

    def _transact(self, rows: list[Item]) -> int:
        """Omits rows that another call has already written, so that they count once."""
        while rows:
            try:
                self._repository.transact(writes_of(rows))
            except TransactionFailed as error:
                refused = {index for index in error.failed if index < len(rows)}
                if not refused:
                    raise  # the job has no counters
                rows = [row for index, row in enumerate(rows) if index not in refused]
            else:
                return len(rows)
        return 0


def writes_of(rows: Sequence[Item]) -> list[Write]:
    """The rows, followed by one update of each counter in which they count."""
    return [*(Put(IMPORT_TMP, row, absent("pk")) for row in rows), *_counts(rows)]


def _counts(rows: Iterable[Item]) -> Iterator[Write]:
    shards: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        job = job_key_of(row) if status.is_terminal(row) else None
        if job is not None:
            index = ImportRowKey.parse(row["pk"], row["sk"]).index
            assert index is not None
            counts = shards.setdefault(job.shard(index % IMPORT_SHARDS), {})
            counts[counter_of(row)] = counts.get(counter_of(row), 0) + 1
    return (Update(IMPORT_TMP, pk, sk, Change(add=counting(counts))) for (pk, sk), counts in shards.items())


def _characters(value: object) -> int:
    return len(value) if isinstance(value, str) else len(json_bytes(value))


def _parts(rows: Iterable[Item]) -> Iterator[list[Item]]:
    part: list[Item] = []
    size = 0
    for row in rows:
        characters = sum(map(_characters, row["row"].values()))
        if part and (len(part) == MOST_ROWS or size + characters > MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(row)
        size += characters
    if part:
        yield part
