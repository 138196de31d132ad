"""``transform_data`` and ``sync_data``: which targets a command goes to, and one target's turn."""

from __future__ import annotations

from typing import Any

from handlers.clock import Clock, iso
from handlers.commands import status
from handlers.commands.model import Command
from handlers.commands.pipeline.apply import APPLIED, Applier
from handlers.commands.pipeline.run import Progress, Run
from handlers.registry import BUILT_IN_TARGET, Registry


class Synchroniser:
    """Hands a command to its targets and keeps each outcome in ``targets.<id>``."""

    def __init__(self, registry: Registry, applier: Applier, progress: Progress, clock: Clock) -> None:
        self._registry = registry
        self._applier = applier
        self._progress = progress
        self._clock = clock

    def targets(self, type_: str) -> list[dict[str, str]]:
        """The input of the Map: one entry per target, the built-in one first."""
        return [{"target": target} for target in (BUILT_IN_TARGET, *self._registry.sync_targets(type_))]

    def sync(self, run: Run, target: str) -> dict[str, str]:
        """One target's turn. Raises what the handler raises, or LostRun."""
        row = self._progress.enter(run, status.SYNC_DATA)
        earlier = row["targets"].get(target)
        if earlier is not None:
            return {"target": target, "outcome": earlier["outcome"]}
        outcome = self._apply(Command.from_row(row), target)
        entry: dict[str, Any] = {"outcome": outcome, "attempt": run.attempt, "at": iso(self._clock.now())}
        self._progress.leave(run, status.SYNC_DATA, {("targets", target): entry})
        return {"target": target, "outcome": outcome}

    def _apply(self, command: Command, target: str) -> str:
        if target == BUILT_IN_TARGET:
            return self._applier.write_data(command)
        # What a handler returns is dropped on purpose: a state's output must stay small (pitfall S2).
        self._registry.sync_handler(target).up(command)
        return APPLIED
