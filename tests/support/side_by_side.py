"""Concurrency without threads, for tests: one piece after the other, and late is what the test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class InTurn:
    """Runs works in order. ``late``: names of those that don't end within their time; they are kept in ``left``."""

    def __init__(self) -> None:
        self.late: set[str] = set()
        self.left: list[Callable[[], None]] = []
        self.most_within = 0

    def run_all(self, works: Sequence[tuple[str, Callable[[], None]]], at_once: int) -> None:
        """See Concurrency."""
        for _, work in works:
            work()

    def run_within(self, works: Sequence[tuple[str, Callable[[], None]]], seconds: float) -> list[bool]:
        """See Concurrency."""
        self.most_within = max(self.most_within, len(works))
        for name, work in works:
            if name in self.late:
                self.left.append(work)
            else:
                work()
        return [name not in self.late for name, _ in works]
