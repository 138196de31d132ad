"""A clock that stands until it is moved."""

from __future__ import annotations


class ManualClock:
    def __init__(self, start: float = 1_767_225_600.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds
