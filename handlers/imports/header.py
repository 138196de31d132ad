"""The first record of a CSV file: its delimiter, and its columns against the strategy's."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from handlers.errors import shown
from handlers.imports.errors import DUPLICATE_COLUMN, MISSING_COLUMN, UNKNOWN_COLUMN, ImportRefused
from handlers.imports.strategy import REPORT_COLUMNS, Layout

COMMA = ","
DELIMITERS = (COMMA, ";", "\t", "|")


def delimiter_of(line: str, layout: Layout) -> str:
    """The delimiter under which a header's line names most of the columns; a comma when none does."""
    known = {*layout.columns, *layout.optional}

    def matches(delimiter: str) -> int:
        return len(known & set(next(csv.reader([line], delimiter=delimiter), [])))

    # max keeps the first of equals, and the comma is the first.
    return max(DELIMITERS, key=matches)


def is_of_report(header: Sequence[str], layout: Layout) -> bool:
    """Whether a header begins with the columns of a report of failed rows, and not with the table's own."""
    if tuple(header[: len(REPORT_COLUMNS)]) != REPORT_COLUMNS:
        return False
    known = {*layout.columns, *layout.optional}
    is_the_tables = set(layout.columns) <= set(header) <= known and len(set(header)) == len(header)
    return not is_the_tables


def check_header(header: Sequence[str], layout: Layout, delimiter: str) -> None:
    """Every column of the strategy once, and no other.

    Raises:
        ImportRefused: naming the columns.
    """
    twice = [name for index, name in enumerate(header) if name in header[:index]]
    if twice:
        raise ImportRefused(DUPLICATE_COLUMN, f"column {shown(twice[0])} is in the header more than once")
    missing = [name for name in layout.columns if name not in header]
    unknown = [name for name in header if name not in layout.columns and name not in layout.optional]
    if missing:
        raise ImportRefused(
            MISSING_COLUMN,
            f"column{'s' if len(missing) > 1 else ''} {_listed(missing)} of table {layout.table!r} "
            f"{'are' if len(missing) > 1 else 'is'} missing; the header, read with delimiter {delimiter!r}, has "
            f"{_listed(header)}",
        )
    if unknown:
        raise ImportRefused(
            UNKNOWN_COLUMN,
            f"column {shown(unknown[0])} is not known to table {layout.table!r}; expected "
            f"{_listed([*layout.columns, *layout.optional])}",
        )


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(shown(name) for name in names[:20])
    return f"{text}, ..." if len(names) > 20 else text
