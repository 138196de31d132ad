"""CSV as the Distributed Map reads it: chunks of text to records of strings, in bounded memory.

Source: Developer Guide, "How Step Functions parses input CSV files". Not documented, and chosen here: a blank line
between others is a record with one empty field; ``\\r\\n`` ends a record as ``\\n`` does; a quote inside a field that
doesn't begin with one is an ordinary character, unless it is doubled; an unclosed quote is closed by the end of the
file. A byte order mark is part of the first header.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from local.states.errors import ITEM_READER_FAILED, StatesError

#: Largest item that can be read (guide, "ItemReader (Map)").
ITEM_BYTES = 8 * 1024 * 1024
#: Largest header (the same page).
HEADER_BYTES = 10 * 1024

_ESCAPE = re.compile(r'""|\\(.?)', re.DOTALL)


class _Patterns(NamedTuple):
    quoted: re.Pattern[str]
    plain: re.Pattern[str]
    escape: re.Pattern[str]


def csv_items(
    chunks: Iterable[bytes], delimiter: str = ",", headers: tuple[str, ...] | None = None
) -> Iterator[dict[str, str]]:
    """The records as objects: missing fields are "", fields beyond the headers are dropped.

    Raises:
        StatesError: ``States.ItemReaderFailed``: not UTF-8, a repeated header, an item or a header that is too large.
    """
    records = csv_records(lines_of(chunks), delimiter)
    if headers is None:
        headers = tuple(next(records, ()))
        if sum(len(header.encode()) for header in headers) > HEADER_BYTES:
            raise _failed(f"the CSV header exceeds {HEADER_BYTES} bytes")
    if len(set(headers)) < len(headers):
        raise _failed("CSV headers cannot contain duplicates.")
    width = len(headers)
    for record in records:
        if len(record) < width:
            record = [*record, *[""] * (width - len(record))]
        yield dict(zip(headers, record, strict=False))


def csv_records(lines: Iterator[str], delimiter: str = ",") -> Iterator[list[str]]:
    """The records of lines without their ``\\n``. Raises the same as ``csv_items``."""
    for line in lines:
        if '"' not in line and "\\" not in line:
            yield (line[:-1] if line.endswith("\r") else line).split(delimiter)
            continue
        record = _record(line, delimiter)
        while record is None:  # within quotes: the record continues
            more = list(_until_quote(lines, len(line)))
            line = "\n".join([line, *more])
            record = _record(line, delimiter, last=not more)
        yield record


def _until_quote(lines: Iterator[str], length: int) -> Iterator[str]:
    """Lines up to the next one with a quote; only that can close the field."""
    for line in lines:
        length += len(line) + 1
        _check_size(length)
        yield line
        if '"' in line:
            return


def _record(text: str, delimiter: str, *, last: bool = False) -> list[str] | None:
    """The fields of one record. None: a quote is open at the end of the text, which isn't the ``last``."""
    quoted, plain, escape = _patterns(delimiter)
    ended = text[:-1] if text.endswith("\r") else text
    fields = []
    position = 0
    while True:
        value = ""
        if ended.startswith('"', position):
            match = quoted.match(ended, position + 1)
            assert match is not None
            if match.end() >= len(ended):
                if not last:
                    return None
                fields.append(escape.sub(_literal, match.group()))
                return fields
            value, position = escape.sub(_literal, match.group()), match.end() + 1
        match = plain.match(ended, position)
        assert match is not None
        fields.append(value + escape.sub(_literal, match.group()))
        position = match.end()
        if position >= len(ended):
            return fields
        position += 1


def _literal(match: re.Match[str]) -> str:
    """A doubled quote is one quote; a backslash makes the next character literal."""
    return '"' if match.group() == '""' else match.group(1)


@lru_cache
def _patterns(delimiter: str) -> _Patterns:
    other = re.escape(delimiter)
    return _Patterns(
        re.compile(r'[^"\\]*(?:(?:""|\\.?)[^"\\]*)*', re.DOTALL),
        re.compile(rf"[^{other}\\]*(?:\\.?[^{other}\\]*)*", re.DOTALL),
        _ESCAPE,
    )


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines of UTF-8 without their ``\n``. Raises as ``csv_items``."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest = ""
    try:
        for chunk in chunks:
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from whole
            _check_size(len(rest))
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _failed(f"the object is not UTF-8: {error.reason}") from error
    if rest:
        yield rest


def _check_size(characters: int) -> None:
    if characters > ITEM_BYTES:
        raise _failed(f"an item exceeds {ITEM_BYTES} bytes")


def _failed(cause: str) -> StatesError:
    return StatesError(ITEM_READER_FAILED, cause, located=True)
