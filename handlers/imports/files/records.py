"""CSV records in batches, at the speed of the ``csv`` module; single records, with their lines, where needed."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from handlers.core.light_dataclasses import dataclass, field
from handlers.core.values.json_values import json_bytes
from handlers.imports.encodings import catalogue as encodings
from handlers.imports.errors import (
    EMPTY_FILE,
    FIELD_TOO_LONG,
    HEADER_TOO_LONG,
    MALFORMED_QUOTES,
    ROW_TOO_LONG,
    TOO_MANY_VALUES,
    UNCLOSED_QUOTE,
    ImportRefused,
    RowProblem,
)
from handlers.imports.files.byte_scanner import END_MARK, ScannedBytes
from handlers.imports.files.header import check_header, declared_delimiter, delimiter_of, is_of_report
from handlers.imports.files.layout import REPORT_COLUMNS, Layout
from handlers.imports.files.spreadsheet import restored

if TYPE_CHECKING:
    from handlers.imports.files.limits import CsvLimits

BATCH_ROWS = 2_048
#: The only characters of a line without values.
_BLANKS = ' \t,;|"\r\n\xa0\u3000\ufeff'


@dataclass(frozen=True)
class Batch:
    """Consecutive records, including blank ones.

    ``text``: their physical lines, including those of a malformed record after them, which ``malformed`` describes.
    ``dropped_lines``: for a report's records, the line ends in the leading columns, which are dropped.
    """

    records: list[list[str]]
    first_line: int
    text: list[str]
    malformed: str | None
    dropped_lines: list[int] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many physical lines."""
        return len(self.text)


@dataclass(frozen=True)
class Record:
    """A row of the file: ``index`` counts rows from 0, ``line`` is its first physical line, from 1.

    ``values``: one per column, padded with empty text; unchanged if there is a ``problem``. ``bytes``: at least as many
    as the row has as JSON; ``short``: whether values were absent.
    """

    index: int
    line: int
    values: list[str]
    problem: RowProblem | None
    bytes: int
    short: bool = False

    @property
    def number(self) -> int:
        """The row's number for display, from 1."""
        return self.index + 1


class RecordReader:
    """Reads the records of one CSV stream. ``header`` and ``delimiter`` are known from the start.

    A first line that declares the delimiter (``sep=;``) is one of the ``lines_before`` the header.

    A report of failed rows (``is_report``) is read like the original file: without the leading columns, and with cells
    as they were before they were made safe for spreadsheets.

    Raises:
        ImportRefused: the file is empty, its header is wrong, or a limit is exceeded; also while reading.
        UnicodeDecodeError: it isn't in this encoding; also while reading.
    """

    def __init__(self, stream: BinaryIO, encoding: str, layout: Layout, limits: CsvLimits) -> None:
        end_mark = "\x1a".encode(encoding) if encodings.is_wide(encoding) else END_MARK
        self.watched = ScannedBytes(stream, line_bytes=limits.line_bytes, end_mark=end_mark)
        self._limits = limits
        self._encoding = encoding
        self._stray = encodings.stray_in(encoding)
        # newline="": lines end with LF, CRLF or CR and keep it, so that the csv module sees values as they are.
        self._text = io.TextIOWrapper(cast(BinaryIO, self.watched), encoding=encoding, errors="strict", newline="")
        # The limit is global to the module.
        csv.field_size_limit(limits.field_chars)
        line, self.lines_before = self._first_line()
        declared = declared_delimiter(line, layout) if not self.lines_before else None
        if declared is not None:
            line, blank = self._first_line()
            self.lines_before = 1 + blank
        self.delimiter = declared or delimiter_of(line, layout)
        # The second iterator yields the lines that the reader has consumed from the first.
        read, self._lines = itertools.tee(
            itertools.chain(itertools.repeat("\n", self.lines_before), [line], self._text)
        )
        self._reader = csv.reader(read, delimiter=self.delimiter, strict=True)
        self.header = self._header()
        self._taken(0)
        self.header_lines = self._reader.line_num - self.lines_before
        self.is_report = is_of_report(self.header, layout)
        if self.is_report:
            self.header = [restored(name) for name in self.header[len(REPORT_COLUMNS) :]]
        check_header(self.header, layout, self.delimiter)

    def batches(self) -> Iterator[Batch]:
        """All records after the header."""
        while True:
            before = self._reader.line_num
            records: list[list[str]] = []
            malformed = None
            try:
                # On an error, the list keeps the records read so far.
                records.extend(itertools.islice(self._reader, BATCH_ROWS))
            except csv.Error as error:
                malformed = self._survived(error, before + 1 + sum(map(lines_in, records)))
            if not records and malformed is None:
                return
            batch = Batch(records, before + 1, self._taken(before), malformed)
            yield _of_report(batch) if self.is_report else batch

    def close(self) -> None:
        """Also close the stream."""
        self._text.close()

    def records(self) -> Iterator[Record]:
        """Single records, without blank ones."""
        index = 0
        for batch in self.batches():
            for record in examined(batch, index, self.header, self._limits):
                yield record
                index = record.index + 1

    def _first_line(self) -> tuple[str, int]:
        """The line in which the header begins, and the number of blank lines before it."""
        blank = 0
        while line := self._text.readline(self._limits.header_chars + 1):
            line = line.removeprefix("\ufeff")  # a byte order mark that the codec keeps
            if len(line) > self._limits.header_chars:
                raise ImportRefused(
                    HEADER_TOO_LONG, f"the header has more than the limit of {self._limits.header_chars} characters"
                )
            if line.strip(_BLANKS) or line.count('"') % 2:
                return line, blank
            blank += 1
        raise ImportRefused(EMPTY_FILE, "the file is empty: it has no header")

    def _taken(self, before: int) -> list[str]:
        """The lines that the reader has consumed since line ``before``."""
        lines = list(itertools.islice(self._lines, self._reader.line_num - before))
        if self._stray is not None and self._stray.search("".join(lines)):
            raise UnicodeDecodeError(self._encoding, b"", 0, 0, "a byte without a character")
        return lines

    def _header(self) -> list[str]:
        try:
            return next(record for record in self._reader if record)
        except csv.Error as error:
            self._survived(error, self.lines_before + 1)
            raise ImportRefused(MALFORMED_QUOTES, f"the header's quotes are malformed: {error}") from error

    def _survived(self, error: csv.Error, line: int) -> str:
        """The message of an error that affects one record. Raises ImportRefused: the rest is unreadable."""
        text = str(error)
        if "field limit" in text or "field larger" in text:
            raise ImportRefused(
                FIELD_TOO_LONG,
                f"line {line}: a value is longer than the limit of {self._limits.field_chars} characters; perhaps a "
                "quote is not closed",
            ) from error
        if "unexpected end of data" in text:
            raise ImportRefused(UNCLOSED_QUOTE, f"line {line}: a quote is opened and never closed") from error
        return text


def examined(batch: Batch, index: int, header: list[str], limits: CsvLimits) -> Iterator[Record]:
    """The rows of a batch one by one; ``index``: of the first."""
    line, end = batch.first_line, batch.first_line + batch.lines
    dropped = iter(batch.dropped_lines)
    for values in batch.records:
        if not is_blank(values):
            yield _examined(values, index, line, header, limits)
            index += 1
        line += lines_in(values) + next(dropped, 0)
    if batch.malformed is not None:
        yield Record(index, line, [], RowProblem(MALFORMED_QUOTES, f"malformed quotes: {batch.malformed}"), 0)
    elif line != end:
        raise AssertionError(f"lines {batch.first_line} to {end - 1}: counted {line - batch.first_line}")


def _examined(values: list[str], index: int, line: int, header: list[str], limits: CsvLimits) -> Record:
    width = len(header)
    if len(values) > width:
        message = f"{len(values)} values, but the header names {width} columns"
        return Record(index, line, values, RowProblem(TOO_MANY_VALUES, message), 0)
    short = len(values) < width
    if short:
        values = [*values, *[""] * (width - len(values))]
    # JSON needs at most six bytes per character; only few rows need an exact count.
    size = 6 * (sum(map(len, values)) + sum(map(len, header)) + width)
    if size > limits.row_bytes // 4:
        size = len(json_bytes(dict(zip(header, values, strict=True))))
    problem = None
    if size > limits.row_bytes:
        problem = RowProblem(ROW_TOO_LONG, f"the row has {size} bytes; at most {limits.row_bytes} are imported")
    return Record(index, line, values, problem, size, short)


def _of_report(batch: Batch) -> Batch:
    front = len(REPORT_COLUMNS)
    dropped = [lines_in(values[:front]) - 1 for values in batch.records]
    records = [[restored(value) for value in values[front:]] for values in batch.records]
    return Batch(records, batch.first_line, batch.text, batch.malformed, dropped)


def is_blank(values: list[str]) -> bool:
    """An empty line or spreadsheet row, which doesn't count as a row. A lone Ctrl-Z ends a DOS text."""
    return not any(map(str.strip, values)) or values == ["\x1a"]


def lines_in(values: list[str]) -> int:
    """Number of physical lines of a record, including line ends inside quoted values."""
    return 1 + sum(
        value.count("\n") + value.count("\r") - value.count("\r\n")
        for value in values
        if "\n" in value or "\r" in value
    )
