"""What happened in a run, who did it and when: kept as tuples, told as text only when something is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from tests.simulation.sites import Visit, current_visit


class Line(NamedTuple):
    """One event of the story. ``entity`` is "" for what concerns all."""

    at: float
    entity: str
    version: int
    who: str
    what: str


class Story:
    """The trace of a run."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._start = now()
        self.lines: list[Line] = []

    def note(self, what: str, *, visit: Visit | None = None, entity: str = "", version: int = 0) -> None:
        """Add an event, done by ``visit`` or else by the code that runs now, to its own entity or another."""
        visit = visit or current_visit.get(None)
        if visit is not None:
            entity, version = entity or visit.entity, version or visit.version
        self.lines.append(Line(self._now(), entity, version, "" if visit is None else visit.who, what))

    def tell(self, entity: str | None = None, *, most: int = 400) -> str:
        """The story of one entity (or of all), at most ``most`` lines from the end."""
        chosen = [line for line in self.lines if entity is None or line.entity in ("", entity)]
        left_out = len(chosen) - most
        told = [f"  ... {left_out} earlier lines"] if left_out > 0 else []
        for at, of, version, who, what in chosen[-most:]:
            subject = f"{of}@{version}" if version else of
            told.append(f"  {at - self._start:10.3f}  {subject:<10} {who:<24} {what}")
        return "\n".join(told)

    def digest(self) -> str:
        """The same for the same trace."""
        return hashlib.sha256("\n".join(map(repr, self.lines)).encode()).hexdigest()
