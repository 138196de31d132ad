"""The functions' log for people: one line a step, and tracebacks with the paths of the files that one edits."""

from __future__ import annotations

import logging
import re
from typing import Any

from cli.terminal import complain
from local.functions.model import current_function

#: Functions run from unpacked archives: what is before the file's path in the repository. It begins where a word does:
#: a search from each character of a word of a megabyte took minutes.
_ARCHIVE = re.compile(r"(?<![^\s\"'])[^\s\"']*/functions/[0-9a-f]{16}/")
#: Fields that make up the key, or say what the line says anyway.
_KEY = ("pk", "sk")


class ReadableFormatter(logging.Formatter):
    """``12:30:05 states   ERROR   handler failed   TENANT#t1 ORDER#o1@0000000001   state=sync_data``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback below it."""
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
    """Paths of unpacked archives as those of the repository."""
    return _ARCHIVE.sub("", text)
