"""Scans the bytes of a CSV file before decoding: counts and limits them, and detects what CSV readers differ in."""

from __future__ import annotations

import io
from typing import BinaryIO

from handlers.imports.errors import LINE_TOO_LONG, ImportRefused

_BLOCK = 256 * 1024
#: Ctrl-Z.
END_MARK = b"\x1a"


class ScannedBytes(io.BufferedIOBase):
    """A binary stream for ``io.TextIOWrapper``.

    ``size``: bytes so far. ``backslashes``, ``quotes``, ``lone_returns``: whether there were any. ``escapes``: escape
    sequences of ISO 2022, whose encodings look like ASCII to other decoders. ``zeros``: whether there were zero bytes;
    ``zero_tail``: how many of them are at the end of the last block.
    ``end_marks``: how many Ctrl-Z the file ends with, which are left out: DOS programs mark the end of a text so.
    ``long_lines``: a line of several thousand bytes may have come, so that rows have to be measured. All are known
    before the text is.
    """

    def __init__(self, stream: BinaryIO, *, line_bytes: int, end_mark: bytes = END_MARK) -> None:
        """``end_mark``: Ctrl-Z in the file's encoding; if that has several bytes, line ends can't be distinguished from
        parts of other characters.
        """
        self._stream = stream
        self._line_bytes = line_bytes
        self._end_mark = end_mark
        self._held = b""
        self._block = memoryview(b"")
        self._since_line_end = 0
        self._after_return = False
        self._after_escape = False
        self.size = self.end_marks = self.zero_tail = 0
        self.backslashes = self.quotes = self.lone_returns = self.escapes = self.zeros = False
        self.long_lines = len(end_mark) > 1

    def readable(self) -> bool:
        """Always True."""
        return True

    def close(self) -> None:
        """Also close the underlying stream."""
        self._stream.close()
        super().close()

    def read1(self, size: int | None = -1, /) -> bytes:
        """Read at most ``size`` bytes and at most one block.

        Raises:
            ImportRefused: a line has no end.
        """
        if not self._block:
            block = self._next()
            self._block = memoryview(block)
            self._watch(block)
        length = len(self._block) if size is None or size < 0 else size
        chunk = self._block[:length].tobytes()
        self._block = self._block[length:]
        self._measure(chunk)
        return chunk

    def read(self, size: int | None = -1, /) -> bytes:
        """Like ``read1``: the wrapper calls again."""
        return self.read1(size)

    def _next(self) -> bytes:
        """The next block, without a possible end mark; empty at the end."""
        while block := self._stream.read(_BLOCK):
            text = self._held + block
            end = len(text)
            while text.endswith(self._end_mark, 0, end) and len(text) - end < self._line_bytes:
                end -= len(self._end_mark)
            self._held = text[end:]
            if end:
                return text[:end]
        self.end_marks = len(self._held) // len(self._end_mark)
        return b""

    def _watch(self, block: bytes) -> None:
        self.size += len(block)
        if not self.backslashes:
            self.backslashes = b"\\" in block
        if not self.quotes:
            self.quotes = b'"' in block
        if not self.zeros:
            self.zeros = b"\0" in block
        if block:
            self.zero_tail = len(block) - len(block.rstrip(b"\0"))
        if not self.escapes and (self._after_escape or b"\x1b" in block):
            self.escapes = b"\x1b$" in block or b"\x1b(" in block or (self._after_escape and block[:1] in (b"$", b"("))
            self._after_escape = block.endswith(b"\x1b")
        if not self.lone_returns and (self._after_return or b"\r" in block):
            text = b"\r" + block if self._after_return else block
            self._after_return = block.endswith(b"\r")
            inner = text[:-1] if self._after_return else text
            # A lone return at the end of the file counts, too: the block is empty then.
            self.lone_returns = inner.count(b"\r") != inner.count(b"\r\n")

    def _measure(self, chunk: bytes) -> None:
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        if last >= 0:
            self._since_line_end = len(chunk) - last - 1
            return
        self._since_line_end += len(chunk)
        self.long_lines = self.long_lines or bool(chunk)
        if self._since_line_end > self._line_bytes:
            raise ImportRefused(LINE_TOO_LONG, f"a line is longer than the limit of {self._line_bytes} bytes")
