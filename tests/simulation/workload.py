"""Callers that publish: several at once on the same entities, with conflicts, and with crashes of their own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from handlers.commands.model import LATEST, CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.context import InvokeContext
from handlers.core.errors import TransientError, VersionConflict
from local.functions.model import SimulatedCrash
from tests.simulation.sites import current_visit
from tests.simulation.world import SimulatedWorld

CONTEXT = InvokeContext(user_id="u1", tenant_code="t1", source_ip="203.0.113.7")
#: A caller that still isn't accepted after so many tries gives up: nothing was promised.
MOST_TRIES = 40


class Workload:
    """``versions`` commands for each of the entities. The seed decides pauses, callers and how they name versions,
    for each entity by itself: one does the same when the others are left out.
    """

    def __init__(self, world: SimulatedWorld, seed: int, *, entities: Sequence[str], versions: int) -> None:
        publisher = world.publisher()
        for name in entities:
            rng = random.Random(f"{seed} {name}")
            for caller in range(1, rng.choice((1, 1, 2, 3)) + 1):
                _Caller(world, publisher, rng, name, caller, versions).spawn()


def entity_names(count: int) -> list[str]:
    """``e01`` and so on."""
    return [f"e{number:02d}" for number in range(1, count + 1)]


class _Caller:
    """A process that publishes on one entity until it has its versions."""

    def __init__(
        self,
        world: SimulatedWorld,
        publisher: CommandPublisher,
        rng: random.Random,
        name: str,
        number: int,
        versions: int,
    ) -> None:
        self._world = world
        self._publisher = publisher
        self._random = rng
        self._name = name
        self._number = number
        self._versions = versions

    def spawn(self) -> None:
        """Start it."""
        self._world.spawn(self._run, f"caller {self._name}.{self._number}")

    def _run(self) -> None:
        pause = self._random.choice((0.0, 0.0, 3.0, 60.0))
        number = 0
        while self._latest() < self._versions:
            number += 1
            if pause:
                self._world.scheduler.sleep(self._random.uniform(0.0, pause))
            with_id = self._random.random() < 0.5
            self._publish(number, f"{self._name}-{self._number}-{number}" if with_id else None)

    def _publish(self, number: int, request: str | None) -> None:
        """One request: repeated as it is after a crash if it has an id, so that it is accepted once."""
        expected = self._latest() if self._random.random() < 0.5 else LATEST
        note = "secret" * (300 if self._random.random() < 0.1 else 1)  # the longer ones go to the bucket
        attributes = {"caller": self._number, "n": number, "note": note}
        given = CommandInput("ORDER", self._name, f"v{number}", attributes, expected)
        context = replace(CONTEXT, request_id=request, user_id=f"u{self._number}")
        for _ in range(MOST_TRIES):
            current_visit.set(self._world.visit(self._name, 0, f"caller{self._number}"))
            try:
                command = self._publisher.publish_async(given, context)
            except VersionConflict:
                return
            except (SimulatedCrash, TransientError):
                if request is None:
                    return  # it may have been accepted; without an id nobody can tell, so it isn't repeated
                self._world.scheduler.sleep(self._random.uniform(0.0, 5.0))
                continue
            if command is not None and request is not None:
                self._world.watcher.answered(command.key, request)
            return

    def _latest(self) -> int:
        entity = self._world.watcher.entities.get(self._name)
        return max(entity.rows, default=0) if entity is not None else 0
