"""The services that the routes use; ``handlers.entrypoints.wiring.api`` creates them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.commands.publishing.publisher import CommandPublisher
    from handlers.commands.publishing.sync_publisher import SyncPublisher
    from handlers.commands.reader import EntityReader
    from handlers.core.clock import Clock
    from handlers.imports.service import ImportService
    from handlers.objects.links import Links
    from handlers.objects.port import Objects
    from handlers.operations.alarms import Alarms
    from handlers.operations.explain import Explainer
    from handlers.operations.redrive import Redriver
    from handlers.operations.skip import Skipper
    from handlers.state_machines.histories import Histories
    from handlers.state_machines.port import ShownWorkflows
    from handlers.store.port import TableStore
    from handlers.tasks.retry import TaskOperations
    from handlers.tasks.service import TaskService
    from handlers.workflows.approvals import Approvals


@dataclass(frozen=True)
class Names:
    """Names from configuration and the application's modules. ``command_machine``: the ARN of the state machine in
    which new commands are started.
    """

    entity_types: Collection[str]
    import_tables: Collection[str]
    task_types: Collection[str]
    workflows: Collection[str]
    command_machine: str


class Services(Protocol):
    """The services of a stack."""

    @property
    def clock(self) -> Clock:
        """The clock."""
        ...

    @property
    def store(self) -> TableStore:
        """All tables."""
        ...

    @property
    def publisher(self) -> CommandPublisher:
        """Accepts commands."""
        ...

    @property
    def sync_publisher(self) -> SyncPublisher:
        """Accepts commands and applies them."""
        ...

    @property
    def reader(self) -> EntityReader:
        """Reads entities."""
        ...

    @property
    def explain(self) -> Explainer:
        """Explains what happened to an entity."""
        ...

    @property
    def skip(self) -> Skipper:
        """Skips failed commands."""
        ...

    def redriver(self, *, dry_run: bool) -> Redriver:
        """Gives failed commands a new attempt."""
        ...

    @property
    def tasks(self) -> TaskService:
        """Creates and reads tasks."""
        ...

    @property
    def task_operations(self) -> TaskOperations:
        """Retries and cancels tasks."""
        ...

    @property
    def imports(self) -> ImportService:
        """Imports."""
        ...

    @property
    def approvals(self) -> Approvals:
        """Open approvals and their decisions."""
        ...

    @property
    def workflows(self) -> ShownWorkflows:
        """The application's workflows."""
        ...

    @property
    def objects(self) -> Objects:
        """The stack's bucket."""
        ...

    @property
    def links(self) -> Links:
        """Presigned links to objects in the bucket."""
        ...

    @property
    def histories(self) -> Histories:
        """Histories of executions."""
        ...

    @property
    def alarms(self) -> Alarms:
        """The stack's alarms."""
        ...

    @property
    def names(self) -> Names:
        """Names that the routes accept."""
        ...
