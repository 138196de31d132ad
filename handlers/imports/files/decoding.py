"""The encoding in which a file is read: named and held to, or told by its mark, or certain by its content."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from handlers.imports.errors import UNKNOWN_ENCODING, ImportRefused
from handlers.imports.files import encodings
from handlers.imports.files.byte_scanner import ScannedBytes
from handlers.imports.files.encodings import Open
from handlers.imports.files.file_kinds import HEAD_BYTES, check_csv
from handlers.imports.files.places import first_bad

_ZEROS = (
    "the file's encoding is not certain: it has zero bytes, which no text has but in UTF-16 and UTF-32. If it is one, "
    "name UTF-16LE or UTF-16BE, or save it as UTF-8"
)
_ISO_2022 = (
    "the file's encoding is not certain: it has escape sequences of ISO-2022-JP or ISO-2022-KR, which are valid UTF-8, "
    "too. Name its encoding, or save it as UTF-8"
)

T = TypeVar("T")


def in_its_encoding(open_: Open, named: str | None, read: Callable[[str], tuple[T, ScannedBytes]]) -> T:
    """Read the whole file by ``read``, which gets the codec; twice where it turns out not to be UTF-8.

    ``named``: what the caller or the strategy says.

    Raises:
        ImportRefused: it is no CSV file, not in the encoding that is named, or not certainly in any.
    """
    with open_() as stream:
        head = stream.read(HEAD_BYTES)
    check_csv(head)
    start = encodings.encoding_of_start(head)
    if named is not None:
        return _held(open_, encodings.held_to(named, start), read)
    if start is not None:
        return _held(open_, start.codec, read)
    if b"\0" in head:
        raise ImportRefused(UNKNOWN_ENCODING, _ZEROS)
    try:
        found, watched = read(encodings.UTF_8)
    except UnicodeDecodeError:
        # Large tables that other files don't need.
        from handlers.imports.files.detection import certain_encoding

        return _held(open_, certain_encoding(open_), read)
    if watched.zeros or watched.escapes:
        raise ImportRefused(UNKNOWN_ENCODING, _ZEROS if watched.zeros else _ISO_2022)
    return found


def _held(open_: Open, codec: str, read: Callable[[str], tuple[T, ScannedBytes]]) -> T:
    try:
        return read(codec)[0]
    except UnicodeDecodeError as error:
        wider = encodings.wider_than(codec)
        perhaps = "" if wider is None else f"; perhaps it is {wider}"
        name, place = encodings.name_of(codec), first_bad(open_, codec)
        message = f"the file is not {name} throughout: {place}{perhaps}"
        raise ImportRefused(UNKNOWN_ENCODING, message) from error
