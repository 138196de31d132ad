"""Locates bytes that can't be decoded, in separate passes after reading has failed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from handlers.core.light_dataclasses import dataclass
from handlers.imports.encodings.catalogue import UTF_8, Open, is_wide, stray_in, unit_of

BLOCK = 256 * 1024
#: Length of a line, in bytes, after which the search for zero bytes stops.
LONGEST_STRETCH = 1 << 19
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Place:
    """A byte: its ``line`` and its position in it (``byte``), from 1; ``found``: a display text of the bytes there."""

    line: int
    byte: int
    found: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, byte {self.byte}: {self.found}, {self.reason}"


def first_bad(open_: Open, codec: str) -> Place | None:
    """The first byte that the encoding can't decode; None: the whole file can be decoded."""
    with open_() as stream:
        bad = _first_bad(stream, codec)
    if bad is None:
        return None
    offset, found, reason = bad
    with open_() as stream:
        line, byte = _line_of(stream, codec, offset)
    return Place(line, byte, " ".join(f"0x{one:02X}" for one in found[:4]), reason)


def zero_tail(open_: Open, codec: str | None) -> tuple[int, int, int] | None:
    """The zero characters at the end of a file: position of their first byte, from 1, its line, and number of bytes.

    None: there are none; or the encoding is unknown, and zero bytes elsewhere suggest UTF-16; or a stretch without line
    end or zero byte is so long that the file, which may be huge, isn't read further.
    """
    size = content = zeros = stretch = 0
    with open_() as stream:
        for block in blocks_of(stream):
            kept = len(block.rstrip(b"\0"))
            stretch = 0 if b"\n" in block or b"\0" in block else stretch + len(block)
            if stretch > LONGEST_STRETCH:
                return None
            content = size + kept if kept else content
            size += len(block)
            zeros += block.count(0)
    if codec is None and zeros > size - content:
        return None
    codec = codec if codec is not None and content else UTF_8
    unit = unit_of(codec)
    begin = -(-content // unit) * unit  # the last character of a text may end with a zero byte
    if size - begin < unit:
        return None
    with open_() as stream:
        line, _ = _line_of(stream, codec, begin)
    return begin + 1, line, size - begin


def blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the blocks of a stream."""
    while block := stream.read(BLOCK):
        yield block


def _first_bad(stream: BinaryIO, codec: str) -> tuple[int, bytes, str] | None:
    """Offset, bytes and reason."""
    decoder = codecs.getincrementaldecoder(codec)()
    stray = stray_in(codec)
    offset, more = 0, True
    while more:
        pending = decoder.getstate()[0]
        block = stream.read(BLOCK)
        more = bool(block)
        raw = pending + block
        try:
            text, start, error = decoder.decode(block, final=not more), len(raw), None
        except UnicodeDecodeError as raised:
            start, error = len(raw) - len(raised.object) + raised.start, raised
            text = "" if stray is None else raw[:start].decode(codec, "ignore")
        if stray is not None and (found := stray.search(text)):
            before = _bytes_before(raw, codec, found.start())
            return offset + before, raw[before : before + 1], "a byte without a character"
        if error is not None:
            return offset + start, raw[start : start + max(error.end - error.start, 1)], error.reason
        offset += len(raw) - len(decoder.getstate()[0])
    return None


def _bytes_before(raw: bytes, codec: str, index: int) -> int:
    """Number of bytes of the first ``index`` characters."""
    decoder = codecs.getincrementaldecoder(codec)()
    seen = position = 0
    while seen <= index:
        seen += len(decoder.decode(raw[position : position + 1]))
        position += 1
    return position - 1  # such a character is one byte


def _line_of(stream: BinaryIO, codec: str, offset: int) -> tuple[int, int]:
    """The line of a byte and its position there. LF, CRLF and CR end a line. Other characters contain these bytes only
    in UTF-16 and UTF-32, which are therefore decoded.
    """
    decoder = codecs.getincrementaldecoder(codec if is_wide(codec) else "latin-1")()
    line, since, left, after_return = 1, 0, offset, False
    for block in blocks_of(stream):
        text = decoder.decode(block[:left])
        left -= min(left, len(block))
        ends = list(_LINE_END.finditer(text))
        # An LF at the start may be the second half of a CRLF that was counted with the previous block.
        line += len(ends) - (after_return and text.startswith("\n"))
        since = _size(text[ends[-1].end() :], codec) if ends else since + _size(text, codec)
        after_return = text.endswith("\r") if text else after_return
        if not left:
            break
    return line, 1 + (offset if line == 1 else since)


def _size(text: str, codec: str) -> int:
    """Bytes of ``text``, which has one character per byte except in UTF-16 and UTF-32."""
    if codec.startswith("utf-16"):
        return 2 * len(text) + 2 * sum(one > "\uffff" for one in text)
    return 4 * len(text) if codec.startswith("utf-32") else len(text)
