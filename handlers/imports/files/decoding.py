"""Determines a file's encoding: named by the caller, by the byte order mark, or certain by the content."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from handlers.imports.encodings import catalogue as encodings
from handlers.imports.encodings.places import first_bad, zero_tail
from handlers.imports.errors import (
    FIELD_TOO_LONG,
    LINE_TOO_LONG,
    UNCLOSED_QUOTE,
    UNKNOWN_ENCODING,
    ZERO_BYTES,
    ImportRefused,
)
from handlers.imports.files.file_kinds import HEAD_BYTES, check_csv

if TYPE_CHECKING:
    from handlers.imports.encodings.catalogue import Open
    from handlers.imports.files.byte_scanner import ScannedBytes

_ZEROS = (
    "the file's encoding is not certain: it has zero bytes, which no text has but in UTF-16 and UTF-32. If it is one, "
    "name UTF-16LE or UTF-16BE, or save it as UTF-8"
)
_ISO_2022 = (
    "the file's encoding is not certain: it has escape sequences of ISO-2022-JP or ISO-2022-KR, which are valid UTF-8, "
    "too. Name its encoding, or save it as UTF-8"
)
#: Errors that zero bytes at the end of a file can cause.
_MAY_BE_ZEROS = (UNKNOWN_ENCODING, LINE_TOO_LONG, FIELD_TOO_LONG, UNCLOSED_QUOTE)

T = TypeVar("T")


def in_its_encoding(open_: Open, named: str | None, read: Callable[[str], tuple[T, ScannedBytes]]) -> T:
    """Read the whole file with ``read``, which takes the codec; twice if it turns out not to be UTF-8.

    ``named``: the encoding that the caller or the strategy names.

    Raises:
        ImportRefused: it isn't a CSV file, isn't in the named encoding, or has no certain encoding.
    """
    with open_() as stream:
        head = stream.read(HEAD_BYTES)
    check_csv(head)
    start = encodings.encoding_of_start(head)
    codec = encodings.held_to(named, start) if named is not None else None if start is None else start.codec
    try:
        found, watched = _read(open_, codec, head, read)
    except ImportRefused as refused:
        # Zero bytes at the end can look like an endless line, or like another encoding.
        if b"\0" in head or refused.code in _MAY_BE_ZEROS:
            _check_zero_tail(open_, codec)
        raise
    if watched.zero_tail >= encodings.unit_of(codec or encodings.UTF_8):
        _check_zero_tail(open_, codec)
    return found


def _read(
    open_: Open, codec: str | None, head: bytes, read: Callable[[str], tuple[T, ScannedBytes]]
) -> tuple[T, ScannedBytes]:
    """``codec`` None: detected from the content."""
    if codec is not None:
        return _held(open_, codec, read)
    if b"\0" in head:
        raise ImportRefused(UNKNOWN_ENCODING, _ZEROS)
    try:
        found, watched = read(encodings.UTF_8)
    except UnicodeDecodeError:
        # Large tables, needed only for files that aren't UTF-8.
        from handlers.imports.encodings.detection import certain_encoding

        found, watched = _held(open_, certain_encoding(open_), read)
    else:
        if watched.escapes:
            raise ImportRefused(UNKNOWN_ENCODING, _ISO_2022)
    if watched.zeros:
        raise ImportRefused(UNKNOWN_ENCODING, _ZEROS)
    return found, watched


def _check_zero_tail(open_: Open, codec: str | None) -> None:
    """Raises ImportRefused: the file ends with zero bytes, so it was extended but not completely written."""
    tail = zero_tail(open_, codec)
    if tail is None:
        return
    byte, line, count = tail
    what = "nothing but zero bytes" if byte == 1 else f"zero bytes from byte {byte} (line {line}) to its end"
    raise ImportRefused(
        ZERO_BYTES,
        f"the file has {what}, {count} of them: it was not written to its end, as after a crash. Make it again, or "
        "remove them if all rows are there",
    )


def _held(open_: Open, codec: str, read: Callable[[str], tuple[T, ScannedBytes]]) -> tuple[T, ScannedBytes]:
    try:
        return read(codec)
    except UnicodeDecodeError as error:
        wider = encodings.wider_than(codec)
        perhaps = "" if wider is None else f"; perhaps it is {wider}"
        name, place = encodings.name_of(codec), first_bad(open_, codec)
        message = f"the file is not {name} throughout: {place}{perhaps}"
        raise ImportRefused(UNKNOWN_ENCODING, message) from error
