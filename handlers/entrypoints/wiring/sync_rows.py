"""Wiring of tables that publish synchronously, for the ``imports`` function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.options import TERMINAL
from handlers.commands.pipeline.apply import Applier
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import Progress
from handlers.commands.pipeline.sync import Synchroniser
from handlers.commands.publishing.applied import AppliedPublisher, InlineTargets
from handlers.commands.repository import CommandRepository
from handlers.imports.rows.sync_rows import SyncRows

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.publishing.publisher import CommandPublisher
    from handlers.commands.targets.registry import Registry
    from handlers.commands.ttl_policies import TtlPolicies
    from handlers.core.clock import Clock
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.store.port import TableStore
    from handlers.topics.port import Topic


def sync_rows(
    store: TableStore,
    clock: Clock,
    import_repository: ImportRepository,
    publisher: CommandPublisher,
    attributes: AttributeStore,
    registry: Registry,
    alarms: Topic,
    *,
    commands_table: str,
    lease_seconds: int,
    ttl: TtlPolicies,
) -> SyncRows:
    """``registry``: the targets of commands; ``commands_table``: its name in alarms."""
    repository = CommandRepository(store, clock.now)
    # Intermediate statuses would cost a call each, for a command that takes milliseconds.
    progress = Progress(store, clock, lease_seconds=lease_seconds, detail=TERMINAL)
    applier = Applier(store, repository, clock, ttl)
    targets = InlineTargets(
        progress,
        Synchroniser(registry, applier, progress, attributes, clock),
        FailureRecorder(repository, progress, alarms, commands_table),
        lease_seconds=lease_seconds,
    )
    return SyncRows(import_repository, AppliedPublisher(store, publisher, applier, clock), targets)
