"""What goes wrong in a run: drawn from a seed, or listed, so that a failing run can be made smaller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from tests.simulation.sites import ABORT, ALL_KINDS, KINDS, LONG_HANG, PERMANENT, START

_SCALE = float(2**64)


class FaultPlan(Protocol):
    """Decides the fate of each call."""

    def at(self, site: str, category: str, now: float) -> str | None:
        """The kind of fault at this site, None for none."""
        ...


@dataclass(frozen=True)
class NoFaults:
    """Nothing goes wrong."""

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        return None


@dataclass
class ListedFaults:
    """Exactly these faults: site to kind. ``met`` are those whose site was reached."""

    faults: Mapping[str, str]
    met: dict[str, str] = field(default_factory=dict)

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan. A kind that this call can't suffer is left out."""
        kind = self.faults.get(site)
        if kind is None or kind not in KINDS[category]:
            return None
        self.met[site] = kind
        return kind


@dataclass
class SeededFaults:
    """Faults with a probability each. The fate of a site depends on seed and site alone, not on the interleaving.

    Attributes:
        rates: probability per kind and call.
        until: nothing goes wrong any more from this time on, so that the system can come to rest.
        starts_throttled: StartExecution is throttled between these times.
        most_per_state: at most so many faults in all visits of one state of one command (None: unlimited).
    """

    seed: int
    rates: Mapping[str, float]
    until: float
    starts_throttled: tuple[float, float] = (0.0, 0.0)
    most_per_state: int | None = None
    met: dict[str, str] = field(default_factory=dict)
    _ladders: dict[str, tuple[tuple[float, str], ...]] = field(default_factory=dict)
    _spent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._key = self.seed.to_bytes(8, "big", signed=True)
        for category, kinds in KINDS.items():
            total, ladder = 0.0, []
            for kind in kinds:
                total += self.rates.get(kind, 0.0)
                ladder.append((total * _SCALE, kind))
            self._ladders[category] = tuple(ladder)

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        if now >= self.until:
            return None
        if category == START and self.starts_throttled[0] <= now < self.starts_throttled[1]:
            return self._meet(site, "throttle")
        ladder = self._ladders[category]
        drawn = int.from_bytes(blake2b(site.encode(), digest_size=8, key=self._key).digest(), "big")
        if drawn >= ladder[-1][0]:
            return None
        return self._meet(site, next(kind for bound, kind in ladder if drawn < bound))

    def _meet(self, site: str, kind: str) -> str | None:
        if self.most_per_state is not None:
            place = site.partition("#")[0]
            if self._spent[place] >= self.most_per_state:
                return None
            self._spent[place] += 1
        self.met[site] = kind
        return kind


def rates(total: float, *, without: Iterable[str] = ()) -> dict[str, float]:
    """The same probability for all kinds but the rarer ones, whose effects last longer."""
    rare = {ABORT: 0.15, PERMANENT: 0.3, LONG_HANG: 0.3}
    return {kind: total * rare.get(kind, 1.0) for kind in ALL_KINDS if kind not in set(without)}
