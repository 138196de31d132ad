"""The pipeline's steps put together: one object for the state machine and for publish_sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.clock import Clock
from handlers.commands import status
from handlers.commands.pipeline.apply import Applier
from handlers.commands.pipeline.check_version import CheckVersion
from handlers.commands.pipeline.failure import Failure, FailureRecorder
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.commands.pipeline.sync import Synchroniser
from handlers.commands.pipeline.wait import WaitPrevCommand
from handlers.commands.policies import TtlPolicies
from handlers.commands.repository import CommandRepository
from handlers.notifications.port import Topic
from handlers.registry import Registry
from handlers.store.port import TableStore
from handlers.workflows.port import Workflows


@dataclass(frozen=True)
class PipelineOptions:
    """Configuration of the pipeline."""

    commands_table: str
    status_detail: str
    lease_seconds: int
    wait_limit_hours: int
    ttl: TtlPolicies


@dataclass(frozen=True)
class Ports:
    """Where the pipeline reaches AWS."""

    store: TableStore
    workflows: Workflows
    alarms: Topic
    clock: Clock


class Pipeline:
    """Every state of the command machine as a method. Steps that lost their claim raise LostRun."""

    def __init__(self, ports: Ports, registry: Registry, options: PipelineOptions) -> None:
        clock = ports.clock
        self._repository = CommandRepository(ports.store, clock.now)
        self._progress = Progress(ports.store, clock, lease_seconds=options.lease_seconds, detail=options.status_detail)
        self._applier = Applier(ports.store, self._repository, clock, options.ttl)
        self._synchroniser = Synchroniser(registry, self._applier, self._progress, clock)
        self.finish = Finisher(self._repository, self._progress, ports.workflows)
        self.check_version = CheckVersion(
            self._repository, self._progress, self.finish, clock, wait_limit_hours=options.wait_limit_hours
        )
        self.wait = WaitPrevCommand(self._repository, self._progress, ports.workflows)
        self.record_failure = FailureRecorder(self._repository, self._progress, ports.alarms, options.commands_table)

    def set_ttl_command(self, run: Run) -> dict[str, Any]:
        """The predecessor's ttl."""
        self._progress.enter(run, status.SET_TTL_COMMAND)
        changed = self._applier.set_ttl_of_previous(run.key)
        self._progress.leave(run, status.SET_TTL_COMMAND)
        return {"changed": changed}

    def history_copy(self, run: Run) -> dict[str, Any]:
        """The data row to history."""
        self._progress.enter(run, status.HISTORY_COPY)
        copied = self._applier.copy_to_history(run.key)
        self._progress.leave(run, status.HISTORY_COPY)
        return {"copied": copied}

    def transform_data(self, run: Run) -> list[dict[str, str]]:
        """The list of targets, which the Map goes over."""
        self._progress.enter(run, status.TRANSFORM_DATA)
        targets = self._synchroniser.targets(run.key.entity.type)
        self._progress.leave(run, status.TRANSFORM_DATA)
        return targets

    def sync_data(self, run: Run, target: str) -> dict[str, str]:
        """One target's turn."""
        return self._synchroniser.sync(run, target)

    def run_inline(self, run: Run) -> None:
        """What the machine does from ``set_ttl_command`` on, in this process (publish_sync).

        The claim must be held. A failing step is recorded like the machine's and its error raised.
        """
        try:
            self.set_ttl_command(run)
            self.history_copy(run)
            for entry in self.transform_data(run):
                self.sync_data(run, entry["target"])
            self.finish(run)
        except LostRun:
            raise
        except Exception as error:
            self._record_without_hiding(run, error)
            raise

    def _record_without_hiding(self, run: Run, error: Exception) -> None:
        try:
            self.record_failure(run, Failure.from_exception(error))
        except Exception as second:  # noqa: BLE001 - error path: the original error is the one reported
            error.add_note(f"the failure could not be recorded either: {type(second).__name__}: {second}")
