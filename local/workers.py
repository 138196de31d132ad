"""Worker threads for code that may block, in real time: so many calls at once, and who goes first.

Lambda adds machines when more is to do; a laptop doesn't. So calls wait here until a thread is free, and that wait is
nobody's time but this machine's: it is measured (``HeldTime``), and no timeout counts it.
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

#: Ahead of all executions: event sources and asynchronous calls, whose number at once is bounded by themselves.
FIRST = 0.0


class HeldTime:
    """How long something could not go on because this machine was busy. Several places may hold it at once.

    Args:
        now: a clock in seconds that is never set back.
    """

    __slots__ = ("_holders", "_now", "_since", "_total")

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._total = 0.0
        self._holders = 0
        self._since = 0.0

    @property
    def seconds(self) -> float:
        """So far; time in which several held it counts once."""
        return self._total + (self._now() - self._since if self._holders else 0.0)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Inside, it is held."""
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
    """At most ``size`` calls at once, on daemon threads, which never keep the process alive when a call hangs.

    All methods belong to the scheduler's thread; ``post`` runs a callable there.
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
        """A place among the calls that run: done when it is there. The lowest ``order`` gets the next one.

        ``at_once``: one more than allowed, for a call that is made by a call that runs; it must not wait for itself.
        """
        place: Future[None] = Future()
        if at_once or self._free > 0:
            self._free -= 1
            place.set_result(None)
        else:
            heapq.heappush(self._waiting, (order, next(self._order), place))
        return place

    def grow(self, by: int) -> None:
        """So many calls more (or fewer) at once from now on. Those that wait get nothing of it by that."""
        self._free += by

    def give_back(self, place: Future[None]) -> None:
        """The place is not needed, whether it is there or still waited for."""
        if place.done:
            self._next()
        else:
            place.set_result(None)  # passed over when its turn comes

    def run(self, call: Callable[[], Any], future: Future[Any]) -> None:
        """Run ``call`` on a thread, in a place that was got before; ``future`` gets the outcome."""

        def work() -> None:
            try:
                value = call()
            except BaseException as error:  # noqa: BLE001 - boundary: the error is passed on by the future
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
        """Nobody waits for this call any more: its place is free, though its thread may be stuck in it."""
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
