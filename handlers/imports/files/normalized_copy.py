"""The copy of a file that the Distributed Map can read safely: UTF-8 without byte order mark, comma, every row as wide
as the header, and two leading columns with the position of the row in the original.

It omits rows that are invalid or superseded by a later one: the loader records these.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handlers.imports.files.layout import LINE_COLUMN, ROW_COLUMN

if TYPE_CHECKING:
    from handlers.imports.files.records import Record

PART_BYTES = 8 * 1024 * 1024


def normalised(header: list[str], records: Iterable[Record], *, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
    """Yield the copy in parts of about ``part_bytes``; each is written before the next is created."""
    buffer = io.StringIO(newline="")
    # Quote all: before Python 3.13 a value with a lone return isn't quoted, and a reader might end the row there.
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([ROW_COLUMN, LINE_COLUMN, *map(_escaped, header)])
    for record in records:
        writer.writerow([record.number, record.line, *map(_escaped, record.values)])
        if buffer.tell() >= part_bytes:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _escaped(value: str) -> str:
    r"""The Map's reader treats a backslash before ``\``, ``"`` and the delimiter as an escape and drops all others
    (Developer Guide, "Parsing an input CSV file"), so backslashes are doubled.
    """
    return value.replace("\\", "\\\\") if "\\" in value else value
