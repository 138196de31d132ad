"""Ctrl-C and SIGTERM: the process ends at once, whatever it is doing.

Nothing of a local run is kept, so there is nothing to wind down but its folder of temporary files. An exception raised
from the signal handler would be the usual way, but it can end up in any line: in a destructor, where it is printed and
lost, or in a library that catches everything.
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
    """End the process on the first signal, also on one that came before: ./cqrs blocks them while it starts."""
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
    # not by print: the signal may have come in the middle of one
    os.write(2, b"\ncqrs: stopped\n")
    os._exit(SIGNALS[signal.Signals(number)])
