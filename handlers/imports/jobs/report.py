"""The report of a job's failed rows: CSV files in the stack's bucket, safe to open in a spreadsheet."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract.objects import REPORTS
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.json_values import json_bytes
from handlers.imports.extra_values import beyond_header
from handlers.imports.files.layout import REPORT_COLUMNS
from handlers.imports.files.spreadsheet import BYTE_ORDER_MARK, line_of, neutralised
from handlers.imports.jobs import status
from handlers.imports.jobs.model import Reason
from handlers.imports.keys import IMPORT_SHARDS, ImportJobKey
from handlers.store.port import IMPORT_TMP, Item, TableStore

if TYPE_CHECKING:
    from handlers.objects.port import Objects

CSV_TYPE = "text/csv; charset=utf-8"
PART_BYTES = 8 * 1024 * 1024
#: Page size; a page has at most 1 MB in any case (API reference, Query), and all rows of the file are read.
PAGE = 1_000
#: Most error codes that a job shows, by frequency. The application may define any number of codes.
MOST_REASONS = 20


class Reasons:
    """Counts the failed rows of a file by code."""

    def __init__(self) -> None:
        self._found: dict[str, Reason] = {}

    def add(self, row: Item) -> None:
        """Count a row; rows are added in the order of the file."""
        error = row["error"]
        first = self._found.get(error["type"]) or Reason(error["type"], 0, row["number"], row["line"], error["message"])
        self._found[error["type"]] = replace(first, rows=first.rows + 1)

    def most_frequent(self) -> list[Reason]:
        """At most ``MOST_REASONS`` of them."""
        return sorted(self._found.values(), key=lambda one: (-one.rows, one.row))[:MOST_REASONS]


@dataclass(frozen=True)
class WrittenReport:
    """The keys of the objects in order, and why rows failed, the most frequent reason first."""

    keys: list[str]
    reasons: list[Reason]


def write_report(
    store: TableStore, objects: Objects, key: ImportJobKey, attempt: int, columns: Sequence[str]
) -> WrittenReport:
    """Write the failed rows in the order of the file, with its ``columns``. A repeated call writes the same."""
    keys: list[str] = []
    reasons = Reasons()

    def counted() -> Iterator[Item]:
        for row in failed_rows(store, key):
            reasons.add(row)
            yield row

    for number, part in enumerate(report_parts(counted(), columns), start=1):
        name = f"{REPORTS}{key.tenant_code}/{key.ulid}/{attempt}/failed-rows-{number:03d}.csv"
        objects.put(name, part, content_type=CSV_TYPE)
        keys.append(name)
    return WrittenReport(keys, reasons.most_frequent())


def failed_rows(store: TableStore, key: ImportJobKey) -> Iterator[Item]:
    """The failed rows of a job in the order of the file, with one page per partition in memory."""
    partitions = [_failed(store, key.shard(number)[0]) for number in range(IMPORT_SHARDS)]
    return heapq.merge(*partitions, key=lambda row: row["number"])


def report_parts(rows: Iterator[Item], columns: Sequence[str], *, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
    """The report in files of about ``part_bytes``, each with the header; values beyond the columns are appended."""
    head = BYTE_ORDER_MARK + line_of(map(neutralised, (*REPORT_COLUMNS, *columns)))
    lines: list[str] = []
    size = 0
    for row in rows:
        values: Mapping[str, Any] = row["row"]
        leading = (row["number"], row["line"], row["error"]["type"], row["error"]["message"])
        cells = (_cell(values.get(name, "")) for name in columns)
        lines.append(line_of(map(neutralised, (*leading, *cells, *beyond_header(values, len(columns))))))
        size += len(lines[-1])
        if size >= part_bytes:
            yield "".join((head, *lines)).encode()
            lines.clear()
            size = 0
    if lines:
        yield "".join((head, *lines)).encode()


def _cell(value: object) -> str:
    """Non-text values, from JSON Lines, are shown as JSON."""
    return value if isinstance(value, str) else json_bytes(value).decode()


def _failed(store: TableStore, pk: str) -> Iterator[Item]:
    start: Item | None = None
    while True:
        page = store.query(IMPORT_TMP, pk, limit=PAGE, start=start)
        yield from (row for row in page.items if row["kind"] == status.ROW and row["status"] == status.FAILED)
        if page.next_key is None:
            return
        start = page.next_key
