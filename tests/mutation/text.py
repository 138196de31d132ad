"""A source text by the offsets of its syntax tree, which counts bytes of UTF-8."""

from __future__ import annotations

import ast


class SourceText:
    """The text, cut by nodes."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._bytes = source.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends."""
        start = self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, end

    def of(self, node: ast.AST) -> str:
        """A node's text, in parentheses where it has several lines."""
        start, end = self.span(node)
        text = self._bytes[start:end].decode()
        return f"({text})" if "\n" in text else text

    def between(self, start: int, end: int) -> str:
        """The text between two offsets."""
        return self._bytes[start:end].decode()

    def replaced(self, start: int, end: int, new: str) -> str:
        """The whole text with a part replaced."""
        return (self._bytes[:start] + new.encode() + self._bytes[end:]).decode()

    def line_at(self, offset: int) -> int:
        """The number of the line, from 1."""
        return self._bytes.count(b"\n", 0, offset) + 1

    def lines_around(self, start: int, end: int, new: str) -> tuple[str, str]:
        """The lines that a change touches, before and after it, blanks collapsed."""
        first = self._bytes.rfind(b"\n", 0, start) + 1
        last = self._bytes.find(b"\n", end)
        last = len(self._bytes) if last < 0 else last
        before = self._bytes[first:last].decode()
        after = self.between(first, start) + new + self.between(end, last)
        return " ".join(before.split()), " ".join(after.split())
