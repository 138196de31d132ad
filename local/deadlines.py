"""Timeouts that don't count the time in which this machine was busy with other things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from local.futures import Timer
from local.workers import HeldTime

#: The least delay that counts, and the interval at which a delayed deadline is checked again (seconds).
LEAST_S = 0.01
AGAIN_S = 0.5


class Timers(Protocol):
    """The part of the scheduler used here."""

    #: Total seconds by which the runtime has been late so far.
    lag: float

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        """See ``Scheduler.call_later``."""
        ...


class Deadline:
    """Calls ``call`` after ``seconds``, plus the time by which ``held`` or the runtime were delayed meanwhile."""

    def __init__(self, timers: Timers, seconds: float, call: Callable[[], None], held: HeldTime | None = None) -> None:
        self._timers = timers
        self._call = call
        self._held = held
        self._counted = self._total()
        self._timer = timers.call_later(seconds, self._due)

    def cancel(self) -> None:
        """Cancel the deadline; does nothing if it has passed."""
        self._timer.cancel()

    def _total(self) -> float:
        return self._timers.lag + (self._held.seconds if self._held is not None else 0.0)

    def _due(self) -> None:
        total = self._total()
        more = total - self._counted
        if more > LEAST_S:
            self._counted = total
            self._timer = self._timers.call_later(max(more, AGAIN_S), self._due)
        else:
            self._call()
