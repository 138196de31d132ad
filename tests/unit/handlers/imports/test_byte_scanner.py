"""What is known of a file's bytes does not depend on where its blocks end."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.imports.errors import ImportRefused
from handlers.imports.files.byte_scanner import ScannedBytes

LINE_BYTES = 10


class Blocks(io.BytesIO):
    """A stream that answers each read with the next of its blocks."""

    def __init__(self, blocks: list[bytes]) -> None:
        super().__init__()
        self._blocks: Iterator[bytes] = iter([block for block in blocks if block])

    def read(self, size: int | None = -1, /) -> bytes:
        return next(self._blocks, b"")


def scanned(blocks: list[bytes], *, line_bytes: int = 1_000) -> ScannedBytes:
    """Read to its end."""
    stream = ScannedBytes(Blocks(blocks), line_bytes=line_bytes)
    content = b""
    while chunk := stream.read1():
        content += chunk
    assert content == b"".join(blocks)
    return stream


@given(st.lists(st.text('a\r\n\x1b$("\\\0', max_size=6).map(str.encode), max_size=6))
@example([b"(a),b\n"])
@example([b"a\rb\r", b"\nc\r\n"])
@example([b"a\x1b", b"$B"])
@example([b"a\r"])
def test_edge_20_blocks_give_the_same_result_as_the_whole(blocks: list[bytes]) -> None:
    content = b"".join(blocks)
    found = scanned(blocks)
    assert found.size == len(content)
    assert found.lone_returns == (content.count(b"\r") != content.count(b"\r\n"))
    assert found.escapes == (b"\x1b$" in content or b"\x1b(" in content)
    assert (found.quotes, found.backslashes, found.zeros) == (b'"' in content, b"\\" in content, b"\0" in content)


@pytest.mark.parametrize("before", [[], [b"a\n"], [b"a", b"b\r"]])
def test_edge_20_a_line_may_have_as_many_bytes_as_the_limit_and_no_more(before: list[bytes]) -> None:
    line = [b"x"] * LINE_BYTES
    scanned([*before, *line, b"\n"], line_bytes=LINE_BYTES)
    with pytest.raises(ImportRefused, match="longer than the limit of 10 bytes"):
        scanned([*before, *line, b"x"], line_bytes=LINE_BYTES)
