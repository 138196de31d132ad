"""What the scheduler deals in: values that arrive later, tasks, timers."""

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
    """A virtual run can't go on: nothing is runnable and no timer is set, but the goal isn't reached."""


class TaskKilled(BaseException):
    """Thrown into a task that is killed. Not an ``Exception``: no handler's ``except`` may swallow it."""


class Future(Generic[T]):
    """A value that arrives later. Completed on the scheduler's thread only (see ``Scheduler.post``)."""

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
        """The value, or raises the error. Only when ``done``."""
        if not self.done:
            raise RuntimeError("future is not done")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    @property
    def error(self) -> BaseException | None:
        """The error it was completed with, if any."""
        return self._error

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once done (at once if it is)."""
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
    """A running piece of work. ``future`` ends with its result or error."""

    name: str
    future: Future[Any]
    green: greenlet | None = None
    start: Callable[[], Any] | None = None
    context: contextvars.Context | None = None
    pending: BaseException | None = None
    queued: bool = False
    wake_generation: int = 0
    #: a worker thread is kept for what it executes next
    has_worker: bool = False


@dataclass(order=True)
class Timer:
    """A call planned for ``at`` (epoch seconds). Background timers don't keep a virtual run alive."""

    at: float
    order: int
    call: Callable[[], None] = field(compare=False)
    background: bool = field(compare=False, default=False)
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        """Forget the call and what it holds; harmless if it already ran. The timer itself waits until it is due."""
        self.cancelled = True
        self.call = _nothing


def _nothing() -> None:
    """What a cancelled timer would call."""
