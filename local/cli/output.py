"""What the commands print: tables, and progress as a bar on a terminal and as plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

BAR_WIDTH = 30
#: Seconds between two updates: a bar may move often, a log file shouldn't fill up.
BAR_INTERVAL = 0.1
LINE_INTERVAL = 2.0


def table(title: str, rows: Iterable[Sequence[object]], *, header: Sequence[str] | None = None) -> str:
    """Rows as an aligned text table; numbers to the right, the rest to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [[isinstance(value, int | float) for value in row] for row in rows]
    lines = [list(header)] if header else []
    widths = [max(len(row[column]) for row in [*lines, *cells]) for column in range(len((lines or cells)[0]))]
    right = [all(flags[column] for flags in numeric) for column in range(len(widths))] if numeric else []
    out = [title, "-" * len(title)]
    for row in [*lines, *cells]:
        padded = (
            cell.rjust(width) if right and right[column] else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        out.append("  " + "  ".join(padded).rstrip())
    return "\n".join(out)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


class Progress:
    """One line of progress towards a total."""

    def __init__(self, label: str, total: int, *, stream: TextIO | None = None) -> None:
        self._label = label
        self._total = max(total, 1)
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._started = self._shown_at = time.monotonic()
        self._shown = -1

    def show(self, done: int, *, last: bool = False) -> None:
        """Update, if it is time to (or it is the last time)."""
        now = time.monotonic()
        due = now - self._shown_at >= (BAR_INTERVAL if self._is_terminal else LINE_INTERVAL)
        if done == self._shown or not (due or last or done >= self._total):
            return
        self._shown_at, self._shown = now, done
        text = f"{done:,} of {self._total:,}"
        if self._is_terminal:
            filled = BAR_WIDTH * min(done, self._total) // self._total
            bar = "#" * filled + "." * (BAR_WIDTH - filled)
            self._stream.write(f"\r\x1b[K{self._label} [{bar}] {text}")
        else:
            self._stream.write(f"{self._label}: {text}, {now - self._started:.0f} s\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal:
            self._stream.write("\n")
            self._stream.flush()
