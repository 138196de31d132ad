"""The pipeline's steps in one object, for the state machine and for publish_sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from handlers.commands import status
from handlers.commands.pipeline.apply import Applier
from handlers.commands.pipeline.check_version import CheckVersion
from handlers.commands.pipeline.failing_part import naming_state
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.inline import recorded
from handlers.commands.pipeline.park import Park
from handlers.commands.pipeline.run import Progress, Run
from handlers.commands.pipeline.successor import Waker
from handlers.commands.pipeline.sync import Synchroniser
from handlers.commands.pipeline.wait import WaitPrevCommand
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.core.keys import FIRST_VERSION
from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.ports import Ports
    from handlers.commands.targets.registry import Registry
    from handlers.commands.ttl_policies import TtlPolicies
    from handlers.store.port import Item

T = TypeVar("T")


@dataclass(frozen=True)
class PipelineOptions:
    """Configuration of the pipeline. ``machine_arn``: the command state machine to start executions of."""

    commands_table: str
    machine_arn: str
    status_detail: str
    lease_seconds: int
    wait_limit_hours: int
    ttl: TtlPolicies


class Pipeline:
    """Every state of the command state machine as a method. Steps that have lost their claim raise LostRun."""

    def __init__(self, ports: Ports, attributes: AttributeStore, registry: Registry, options: PipelineOptions) -> None:
        clock = ports.clock
        self.repository = CommandRepository(ports.store, clock.now)
        self.progress = Progress(ports.store, clock, lease_seconds=options.lease_seconds, detail=options.status_detail)
        self.applier = Applier(ports.store, self.repository, clock, options.ttl)
        self.synchroniser = Synchroniser(registry, self.applier, self.progress, attributes, clock)
        self.starter = CommandStarter(ports.state_machines, options.machine_arn)
        self.waker = Waker(ports.state_machines, self.starter)
        self.finisher = Finisher(self.repository, self.progress, self.waker)
        self.check_version = CheckVersion(
            self.repository, self.progress, self.finisher, clock, wait_limit_hours=options.wait_limit_hours
        )
        self.park = Park(self.repository, self.progress)
        self.wait = WaitPrevCommand(self.repository, self.progress, ports.state_machines)
        self.record_failure = FailureRecorder(self.repository, self.progress, ports.alarms, options.commands_table)
        #: State to step, in order: the steps before the targets, which need only the run.
        self.before_targets: Mapping[str, Callable[[Run], Any]] = {
            status.SET_TTL_COMMAND: self.set_ttl_command,
            status.HISTORY_COPY: self.history_copy,
        }

    def set_ttl_command(self, run: Run) -> dict[str, Any]:
        """Set the predecessor's ttl."""
        changed = self._within(
            run,
            status.SET_TTL_COMMAND,
            lambda: self.applier.set_ttl_of_previous(run.key),
            writes=self.applier.previous_expires(run.key),
        )
        return {"changed": changed}

    def history_copy(self, run: Run) -> dict[str, Any]:
        """Copy the data row to history."""
        if run.key.version == FIRST_VERSION:  # no data row can have an earlier version
            return {"copied": self._within(run, status.HISTORY_COPY, lambda: False, writes=False)}
        copied = self._within(run, status.HISTORY_COPY, lambda: self.applier.copy_to_history(run.key), writes=True)
        return {"copied": copied}

    def transform_data(self, run: Run) -> list[dict[str, str]]:
        """List the targets, which the Map iterates over."""
        return self._within(
            run, status.TRANSFORM_DATA, lambda: self.synchroniser.targets(run.key.entity.type), writes=False
        )

    def sync_data(self, run: Run, target: str) -> dict[str, str]:
        """Deliver the command to one target."""
        with naming_state(status.SYNC_DATA):
            return self.synchroniser.sync(run, target)

    def finish(self, run: Run, outputs: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """Write DONE and wake the successor. ``outputs``: of the Map, one per target."""
        with naming_state(status.FINISH):
            return self.finisher(run, self.synchroniser.built_in_outcome(run, outputs))

    def complete_tail(self, run: Run, row: Item) -> bool:
        """Wake the successor of a DONE command, if a crash left that undone."""
        return self.finisher.complete_tail(run.key, row)

    def claim(self, run: Run, row: Item) -> Item:
        """Claim a command whose row is known, or renew the claim. Raises LostRun."""
        return self.progress.claim(run, row)

    def run_inline(self, run: Run) -> None:
        """Run the steps from ``set_ttl_command`` on in this process (publish_sync)."""
        with recorded(run, self.record_failure):
            for step in self.before_targets.values():
                step(run)
            outputs = [self.sync_data(run, entry["target"]) for entry in self.transform_data(run)]
            self.finish(run, outputs)

    def _within(self, run: Run, state: str, work: Callable[[], T], *, writes: bool) -> T:
        """Run a state's work between its entry, which renews the lease, and its exit.

        A state that writes nothing needs no claim, so it makes no call unless every state's status is written.
        """
        with naming_state(state):
            if not writes and not self.progress.shows_every_state:
                return work()
            self.progress.enter(run, state)
            result = work()
            self.progress.leave(run, state)
            return result
