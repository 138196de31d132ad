"""Timers in the order in which they are due; timers due at the same time, in the order in which they were set."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator

from local.futures import Timer

#: From this many timers on, cancelled ones are removed, which would otherwise stay until they are due.
MANY_TIMERS = 1024


class TimerQueue:
    """A heap of timers. Not thread-safe: the scheduler holds its lock where another thread may push."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._order = itertools.count()
        self._sort_out_at = MANY_TIMERS

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Timer]:
        return iter(self._heap)

    def push(self, at: float, call: Callable[[], None], background: bool) -> Timer:
        """Set a timer for ``at``, on the scheduler's clock."""
        if len(self._heap) >= self._sort_out_at:
            self._heap[:] = [one for one in self._heap if not one.cancelled]
            heapq.heapify(self._heap)
            self._sort_out_at = max(2 * len(self._heap), MANY_TIMERS)
        timer = Timer(at, next(self._order), call, background)
        heapq.heappush(self._heap, timer)
        return timer

    @property
    def next_at(self) -> float | None:
        """When the first timer is due, cancelled or not. None: there is none."""
        return self._heap[0].at if self._heap else None

    def is_due(self, now: float) -> bool:
        """Whether the first timer is due or was cancelled."""
        return bool(self._heap) and (self._heap[0].cancelled or self._heap[0].at <= now)

    def pop(self) -> Timer:
        """Remove and return the first timer."""
        return heapq.heappop(self._heap)

    def drop_cancelled(self) -> None:
        """Remove cancelled timers from the front."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)

    def keeps_alive(self) -> bool:
        """Whether any timer that isn't a background timer is set."""
        return any(not (one.background or one.cancelled) for one in self._heap)
