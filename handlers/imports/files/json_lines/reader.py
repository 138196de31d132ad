"""JSON Lines as a file format: each line is a JSON object, column name to value; nested values are kept.

An invalid line is a problem of that row only (decision 0215). UTF-8 only, as RFC 8259, 8.1 requires for interchange.
Each object has every required column of the strategy, perhaps optional ones, no other, no name twice, and values that
the table returns unchanged (``handlers.core.values.json_values``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from handlers.core.error_text import message_of
from handlers.core.errors import ValidationError, shown
from handlers.core.values.json_values import json_bytes, plain_value
from handlers.imports.encodings.catalogue import UTF_8, check_utf_8
from handlers.imports.errors import (
    INVALID_JSON,
    MISSING_COLUMN,
    NOT_JSON_LINES,
    ROW_TOO_LONG,
    TOO_MANY_ROWS,
    UNKNOWN_COLUMN,
    ImportRefused,
    RowProblem,
)
from handlers.imports.files.file_kinds import HEAD_BYTES, kind_of
from handlers.imports.files.inspection import BAD_ROWS, BLANK_ROWS, NO_VERSION, REPEATED_KEYS, Inspection
from handlers.imports.files.json_lines.utf8_lines import BYTE_ORDER_MARK, Line, lines_of
from handlers.imports.files.layout import LINE_COLUMN, ROW_COLUMN, Layout
from handlers.imports.files.limits import CsvLimits
from handlers.imports.files.normalized_copy import PART_BYTES
from handlers.imports.files.reader import FileRow
from handlers.imports.files.records import Record
from handlers.imports.files.repeated_keys import Key, KeyEnds, KeyScan

if TYPE_CHECKING:
    from handlers.imports.encodings.catalogue import Open

MARK = "byte order mark"
#: Whitespace in JSON, but a reader may end the line there.
RETURNS = "carriage returns"
_BLANKS = b" \t\r"
#: Without exponent, a number's JSON is at most this many times as long: ``1e125``.
_LONGER = 32


class JsonLinesReader:
    """See ``FileReader``. Files are read once for inspection, and again for their rows."""

    def inspect(
        self,
        open_: Open,
        layout: Layout,
        *,
        versioned: bool,
        encoding: str | None = None,
        limits: CsvLimits | None = None,
    ) -> Inspection:
        """Ignores the strategy's encoding, which is for its CSV files."""
        limits = limits or CsvLimits()
        if encoding is not None:
            check_utf_8(encoding)
        with open_() as stream:
            kind = kind_of(stream.read(HEAD_BYTES))
        if kind is not None:
            raise ImportRefused(NOT_JSON_LINES, f"the file is {kind[0]}, not JSON Lines")
        found = Inspection(UTF_8, "", [*layout.columns, *layout.optional])
        keys, key_of = KeyScan(found.last), _key_reader(layout)
        with open_() as stream:
            for line in lines_of(stream, limits.row_bytes):
                row = _row(line, found.rows, layout, limits)
                found.reasons.update(_reasons(line, row))
                found.bytes += line.bytes
                if row is None:
                    found.ignored += 1
                    continue
                if row.end is None:
                    keys.add(key_of(row.values), found.rows)
                found.rows += 1
                if found.rows > limits.rows:
                    raise ImportRefused(TOO_MANY_ROWS, f"the file has more than the limit of {limits.rows} rows")
        if found.last:
            found.reasons.add(REPEATED_KEYS)
        if not versioned:
            found.reasons.add(NO_VERSION)
        return found

    def rows(self, open_: Open, layout: Layout, found: Inspection, limits: CsvLimits) -> Iterator[FileRow]:
        """A row that isn't an object has no values; missing values are empty text."""
        ends, key_of = KeyEnds(found.last, layout), _key_reader(layout)
        index = 0
        with open_() as stream:
            for line in lines_of(stream, limits.row_bytes):
                row = _row(line, index, layout, limits)
                if row is None:
                    continue
                index += 1
                if found.last and row.end is None:
                    row = FileRow(row.record, row.values, ends.of(row.record, key_of(row.values)))
                yield row

    def copied(self, found: Inspection, rows: Iterable[FileRow], *, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
        """ASCII only, so that no reader can mistake the encoding, or a character for a line end."""
        part, size = [], 0
        for row in rows:
            place = {ROW_COLUMN: row.record.number, LINE_COLUMN: row.record.line}
            part.append(json.dumps({**place, **row.values}, separators=(",", ":")).encode() + b"\n")
            size += len(part[-1])
            if size >= part_bytes:
                yield b"".join(part)
                part, size = [], 0
        yield b"".join(part)


def _reasons(line: Line, row: FileRow | None) -> Iterator[str]:
    """Why the Distributed Map can't read the object itself: a single unreadable line would fail the Map."""
    if row is None:
        yield BLANK_ROWS
    elif row.end is not None:
        yield BAD_ROWS
    if line.content is not None and line.number == 1 and line.content.startswith(BYTE_ORDER_MARK):
        yield MARK
    if line.content is not None and b"\r" in line.content:
        yield RETURNS


def _row(line: Line, index: int, layout: Layout, limits: CsvLimits) -> FileRow | None:
    """The row of a line, regardless of other rows; None: it is blank."""
    content = line.content
    if content is not None:
        content = content.removeprefix(BYTE_ORDER_MARK) if line.number == 1 else content
        if not content.strip(_BLANKS):
            return None
    values, problem = _values(content, line.bytes, layout, limits)
    whole = {**dict.fromkeys((*layout.columns, *layout.optional), ""), **values}
    return FileRow(Record(index, line.number, [], problem, line.bytes), whole, problem)


def _values(
    content: bytes | None, size: int, layout: Layout, limits: CsvLimits
) -> tuple[dict[str, Any], RowProblem | None]:
    """The storable values of a row, and its problem."""
    if content is None:
        return {}, _too_long(size, limits)
    try:
        values = _object(content.decode())
    except _Invalid as invalid:
        return {}, RowProblem(INVALID_JSON, str(invalid))
    if size > limits.row_bytes // _LONGER:
        size = len(json_bytes(values))
        if size > limits.row_bytes:
            return {}, _too_long(size, limits)
    known = {*layout.columns, *layout.optional}
    kept = {name: value for name, value in values.items() if name in known}
    missing = [name for name in layout.columns if name not in values]
    if missing:
        return kept, RowProblem(MISSING_COLUMN, f"column {shown(missing[0])} of table {layout.table!r} is missing")
    for name in values:
        if name not in known:
            expected = ", ".join(map(shown, (*layout.columns, *layout.optional)))
            message = f"column {shown(name)} is not known to table {layout.table!r}; expected {expected}"
            return kept, RowProblem(UNKNOWN_COLUMN, message)
    return kept, None


def _too_long(size: int, limits: CsvLimits) -> RowProblem:
    return RowProblem(ROW_TOO_LONG, f"the row has {size} bytes; at most {limits.row_bytes} are imported")


class _Invalid(ValueError):
    """The line isn't a storable JSON object; the text says why."""


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise _Invalid(f"invalid JSON at character {error.pos + 1}: {error.msg}") from error
    except _Invalid:
        raise
    except RecursionError:
        raise _Invalid("lists and objects are nested too deeply") from None
    except ValueError:  # int() has a limit of digits
        raise _Invalid("a number has too many digits") from None
    if not isinstance(value, dict):
        raise _Invalid(f"{_KINDS[type(value)]} where a JSON object is expected")
    try:
        plain: dict[str, Any] = plain_value("", value)
    except ValidationError as error:
        raise _Invalid(message_of(error)) from error
    return plain


_KINDS = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise _Invalid(f"name {shown(twice)} is in an object more than once")
    return found


def _constant(text: str) -> Any:
    raise _Invalid(f"{text} is not JSON")


def _key_reader(layout: Layout) -> Callable[[Mapping[str, Any]], Key]:
    """A function from a row's values to its key. Non-text values are compared as JSON: 1 and "1" are the same key."""

    def text(value: Any) -> str:
        if isinstance(value, str):
            return value
        return "" if value is None else json_bytes(value).decode()

    first, *others = layout.key
    if not others:
        return lambda values: text(values[first])
    return lambda values: tuple(text(values[name]) for name in layout.key)
