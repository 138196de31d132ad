"""Ctrl-C and SIGTERM end the process immediately.

A local run keeps nothing, so only its folder of temporary files needs cleaning up. An exception raised from the signal
handler would be the usual way, but it can be raised on any line: in a destructor, where it is printed and lost, or in a
library that catches everything.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

#: Exit codes by the shell's convention: 128 + number of the signal.
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}

_cleanups: list[Callable[[], None]] = []


def install() -> None:
    """End the process on the first signal, including one that is pending: ./cqrs blocks signals while it starts."""
    for number in SIGNALS:
        signal.signal(number, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def on_stop(cleanup: Callable[[], None]) -> None:
    """Call ``cleanup`` before the process ends by a signal. It must be quick and must not raise."""
    _cleanups.append(cleanup)


def _end(number: int, _frame: FrameType | None) -> None:
    for name in SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    for cleanup in _cleanups:
        cleanup()
    # not by print, which the signal may have interrupted
    os.write(2, b"\ncqrs: stopped\n")
    os._exit(SIGNALS[signal.Signals(number)])
