"""One JSON line per step, with the fields of docs/spec/infrastructure.md and never attributes or task tokens."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any

from handlers.core.values.text import visible_json

LOGGER_NAME = "cqrs.handlers"
#: How many innermost frames are logged for an error without its text.
FRAMES = 6
logger = logging.getLogger(LOGGER_NAME)


class JsonFormatter(logging.Formatter):
    """A log record as one JSON object: level, message, and the fields given to ``log_step``."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the line."""
        line: dict[str, Any] = {"level": record.levelname, "message": record.getMessage()}
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return visible_json(json.dumps(line, ensure_ascii=False, default=str))


def configure(level: str) -> None:
    """Send this package's log to standard output, which Lambda sends to the function's log group."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(level)


def log_step(message: str, *, level: int = logging.INFO, error: BaseException | None = None, **fields: Any) -> None:
    """Log one step. ``fields`` are keys, states, versions, durations: nothing that contains record data.

    ``error`` is logged with its text, which must not contain any either; see ``without_text``.
    """
    exc_info = (type(error), error, error.__traceback__) if error is not None else None
    logger.log(level, message, exc_info=exc_info, extra={"fields": fields})


class StepLogger:
    """The logger for application code: writes the same lines, subject to the stack's ``logLevel``."""

    def debug(self, message: str, **fields: Any) -> None:
        """Log one step in detail. ``fields`` as in ``log_step``."""
        log_step(message, level=logging.DEBUG, **fields)

    def info(self, message: str, **fields: Any) -> None:
        """Log one step."""
        log_step(message, **fields)

    def warning(self, message: str, **fields: Any) -> None:
        """Log a problem that doesn't need immediate attention."""
        log_step(message, level=logging.WARNING, **fields)

    def error(self, message: str, *, error: BaseException | None = None, **fields: Any) -> None:
        """Log an error; ``error`` as in ``log_step``."""
        log_step(message, level=logging.ERROR, error=error, **fields)


def without_text(error: BaseException) -> dict[str, Any]:
    """Fields for an error that may quote record data, such as the application's: its type and location."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {
        "errorType": type(error).__name__,
        "raisedAt": [f"{one.filename}:{one.lineno} {one.name}" for one in frames],
    }
