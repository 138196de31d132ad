"""Prints the commands' output: escapes control characters in data, and ends the command when the reader has gone."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

from handlers.core.values.text import visible_lines

FAILED = 1
#: The shell's exit code for a process that SIGPIPE ended: 128 + its number.
READER_GONE = 128 + signal.SIGPIPE


class OutputEnded(SystemExit):
    """The output can't be written any more; ``why`` is None if the reader has stopped reading (``| head``).

    It isn't an ``Exception``, so handlers of errors don't catch it.
    """

    def __init__(self, code: int, why: str | None = None) -> None:
        super().__init__(code)
        self.exit_code = code
        self.why = why


def show(text: str) -> None:
    """Print one or more lines. Data in them is already escaped (``handlers.core.values.text``); the rest is, here."""
    write(sys.stdout, f"{visible_lines(text)}\n")


def complain(text: str) -> None:
    """Print an error or a notice to standard error."""
    write(sys.stderr, f"{visible_lines(text)}\n")


def write(stream: TextIO | None, text: str) -> None:
    """Write text unchanged, and flush. Without a stream (closed when the process started) nothing is written.

    Raises:
        OutputEnded: the reader has gone, or the disk is full.
    """
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise OutputEnded(READER_GONE) from None
    except OSError as error:
        raise OutputEnded(FAILED, f"the output can't be written: {error.strerror}") from error


def ended(command: Callable[[], int]) -> int:
    """Run a command as the whole process. Returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # characters that the terminal's encoding lacks
    try:
        code = _code_of(command)
        write(sys.stdout, "")  # output of libraries, such as argparse's help, may still be in the buffer
    except OutputEnded as end:
        code = end.exit_code
        _drop(sys.stdout)
        if end.why is not None:
            with contextlib.suppress(OutputEnded):
                complain(f"cqrs: error: {end.why}")
        _drop(sys.stderr)
    return code


def _code_of(command: Callable[[], int]) -> int:
    try:
        return command()
    except OutputEnded:
        raise
    except SystemExit as asked:  # raised by argparse, after help or a wrong option
        return int(asked.code or 0)
    except Exception:  # noqa: BLE001 - boundary: the process; reported with its traceback, which may quote data
        complain(traceback.format_exc().rstrip())
        return FAILED


def _drop(stream: TextIO | None) -> None:
    """Discard the stream's buffer, which Python would flush at exit and fail.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
