"""Rate of progress and remaining time."""

from __future__ import annotations

from collections import deque

#: The rate is computed from this many seconds.
WINDOW_SECONDS = 60.0
MINUTE, HOUR = 60, 3_600


class Pace:
    """Computes the rate from samples of progress. Times are in seconds of any monotonic clock."""

    def __init__(self, *, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, moment: float, done: int) -> None:
        """Add a sample: the amount done at a moment."""
        self._seen.append((moment, done))
        while len(self._seen) > 2 and self._seen[1][0] <= moment - self._window:
            self._seen.popleft()

    @property
    def per_second(self) -> float | None:
        """The rate; None while unknown."""
        if len(self._seen) < 2 or self._seen[-1][0] <= self._seen[0][0]:
            return None
        (first, before), (last, now) = self._seen[0], self._seen[-1]
        return (now - before) / (last - first)

    def words(self, total: int | None) -> str:
        """``25 a second, about 6 min left``; empty while unknown."""
        return pace_words(self.per_second, None if total is None or not self._seen else total - self._seen[-1][1])


def pace_words(per_second: float | None, left: int | None) -> str:
    """The rate, and the time for what is ``left`` (None: unknown)."""
    if per_second is None:
        return ""
    rate = f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.1f}"
    if left is None or left <= 0 or per_second <= 0:
        return f"{rate} a second"
    return f"{rate} a second, about {duration(left / per_second)} left"


def duration(seconds: float) -> str:
    """``40 s``, ``6 min``, ``3 h 20 min``."""
    if seconds < MINUTE:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / MINUTE)
    return f"{minutes} min" if seconds < HOUR else f"{minutes // 60} h {minutes % 60} min"
