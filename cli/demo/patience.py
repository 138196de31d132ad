"""A bound for waits of commands that only end when everything is done: nothing may hang silently."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cli.develop.errors import CommandError

#: Longer than any wait that belongs to the work: a poll of a predecessor is 5 minutes, the sweeper's round too.
STUCK_SECONDS = 900.0
#: What is still open is named, so many of it.
NAMED = 5


class Patience:
    """Ends when nothing has gone on for too long.

    Args:
        open_now: names what is still open.
        seconds: how long nothing may go on.
        clock: seconds that are never set back.
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
        """So much is done by now.

        Raises:
            CommandError: it has been no more for too long; names what is open.
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
