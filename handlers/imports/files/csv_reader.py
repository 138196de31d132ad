"""CSV as a file format: records by the columns of the header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from handlers.imports.extra_values import name_of_extra
from handlers.imports.files.inspection import Inspection, inspect, records_of
from handlers.imports.files.normalized_copy import normalised
from handlers.imports.files.reader import FileRow

if TYPE_CHECKING:
    from handlers.imports.encodings.catalogue import Open
    from handlers.imports.files.layout import Layout
    from handlers.imports.files.limits import CsvLimits


class CsvReader:
    """See ``FileReader``."""

    def inspect(
        self,
        open_: Open,
        layout: Layout,
        *,
        versioned: bool,
        encoding: str | None = None,
        limits: CsvLimits | None = None,
    ) -> Inspection:
        """Without ``encoding``, the strategy's applies."""
        return inspect(open_, layout, versioned=versioned, encoding=encoding, limits=limits)

    def rows(self, open_: Open, layout: Layout, found: Inspection, limits: CsvLimits) -> Iterator[FileRow]:
        """Values that can't be stored are omitted, so the report shows only the line."""
        for record, winner in records_of(open_, layout, found, limits=limits):
            end = record.problem if record.problem is not None else winner
            cells = record.values
            if 6 * sum(map(len, cells)) > limits.row_bytes and record.problem is not None:
                cells = []
            yield FileRow(record, _named(found.header, cells, layout), end)

    def copied(self, found: Inspection, rows: Iterable[FileRow]) -> Iterator[bytes]:
        """See ``normalised``."""
        return normalised(found.header, (row.record for row in rows))


def _named(header: list[str], cells: list[str], layout: Layout) -> dict[str, str]:
    """The values by column name, even of an invalid record, since the report has the same columns for all rows of a
    file. Values beyond the header's columns are named by their number.
    """
    width = len(header)
    row = row_of(header, [*cells[:width], *[""] * (width - len(cells))], layout)
    row.update((name_of_extra(number), value) for number, value in enumerate(cells[width:], start=width + 1))
    return row


def row_of(header: Sequence[str], values: Sequence[str], layout: Layout) -> dict[str, str]:
    """A record by column name; optional columns that the file doesn't have are empty."""
    row = dict.fromkeys(layout.optional, "") if layout.optional else {}
    row.update(zip(header, values, strict=True))
    return row
