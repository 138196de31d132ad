"""An operator who redrives what has failed, crashes and all, until nothing is left to redrive."""

from __future__ import annotations

from handlers.commands import status
from handlers.core.errors import TransientError
from local.functions.model import SimulatedCrash
from tests.simulation.sites import current_visit
from tests.simulation.world import SimulatedWorld

ROUND_SECONDS = 1800.0
MOST_ROUNDS = 20


class Operator:
    """Looks every half hour, ``rounds`` times. ``redrives`` counts those that were tried."""

    def __init__(self, world: SimulatedWorld, rounds: int = MOST_ROUNDS) -> None:
        self._world = world
        self._rounds = rounds
        self.redrives = 0
        world.spawn(self._run, "operator")

    def _run(self) -> None:
        redriver = self._world.redriver()
        for _ in range(self._rounds):
            self._world.scheduler.sleep(ROUND_SECONDS)
            for name, entity in sorted(self._world.watcher.entities.items()):
                if not any(status.is_failed(row) for row in entity.rows.values()):
                    continue
                current_visit.set(self._world.visit(name, 0, "operator"))
                self.redrives += 1
                try:
                    redriver.entity(entity.key)
                except (SimulatedCrash, TransientError):
                    continue  # the next round, or the sweeper, goes on
