"""Lines of a UTF-8 file, in bounded memory: LF ends a line; a return before it is part of the line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from handlers.core.light_dataclasses import dataclass
from handlers.imports.encodings.places import blocks_of
from handlers.imports.errors import UNKNOWN_ENCODING, ImportRefused

BYTE_ORDER_MARK = codecs.BOM_UTF8


@dataclass(frozen=True)
class Line:
    """A line without its end; ``number`` from 1. ``content`` is None if ``bytes`` exceeds the limit."""

    number: int
    content: bytes | None
    bytes: int


def lines_of(stream: BinaryIO, most: int) -> Iterator[Line]:
    """All lines, with content if they have at most ``most`` bytes; nothing after a final line end.

    Raises:
        ImportRefused: an invalid UTF-8 byte or a zero byte; the text names its line and position.
    """
    check = _Utf8()
    number, kept, size = 1, b"", 0
    for block in blocks_of(stream):
        check(block, number, size)
        *whole, rest = block.split(b"\n")
        for piece in whole:
            size += len(piece)
            yield Line(number, kept + piece if size <= most else None, size)
            number, kept, size = number + 1, b"", 0
        size += len(rest)
        kept = kept + rest if size <= most else b""
    check(b"", number, size, final=True)
    if size:
        yield Line(number, kept if size <= most else None, size)


class _Utf8:
    """Checks blocks. ``line``: the line in which a block begins; ``before``: bytes of that line before the block."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def __call__(self, block: bytes, line: int, before: int, *, final: bool = False) -> None:
        pending = len(self._decoder.getstate()[0])
        bad, reason = block.find(b"\0"), "a zero byte, which no text has"
        try:
            self._decoder.decode(block, final=final)
        except UnicodeDecodeError as error:
            start = error.start - pending
            if bad < 0 or start < bad:
                bad, reason = start, error.reason
                found = error.object[error.start]
                raise self._refused(block, line, before, bad, f"0x{found:02X}, {reason}") from error
        if bad >= 0:
            raise self._refused(block, line, before, bad, f"0x00, {reason}")

    @staticmethod
    def _refused(block: bytes, line: int, before: int, bad: int, found: str) -> ImportRefused:
        # A character that began in the previous block is on this line: none of its bytes is a line end.
        ahead = block[: max(bad, 0)]
        line += ahead.count(b"\n")
        since = bad - ahead.rfind(b"\n") - 1 if b"\n" in ahead else before + bad
        return ImportRefused(
            UNKNOWN_ENCODING,
            f"JSON Lines are UTF-8, and the file is not: line {line}, byte {since + 1}: {found}; save it as UTF-8",
        )
