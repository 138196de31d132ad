"""The first record of a CSV file: its delimiter, and its columns against the strategy's."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence

from handlers.core.errors import shown
from handlers.imports.errors import DUPLICATE_COLUMN, MISSING_COLUMN, UNKNOWN_COLUMN, ImportRefused
from handlers.imports.files.file_kinds import markup_of
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
    """Every column of the strategy once, and no other. The first finding is the one that explains the others.

    Raises:
        ImportRefused: naming the columns.
    """
    missing = [name for name in layout.columns if name not in header]
    if missing:
        several = len(missing) > 1
        raise ImportRefused(
            MISSING_COLUMN,
            f"column{'s' if several else ''} {_listed(missing)} of table {layout.table!r} "
            f"{'are' if several else 'is'} missing; the first line, read with delimiter {delimiter!r}, holds "
            f"{_listed(header)}{_why_missing(missing, header, layout, delimiter)}",
        )
    for number, name in enumerate(header, start=1):
        if not name.strip():
            raise ImportRefused(UNKNOWN_COLUMN, f"column {number} of the header has no name")
    twice = [name for index, name in enumerate(header) if name in header[:index]]
    if twice:
        raise ImportRefused(DUPLICATE_COLUMN, f"column {shown(twice[0])} is in the header more than once")
    unknown = [name for name in header if name not in layout.columns and name not in layout.optional]
    if unknown:
        raise ImportRefused(
            UNKNOWN_COLUMN,
            f"column {shown(unknown[0])} is not known to table {layout.table!r}; expected "
            f"{_listed([*layout.columns, *layout.optional])}",
        )


def _why_missing(missing: Sequence[str], header: Sequence[str], layout: Layout, delimiter: str) -> str:
    kind = markup_of(delimiter.join(header))
    if kind is not None:
        return f"; the file looks like {kind}"
    similar = {_folded(name): name for name in header}
    for name in missing:
        if _folded(name) in similar:
            return f"; {shown(similar[_folded(name)])} is not {shown(name)}"
    if not {*layout.columns, *layout.optional} & set(header):
        return "; perhaps the file has no header"
    return ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(shown(name) for name in names[:20])
    return f"{text}, ..." if len(names) > 20 else text
