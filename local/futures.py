"""Futures, tasks and timers of the scheduler."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from greenlet import greenlet

T = TypeVar("T")


class WaitTimeout(Exception):
    """``Scheduler.wait`` gave up before the future was done."""


class Stalled(Exception):
    """A virtual run can't continue: nothing is runnable and no timer is set, but the goal isn't reached."""


class TaskKilled(BaseException):
    """Raised in a task that is killed. Not an ``Exception``, so that no handler's ``except`` swallows it."""


class Future(Generic[T]):
    """A value that arrives later. It must be completed on the scheduler's thread (see ``Scheduler.post``)."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._value: T | None = None
        self._error: BaseException | None = None
        self.done = False
        self.awaited = False

    def set_result(self, value: T) -> None:
        """Complete with ``value``. The first completion wins; later ones are ignored."""
        self._complete(value, None)

    def set_exception(self, error: BaseException) -> None:
        """Complete with an error, which ``result`` raises."""
        self._complete(None, error)

    def result(self) -> T:
        """The value; raises the error if there is one. Only if ``done``."""
        if not self.done:
            raise RuntimeError("future is not done")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    @property
    def error(self) -> BaseException | None:
        """The error that it was completed with, if any."""
        return self._error

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it is done, or at once if it is already."""
        if self.done:
            callback()
        else:
            self._callbacks.append(callback)

    def _complete(self, value: T | None, error: BaseException | None) -> None:
        if self.done:
            return
        self.done, self._value, self._error = True, value, error
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


@dataclass(eq=False)
class Task:
    """A running task. ``future`` completes with its result or error."""

    name: str
    future: Future[Any]
    green: greenlet | None = None
    start: Callable[[], Any] | None = None
    context: contextvars.Context | None = None
    pending: BaseException | None = None
    queued: bool = False
    wake_generation: int = 0
    #: whether a worker thread is reserved for its next ``execute``
    has_worker: bool = False


@dataclass(order=True)
class Timer:
    """A call at ``at`` (seconds of the scheduler's clock). Background timers don't keep a virtual run alive."""

    at: float
    order: int
    call: Callable[[], None] = field(compare=False)
    background: bool = field(compare=False, default=False)
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        """Drop the call and its references; does nothing if it has run. The timer stays queued until it is due."""
        self.cancelled = True
        self.call = _nothing


def _nothing() -> None:
    """The call of a cancelled timer."""
