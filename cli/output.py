"""The commands' output: tables, JSON, and progress, as a bar on a terminal and as plain lines elsewhere.

Data in it is escaped, so that each row is one line whatever was stored.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from cli.pace import Pace
from cli.terminal import OutputEnded, write
from handlers.core.values.stored_names import to_stored_name
from handlers.core.values.text import visible, visible_json

BAR_WIDTH = 30
#: Maximum length of an error or a result; the JSON has all of it.
LINE_CHARS = 500
#: Seconds between updates of a bar, and of lines, which may fill a log file.
BAR_INTERVAL = 0.1
LINE_INTERVAL = 2.0
#: Seconds between updates without progress.
IDLE_INTERVAL = 10.0


def table(title: str, rows: Iterable[Sequence[object]], *, header: Sequence[str] | None = None) -> str:
    """Rows as an aligned text table: numbers right-aligned, the rest left-aligned."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [[isinstance(value, int | float) for value in row] for row in rows]
    lines = [list(header)] if header else []
    widths = [max(len(row[column]) for row in [*lines, *cells]) for column in range(len((lines or cells)[0]))]
    right = [all(flags[column] for flags in numeric) for column in range(len(widths))] if numeric else []
    shown_title = visible(title)
    out = [shown_title, "-" * len(shown_title)]
    for row in [*lines, *cells]:
        padded = (
            cell.rjust(width) if right and right[column] else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        out.append("  " + "  ".join(padded).rstrip())
    return "\n".join(out)


def one_line(text: str) -> str:
    """Text for the last column, in one line, cut to ``LINE_CHARS``."""
    line = " ".join(text.split())
    return line if len(line) <= LINE_CHARS else f"{line[: LINE_CHARS - 3]}..."


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else visible(str(value))


def as_json(value: object) -> str:
    """A result as one JSON document; field names are in camelCase, as in stored rows."""
    return visible_json(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {to_stored_name(name): _plain(entry) for name, entry in fields.items()}
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


class Progress:
    """One line of progress: amount done, total, rate and remaining time.

    If the output has been closed, the work continues without it.
    """

    def __init__(
        self,
        label: str,
        total: int | None,
        *,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``total``: None while unknown."""
        self._label = label
        self._total = None if total is None else max(total, 1)
        self._stream: TextIO | None = stream or sys.stderr
        self._is_terminal = self._stream is not None and self._stream.isatty()
        self._now = now
        self._pace = Pace()
        self._started = self._shown_at = now()
        self._shown = -1

    def show(self, done: int, *, total: int | None = None, last: bool = False) -> None:
        """Update the line if an update is due, or if it is the ``last``. ``total``: given once it is known.

        Without progress, the line is repeated from time to time to show that the command is alive.
        """
        now = self._now()
        self._pace.note(now, done)
        if total is not None:
            self._total = max(total, 1)
        since = now - self._shown_at
        due = since >= (BAR_INTERVAL if self._is_terminal else LINE_INTERVAL)
        if not (due or last or done == self._total) or (done == self._shown and since < IDLE_INTERVAL):
            return
        self._shown_at, self._shown = now, done
        text = f"{done:,}" if self._total is None else f"{done:,} of {self._total:,}"
        pace = self._pace.words(self._total)
        text = f"{text}, {pace}" if pace else text
        if self._is_terminal:
            self._write(f"\r\x1b[K{self._label} {self._bar(done)}{text}")
        else:
            self._write(f"{self._label}: {text}, {now - self._started:.0f} s\n")

    def _bar(self, done: int) -> str:
        if self._total is None:
            return ""
        filled = BAR_WIDTH * min(done, self._total) // self._total
        return f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] "

    def end(self) -> None:
        """End the line."""
        if self._is_terminal:
            self._write("\n")

    def _write(self, text: str) -> None:
        try:
            write(self._stream, text)
        except OutputEnded:
            self._stream = None
