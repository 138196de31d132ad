"""``transform_data`` and ``sync_data``: which targets a command goes to, and one target's turn."""

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
    """Hands a command to its targets and keeps each outcome in ``targets.<id>``."""

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
        """One target's turn. Raises what the handler raises, or LostRun."""
        row = self._progress.enter(run, status.SYNC_DATA)
        earlier = row["targets"].get(target)
        if earlier is not None:
            return {"target": target, "outcome": earlier["outcome"]}
        outcome = self.deliver(row, target)
        if target == BUILT_IN and not self._progress.shows_every_state:
            return {"target": target, "outcome": outcome}  # the data row shows it until DONE is written
        self._progress.leave(run, status.SYNC_DATA, {("targets", target): self.entry(run, outcome)})
        return {"target": target, "outcome": outcome}

    def built_in_outcome(self, run: Run, outputs: Sequence[Mapping[str, Any]]) -> dict[Path, Any]:
        """From the outputs of the Map: what DONE stores for the built-in target where it isn't stored yet.

        Only this one: an update expression ends at 4 KB (Developer Guide, "Quotas"), and there may be 200 targets.
        """
        outcomes = {output.get("target"): output.get("outcome") for output in outputs}
        outcome = outcomes.get(BUILT_IN)
        return {} if outcome is None else {("targets", BUILT_IN): self.entry(run, outcome)}

    def entry(self, run: Run, outcome: str) -> dict[str, Any]:
        """What a row keeps of a target that has it."""
        return {"outcome": outcome, "attempt": run.attempt, "at": iso(self._clock.now())}

    def deliver(self, row: Item, target: str) -> str:
        """Hand a command's row to a target; answers the outcome. Raises what the handler raises, naming the target."""
        with naming(target):
            if target == BUILT_IN:
                return self._applier.write_data(row)
            # What a handler returns is dropped on purpose: a state's output must stay small (defect S2).
            self._registry.sync_handler(target).up(Command.from_row(self._attributes.decoded(row)))
            return APPLIED
