"""The first record of a CSV file: its delimiter, and its columns against the strategy's."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence

from handlers.core.errors import shown
from handlers.imports.errors import DUPLICATE_COLUMN, MISSING_COLUMN, UNKNOWN_COLUMN, UNKNOWN_DELIMITER, ImportRefused
from handlers.imports.files.file_kinds import markup_of
from handlers.imports.files.layout import REPORT_COLUMNS, Layout

COMMA = ","
DELIMITERS = (COMMA, ";", "\t", "|")
#: Quoted by programs that quote every value.
_DECLARATION = re.compile(r"(?i:\"sep=([^\r\n])\"|sep=([^\r\n]))[,;|]*[\r\n]*")


def delimiter_of(line: str, layout: Layout) -> str:
    """The delimiter with which the header line contains the most known columns; a comma if none does."""
    known = {*layout.columns, *layout.optional}

    def matches(delimiter: str) -> int:
        return len(known & set(next(csv.reader([line], delimiter=delimiter), [])))

    # max keeps the first of equals, and the comma is the first.
    return max(DELIMITERS, key=matches)


def declared_delimiter(line: str, layout: Layout) -> str | None:
    """The delimiter declared by a first line such as ``sep=;``, as in Excel; None: it isn't such a line.

    A column of such a name is a header.

    Raises:
        ImportRefused: the delimiter isn't supported.
    """
    found = _DECLARATION.fullmatch(line)
    if found is None:
        return None
    known = {*layout.columns, *layout.optional}
    if any(known & set(next(csv.reader([line], delimiter=delimiter), [])) for delimiter in DELIMITERS):
        return None
    delimiter = found[1] or found[2]
    if delimiter not in DELIMITERS:
        raise ImportRefused(
            UNKNOWN_DELIMITER,
            f"the first line, {shown(line.strip())}, declares the delimiter {delimiter!r}; expected one of "
            f"{', '.join(map(repr, DELIMITERS))}",
        )
    return delimiter


def is_of_report(header: Sequence[str], layout: Layout) -> bool:
    """Whether a header starts with the columns of a report of failed rows and isn't the table's own."""
    if tuple(header[: len(REPORT_COLUMNS)]) != REPORT_COLUMNS:
        return False
    known = {*layout.columns, *layout.optional}
    is_the_tables = set(layout.columns) <= set(header) <= known and len(set(header)) == len(header)
    return not is_the_tables


def check_header(header: Sequence[str], layout: Layout, delimiter: str) -> None:
    """Require every column of the strategy once, and no other. Reports the finding that explains the others first.

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
