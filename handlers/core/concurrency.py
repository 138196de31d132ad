"""Concurrency as a collaborator: threads inside Lambda, the seeded scheduler in virtual time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Protocol

#: A name, which threads and traces show, and the function to run.
Work = tuple[str, Callable[[], None]]


class Concurrency(Protocol):
    """Runs pieces of work concurrently. Their errors are raised to the caller, if it waits for them."""

    def run_all(self, works: Sequence[Work], at_once: int) -> None:
        """Run all, at most ``at_once`` concurrently; returns when the last has ended."""
        ...

    def run_within(self, works: Sequence[Work], seconds: float) -> list[bool]:
        """Run all concurrently; returns which ended within ``seconds``. The others continue in the background."""
        ...


class Threads:
    """Daemon threads. A late one can't be stopped, and doesn't keep the process alive."""

    def run_all(self, works: Sequence[Work], at_once: int) -> None:
        """See Concurrency. Runs sequentially in the caller's own thread if that is enough."""
        if at_once == 1 or len(works) == 1:
            for _, work in works:
                work()
            return
        waiting = deque(works)

        def take_turns() -> None:
            while waiting:
                try:
                    _, work = waiting.popleft()
                except IndexError:  # another thread was faster
                    return
                work()

        threads = [_Thread(f"apply-{number}", take_turns) for number in range(min(at_once, len(works)))]
        for thread in threads:
            thread.join()
        _raise_first(threads)

    def run_within(self, works: Sequence[Work], seconds: float) -> list[bool]:
        """See Concurrency."""
        threads = [_Thread(name, work) for name, work in works]
        end = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0.0))
        ended = [not thread.is_alive() for thread in threads]
        _raise_first([thread for thread, in_time in zip(threads, ended, strict=True) if in_time])
        return ended


class _Thread(threading.Thread):
    """Starts at once, with the caller's context variables."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.error: BaseException | None = None
        self._work = work
        self._context = copy_context()
        self.start()

    def run(self) -> None:
        try:
            self._context.run(self._work)
        except BaseException as error:  # noqa: BLE001 - boundary: it is raised in the caller's thread
            self.error = error


def _raise_first(threads: Sequence[_Thread]) -> None:
    for thread in threads:
        if thread.error is not None:
            raise thread.error
