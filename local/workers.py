"""Worker threads for code that may block, in real time: they limit and order concurrent calls.

Lambda scales out; a laptop can't. So calls wait here until a thread is free. This wait is due to
this machine only: it is measured (``HeldTime``), and timeouts don't count it.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from local.futures import Future

#: Before all executions: event sources and asynchronous calls, which limit their concurrency themselves.
FIRST = 0.0


class HeldTime:
    """The time for which something was delayed because this machine was busy. Several holders may overlap.

    Args:
        now: a monotonic clock, in seconds.
    """

    __slots__ = ("_holders", "_now", "_since", "_total")

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._total = 0.0
        self._holders = 0
        self._since = 0.0

    @property
    def seconds(self) -> float:
        """The time so far; overlapping time counts once."""
        return self._total + (self._now() - self._since if self._holders else 0.0)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Inside, time counts as held."""
        if not self._holders:
            self._since = self._now()
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._total += self._now() - self._since


class Workers:
    """At most ``size`` concurrent calls, on daemon threads, which don't keep the process alive if a call hangs.

    All methods must be called on the scheduler's thread; ``post`` runs a callable there.
    """

    def __init__(self, size: int, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._free = size
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Future[None]]] = []
        self._running: set[Future[Any]] = set()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0

    def place(self, order: float = FIRST, *, at_once: bool = False) -> Future[None]:
        """A place among the running calls: a future, done once it is free. The lowest ``order`` gets the next one.

        ``at_once``: exceed the limit by one, for a call made by a running call, which must not wait for itself.
        """
        place: Future[None] = Future()
        if at_once or self._free > 0:
            self._free -= 1
            place.set_result(None)
        else:
            heapq.heappush(self._waiting, (order, next(self._order), place))
        return place

    def grow(self, by: int) -> None:
        """Change the limit by this many calls from now on. This alone doesn't start waiting calls."""
        self._free += by

    def give_back(self, place: Future[None]) -> None:
        """Give up a place, whether it is free or still waited for."""
        if place.done:
            self._next()
        else:
            place.set_result(None)  # skipped when its turn comes

    def run(self, call: Callable[[], Any], future: Future[Any]) -> None:
        """Run ``call`` on a thread, in a place obtained before; ``future`` gets the outcome."""

        def work() -> None:
            try:
                value = call()
            except BaseException as error:  # noqa: BLE001 - boundary: the future passes the error on
                failure = error
                self._post(lambda: self._ended(future, lambda: future.set_exception(failure)))
            else:
                self._post(lambda: self._ended(future, lambda: future.set_result(value)))

        self._running.add(future)
        self._busy += 1
        if self._busy > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name=f"cqrs-worker-{self._threads}", daemon=True).start()
        self._jobs.put(work)

    def abandon(self, future: Future[Any]) -> None:
        """Free the place of a call that is no longer waited for, though its thread may be stuck in it."""
        if future in self._running:
            self._running.discard(future)
            self._next()

    def _ended(self, future: Future[Any], complete: Callable[[], None]) -> None:
        self._busy -= 1
        complete()
        self.abandon(future)

    def _next(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done:
                self._free -= 1
                place.set_result(None)

    def _work(self) -> None:
        while True:
            self._jobs.get()()
