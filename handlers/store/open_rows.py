"""Iterates over the due rows of an ``open`` index, shard by shard, within a deadline."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from handlers.core.keys import OPEN_SHARDS
from handlers.core.light_dataclasses import dataclass, field
from handlers.core.log import log_step

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.store.port import Item, TableStore

PAGE = 100


@dataclass
class SweepReport:
    """Results of a sweep: outcomes by name, the age in seconds of the oldest open row, number of rows that raised."""

    outcomes: Counter[str] = field(default_factory=Counter)
    oldest_seconds: float = 0.0
    errors: int = 0
    complete: bool = True


class Sweep:
    """One pass over one table. ``heal(row, report)`` heals a row and returns what was done.

    ``ordinary``: outcomes that aren't logged.
    """

    def __init__(
        self,
        store: TableStore,
        table: str,
        clock: Clock,
        heal: Callable[[Item, SweepReport], str],
        ordinary: Collection[str] = (),
    ) -> None:
        self._store = store
        self._table = table
        self._clock = clock
        self._heal = heal
        self._ordinary = ordinary

    def __call__(self, deadline: float) -> SweepReport:
        """Sweep all shards; stops at ``deadline`` (epoch seconds), which ``complete`` then shows.

        A row that raises doesn't stop the others: it is logged and counted in ``errors``.
        """
        report, now = SweepReport(), self._clock.now()
        first = int(now // 60) % OPEN_SHARDS  # a different one each time, so that a short deadline starves none
        for number in range(OPEN_SHARDS):
            self._shard((first + number) % OPEN_SHARDS, int(now), deadline, report)
        return report

    def _shard(self, shard: int, until: int, deadline: float, report: SweepReport) -> None:
        start: Item | None = None
        while True:
            if self._clock.now() >= deadline:
                report.complete = False
                return
            page = self._store.due(self._table, shard, until, limit=PAGE, start=start)
            for found in page.items:
                if self._clock.now() >= deadline:
                    report.complete = False
                    return
                self._row(found, report)
            if page.next_key is None:
                return
            start = page.next_key

    def _row(self, found: Item, report: SweepReport) -> None:
        try:
            outcome = self._heal(found, report)
        except Exception as error:  # noqa: BLE001 - boundary: one row; it is logged, counted and swept again
            log_step("sweep failed", level=logging.ERROR, error=error, pk=found["pk"], sk=found["sk"])
            report.errors += 1
            return
        report.outcomes[outcome] += 1
        if outcome not in self._ordinary:
            log_step("swept", pk=found["pk"], sk=found["sk"], outcome=outcome)
