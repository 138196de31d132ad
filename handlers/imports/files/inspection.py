"""The loader's inspection of a whole CSV file: encoding, columns, number of rows, repeated keys, and whether the
Distributed Map may read the object itself.

Batches of ordinary rows are checked at C speed; only the rows of unusual batches are checked one by one. Memory: one
batch, and a hash per key (about 85 MB for a million rows).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from handlers.core.light_dataclasses import dataclass, field
from handlers.imports.encodings import catalogue as encodings
from handlers.imports.errors import TOO_MANY_ROWS, ImportRefused, RowProblem
from handlers.imports.files.decoding import in_its_encoding
from handlers.imports.files.header import COMMA
from handlers.imports.files.limits import MAP_ROW_BYTES, CsvLimits
from handlers.imports.files.records import Batch, Record, RecordReader, examined, is_blank, lines_in
from handlers.imports.files.repeated_keys import Key, KeyEnds, KeyScan

if TYPE_CHECKING:
    from handlers.imports.encodings.catalogue import Open
    from handlers.imports.files.byte_scanner import ScannedBytes
    from handlers.imports.files.layout import Layout

NOT_UTF_8 = "not UTF-8 without byte order mark"
NOT_COMMA = "delimiter is not a comma"
BACKSLASHES = "backslashes"
LONE_RETURNS = "carriage returns without line feed"
BLANK_ROWS = "blank lines, or rows without values"
END_MARK = "Ctrl-Z at the end"
MANY_LINES = "records of several lines"
SHORT_ROWS = "rows with absent values"
BAD_ROWS = "rows that can't be read"
LARGE_ROWS = f"rows above {MAP_ROW_BYTES} bytes"
QUOTES = "quotes in values without quotes round them"
REPEATED_KEYS = "repeated keys"
REPORT = "a report of failed rows"
NO_VERSION = "the object has no version"
#: A line whose quotes enclose values or are doubled inside them. Possessive quantifiers make it linear in time.
_QUOTED_WELL = re.compile(r"""(?:(?:"(?:[^"]++|"")*+"|[^",\r\n]*+),)*+(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)[\r\n]*""")


@dataclass
class Inspection:
    """The result of an inspection. ``rows`` counts all rows, including invalid ones, but not ``ignored`` ones: blank
    lines, rows without any value, and Ctrl-Z at the end.

    ``encoding``: Python's codec. ``reasons``: why the Distributed Map can't read the object itself; none: it can.
    """

    encoding: str
    delimiter: str
    header: list[str]
    rows: int = 0
    ignored: int = 0
    bytes: int = 0
    reasons: set[str] = field(default_factory=set)
    #: Repeated key to the index of the last row that has it.
    last: dict[Key, int] = field(default_factory=dict)

    @property
    def is_direct(self) -> bool:
        """Whether the Distributed Map may read the object itself."""
        return not self.reasons

    def stored(self) -> dict[str, Any]:
        """The fields for the job's row."""
        name = encodings.name_of(self.encoding)
        rows = {"totalRows": self.rows, "ignoredRows": self.ignored}
        return {**rows, "fileEncoding": name, "columns": self.header}


def inspect(
    open_: Open, layout: Layout, *, versioned: bool, encoding: str | None = None, limits: CsvLimits | None = None
) -> Inspection:
    """Read the whole file once, or twice if it turns out not to be UTF-8.

    ``encoding``: named by the caller; without it, the strategy's applies. ``versioned``: the object has a version that
    can be read again.

    Raises:
        ImportRefused: the file can't be imported; says why.
    """
    named = layout.encoding if encoding is None else encoding
    limits = limits or CsvLimits()
    return in_its_encoding(open_, named, lambda codec: _inspected(open_, codec, layout, limits, versioned))


def records_of(
    open_: Open, layout: Layout, inspection: Inspection, *, limits: CsvLimits | None = None
) -> Iterator[tuple[Record, int | None]]:
    """The rows of an inspected file in order, each with the index of the row that supersedes it, if any.

    If the strategy rejects repeated keys, the repeated rows have a problem that names the first row.
    """
    reader = RecordReader(open_(), inspection.encoding, layout, limits or CsvLimits())
    key_of = key_reader(inspection.header, layout)
    ends = KeyEnds(inspection.last, layout)
    try:
        for record in reader.records():
            if not inspection.last or record.problem is not None:
                yield record, None
                continue
            end = ends.of(record, key_of(record.values))
            if isinstance(end, RowProblem):
                yield Record(record.index, record.line, record.values, end, record.bytes, record.short), None
            else:
                yield record, end
    finally:
        reader.close()


def key_reader(header: list[str], layout: Layout) -> Callable[[list[str]], Any]:
    """A function from a record's values to its key."""
    return itemgetter(*(header.index(name) for name in layout.key))


class _FileScan:
    """One pass over the file."""

    def __init__(self, reader: RecordReader, layout: Layout, limits: CsvLimits, found: Inspection) -> None:
        self._reader = reader
        self._limits = limits
        self._found = found
        self._key_of = key_reader(reader.header, layout)
        self._width = len(reader.header)
        self._keys = KeyScan(found.last)

    def run(self) -> None:
        found = self._found
        for batch in self._reader.batches():
            if self._reader.watched.quotes and QUOTES not in found.reasons and _has_lone_quotes(batch):
                found.reasons.add(QUOTES)
            keys = list(map(self._key_of, batch.records)) if self._is_ordinary(batch) else []
            if keys and _have_text(keys):
                self._keys.add_all(keys, found.rows)
                found.rows += len(keys)
            else:
                self._look_closely(batch)
            if found.rows > self._limits.rows:
                raise ImportRefused(TOO_MANY_ROWS, f"the file has more than the limit of {self._limits.rows} rows")

    def _is_ordinary(self, batch: Batch) -> bool:
        return (
            batch.malformed is None
            and batch.lines == len(batch.records)
            and not self._reader.watched.long_lines
            and set(map(len, batch.records)) == {self._width}
        )

    def _look_closely(self, batch: Batch) -> None:
        found = self._found
        whole = []
        index = found.rows
        for record in examined(batch, found.rows, self._reader.header, self._limits):
            index = record.index + 1
            if record.problem is not None:
                found.reasons.add(BAD_ROWS)
                continue
            whole.append(record)
            if record.short:
                found.reasons.add(SHORT_ROWS)
            if record.bytes > MAP_ROW_BYTES:
                found.reasons.add(LARGE_ROWS)
        blank = sum(map(is_blank, batch.records))
        if blank:
            found.reasons.add(BLANK_ROWS)
            found.ignored += blank
        if any(lines_in(values) > 1 for values in batch.records):
            found.reasons.add(MANY_LINES)  # the Map doesn't give the line of a row
        found.rows = index
        for record in whole:
            self._keys.add(self._key_of(record.values), record.index)


def _inspected(
    open_: Open, codec: str, layout: Layout, limits: CsvLimits, versioned: bool
) -> tuple[Inspection, ScannedBytes]:
    """Raises ImportRefused, UnicodeDecodeError."""
    reader = RecordReader(open_(), codec, layout, limits)
    try:
        found = Inspection(codec, reader.delimiter, reader.header)
        _FileScan(reader, layout, limits, found).run()
        watched = reader.watched
        found.bytes = watched.size
        found.ignored += reader.lines_before + bool(watched.end_marks)
        for reason, applies in (
            (NOT_UTF_8, codec != encodings.UTF_8),
            (NOT_COMMA, reader.delimiter != COMMA),
            (BACKSLASHES, watched.backslashes),
            (LONE_RETURNS, watched.lone_returns),
            (BLANK_ROWS, reader.lines_before > 0),
            (END_MARK, watched.end_marks > 0),
            (MANY_LINES, reader.header_lines > 1),
            (REPORT, reader.is_report),
            (REPEATED_KEYS, bool(found.last)),
            (NO_VERSION, not versioned),
        ):
            if applies:
                found.reasons.add(reason)
    finally:
        reader.close()
    return found, watched


def _has_lone_quotes(batch: Batch) -> bool:
    """The guide specifies doubled quotes inside quotes, but not a quote in an unquoted value ("Parsing an input CSV
    file"). If records and lines differ in number, the file is copied in any case.
    """
    if batch.lines != len(batch.records) or '"' not in "".join(map("".join, batch.records)):
        return False
    lines = zip(batch.records, batch.text, strict=True)
    return any('"' in "".join(values) and not _QUOTED_WELL.fullmatch(line) for values, line in lines)


def _have_text(keys: list[Any]) -> bool:
    """Whether each row has a key. A row without one may be blank."""
    if isinstance(keys[0], str):
        return all(map(str.strip, keys))
    return all(any(map(str.strip, key)) for key in keys)
