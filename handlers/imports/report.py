"""The report of a job's failed rows: CSV files in the stack's bucket, made to be opened in a spreadsheet."""

from __future__ import annotations

import csv
import heapq
import io
from collections.abc import Iterator, Mapping
from typing import Any

from handlers.imports import status
from handlers.keys import IMPORT_SHARDS, ImportJobKey
from handlers.objects.port import Objects
from handlers.store.port import IMPORT_TMP, Item, TableStore

CSV_TYPE = "text/csv; charset=utf-8"
PREFIX = "reports/"
PART_BYTES = 8 * 1024 * 1024
#: A page is 1 MB at most, whatever is asked for (API reference, Query); all rows of the file pass.
PAGE = 1_000
#: With one of these in front, a spreadsheet takes a cell for a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_report(store: TableStore, objects: Objects, key: ImportJobKey, attempt: int) -> list[str]:
    """Write the failed rows in the order of the file; answers the objects' keys. A repeated call writes the same."""
    keys: list[str] = []
    for number, part in enumerate(report_parts(failed_rows(store, key)), start=1):
        name = f"{PREFIX}{key.tenant_code}/{key.ulid}/{attempt}/failed-rows-{number:03d}.csv"
        objects.put(name, part, content_type=CSV_TYPE)
        keys.append(name)
    return keys


def failed_rows(store: TableStore, key: ImportJobKey) -> Iterator[Item]:
    """The failed rows of a job in the order of the file, a page of each partition in memory."""
    partitions = [_failed(store, key.shard(number)[0]) for number in range(IMPORT_SHARDS)]
    return heapq.merge(*partitions, key=lambda row: row["number"])


def report_parts(rows: Iterator[Item], *, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
    """The report in files of about ``part_bytes``, each with the header. The columns are those of the first row; what
    another one has beside stands behind them.
    """
    columns: list[str] | None = None
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    written = 0
    for row in rows:
        values: Mapping[str, Any] = row["row"]
        columns = columns or list(values)
        if not written:
            # A byte order mark lets spreadsheets read it as UTF-8.
            buffer.write("\ufeff")
            writer.writerow(map(neutralised, ("row", "line", "code", "message", *columns)))
        cells = [values.get(name, "") for name in columns]
        cells += [value for name, value in values.items() if name not in columns]  # beyond the header of the file
        told = (row["number"], row["line"], row["error"]["type"], row["error"]["message"])
        writer.writerow(map(neutralised, (*told, *cells)))
        written += 1
        if buffer.tell() >= part_bytes:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
            written = 0
    if written:
        yield buffer.getvalue().encode()


def neutralised(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe in front of what looks like one."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _failed(store: TableStore, pk: str) -> Iterator[Item]:
    start: Item | None = None
    while True:
        page = store.query(IMPORT_TMP, pk, limit=PAGE, start=start)
        yield from (row for row in page.items if row["kind"] == status.ROW and row["status"] == status.FAILED)
        if page.next_key is None:
            return
        start = page.next_key
