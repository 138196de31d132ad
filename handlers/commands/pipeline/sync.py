"""``transform_data`` and ``sync_data``: list a command's targets, and deliver it to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.targets import BUILT_IN
from handlers.commands import status
from handlers.commands.model import Command
from handlers.commands.pipeline.apply import APPLIED, Applier
from handlers.commands.pipeline.failing_part import naming
from handlers.core.clock import Clock, iso

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.pipeline.run import Progress, Run
    from handlers.commands.targets.registry import Registry
    from handlers.store.conditions import Path
    from handlers.store.port import Item


class Synchroniser:
    """Delivers a command to its targets and stores each outcome in ``targets.<id>``."""

    def __init__(
        self, registry: Registry, applier: Applier, progress: Progress, attributes: AttributeStore, clock: Clock
    ) -> None:
        self._registry = registry
        self._attributes = attributes
        self._applier = applier
        self._progress = progress
        self._clock = clock

    def targets(self, type_: str) -> list[dict[str, str]]:
        """The input of the Map: one entry per target, the built-in one first."""
        return [{"target": target} for target in (BUILT_IN, *self._registry.sync_targets(type_))]

    def sync(self, run: Run, target: str) -> dict[str, str]:
        """Deliver the command to one target. Raises LostRun, and the handler's errors."""
        row = self._progress.enter(run, status.SYNC_DATA)
        earlier = row["targets"].get(target)
        if earlier is not None:
            return {"target": target, "outcome": earlier["outcome"]}
        outcome = self.deliver(row, target)
        if target == BUILT_IN and not self._progress.shows_every_state:
            return {"target": target, "outcome": outcome}  # until DONE is written, the data row shows it
        self._progress.leave(run, status.SYNC_DATA, {("targets", target): self.entry(run, outcome)})
        return {"target": target, "outcome": outcome}

    def built_in_outcome(self, run: Run, outputs: Sequence[Mapping[str, Any]]) -> dict[Path, Any]:
        """From the outputs of the Map: the built-in target's outcome, which DONE stores if it isn't stored yet.

        Only this one: an update expression is limited to 4 KB (Developer Guide, "Quotas"), and there may be 200
        targets.
        """
        outcomes = {output.get("target"): output.get("outcome") for output in outputs}
        outcome = outcomes.get(BUILT_IN)
        return {} if outcome is None else {("targets", BUILT_IN): self.entry(run, outcome)}

    def entry(self, run: Run, outcome: str) -> dict[str, Any]:
        """The entry in ``targets`` for a target that has applied the command."""
        return {"outcome": outcome, "attempt": run.attempt, "at": iso(self._clock.now())}

    def deliver(self, row: Item, target: str) -> str:
        """Deliver a command's row to a target; returns the outcome. Raises the handler's errors, naming the target."""
        with naming(target):
            if target == BUILT_IN:
                return self._applier.write_data(row)
            # A handler's result is dropped on purpose: a state's output must stay small (defect S2).
            self._registry.sync_handler(target).up(Command.from_row(self._attributes.decoded(row)))
            return APPLIED
