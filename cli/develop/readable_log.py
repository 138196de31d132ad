"""The functions' log for terminals: one line per entry, and tracebacks with the paths of the repository's files."""

from __future__ import annotations

import logging
import re
from typing import Any

from cli.terminal import complain
from local.functions.model import current_function

#: The path of an unpacked archive, from which functions run, before a file's path in the repository. It only matches at
#: the beginning of a word: searching from each character took minutes for a word of a megabyte.
_ARCHIVE = re.compile(r"(?<![^\s\"'])[^\s\"']*/functions/[0-9a-f]{16}/")
#: Fields that make up the key.
_KEY = ("pk", "sk")


class ReadableFormatter(logging.Formatter):
    """``12:30:05 states   ERROR   handler failed   TENANT#t1 ORDER#o1@0000000001   state=sync_data``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the traceback below it."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        key = " ".join(str(fields[name]) for name in _KEY if name in fields)
        others = " ".join(f"{name}={value}" for name, value in fields.items() if name not in (*_KEY, "raisedAt"))
        function = (current_function.get() or "").rpartition("-")[2]
        parts = [
            self.formatTime(record, "%H:%M:%S"),
            f"{function:<8}",
            f"{record.levelname:<7}",
            record.getMessage(),
            key,
            others,
        ]
        lines = ["  ".join(part for part in parts if part)]
        lines += [f"    at {place}" for place in fields.get("raisedAt", ())]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return edited_paths("\n".join(lines))


class TerminalHandler(logging.Handler):
    """Prints to standard error."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(ReadableFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        complain(self.format(record))


def edited_paths(text: str) -> str:
    """The text with paths of unpacked archives replaced by those of the repository."""
    return _ARCHIVE.sub("", text)
