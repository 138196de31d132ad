"""Bounds the waiting time of commands that wait for work to complete, so that nothing hangs silently."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cli.develop.errors import CommandError

#: Longer than any regular wait: polls of a predecessor and sweeps are 5 minutes apart.
STUCK_SECONDS = 900.0
#: The maximum number of open items that an error names.
NAMED = 5


class Patience:
    """Gives up after too long without progress.

    Args:
        open_now: returns the names of open items.
        seconds: the maximum time without progress.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        open_now: Callable[[], Sequence[str]],
        *,
        seconds: float = STUCK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_now = open_now
        self._seconds = seconds
        self._clock = clock
        self._last: int | None = None
        self._since = clock()

    def note(self, done: int) -> None:
        """Record the progress so far.

        Raises:
            CommandError: ``done`` hasn't changed for too long; names the open items.
        """
        if done != self._last:
            self._last, self._since = done, self._clock()
        elif self._clock() - self._since > self._seconds:
            names = list(self._open_now())
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            raise CommandError(
                f"nothing has ended for {self._seconds / 60:.0f} minutes; open: "
                f"{', '.join(names[:NAMED]) or 'no execution'}{more}"
            )
