"""Collaborators for the application's classes, created at first use: the same set in every function.

Those that no class takes are neither loaded nor created.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from contract.collaborators import CLOCK, LOGGER, OBJECTS, PUBLISHER, READER, SECRETS, STORE, WORKFLOWS
from contract.tables import COMMANDS, DATA, HISTORY

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.core.clock import Clock
    from handlers.entrypoints.wiring.settings import ApplicationSettings
    from handlers.objects.port import Objects
    from handlers.secrets.port import Secrets
    from handlers.state_machines.port import CustomWorkflows
    from handlers.store.port import TableStore

#: ``source`` of the commands that the application's code publishes.
SOURCE = "application"


def application_tables(settings: ApplicationSettings) -> dict[str, str]:
    """The tables that application code may read, by their logical names."""
    return {COMMANDS: settings.commands_table, DATA: settings.data_table, HISTORY: settings.history_table}


class Lazy(Mapping[str, Any]):
    """Name to value, each created once at first access. Iterating over the names creates none."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def and_also(self, makers: Mapping[str, Callable[[], Any]]) -> Lazy:
        """The same values, plus others."""
        return Lazy({**{name: partial(self.__getitem__, name) for name in self}, **makers})


class Collaborators(Lazy):
    """Collaborators that every class may take."""

    def __init__(
        self,
        settings: ApplicationSettings,
        store: TableStore,
        clock: Clock,
        *,
        objects: Objects | None = None,
        attributes: AttributeStore | None = None,
        workflows: CustomWorkflows | None = None,
        secrets: Secrets | None = None,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        """``objects`` to ``secrets`` replace AWS, ``new_id`` the random ids of rows."""
        self._settings = settings
        self._store = store
        self._clock = clock
        self._objects = objects
        self._attributes = attributes
        self._workflows = workflows
        self._secrets = secrets
        self._new_id = new_id
        super().__init__(
            {
                STORE: lambda: store,
                CLOCK: lambda: clock,
                OBJECTS: self._application_objects,
                PUBLISHER: self._publisher,
                READER: self._reader,
                WORKFLOWS: self._custom_workflows,
                SECRETS: self._aws_secrets,
                LOGGER: self._logger,
            }
        )

    def _bucket(self) -> Objects:
        if self._objects is None:
            from handlers.core.aws import clients
            from handlers.objects.s3 import S3Objects

            self._objects = S3Objects(clients.s3, self._settings.bucket)
        return self._objects

    def _attribute_store(self) -> AttributeStore:
        if self._attributes is None:
            from handlers.commands.attributes import AttributeStore

            self._attributes = AttributeStore(self._bucket(), self._settings.inline_attribute_limit)
        return self._attributes

    def _application_objects(self) -> Objects:
        from handlers.objects.prefixed import ApplicationObjects

        return ApplicationObjects(self._bucket())

    def _publisher(self) -> Any:
        from handlers.commands.publishing.publisher import CommandPublisher, new_row_id

        return CommandPublisher(
            self._store,
            self._attribute_store(),
            self._clock,
            source=SOURCE,
            new_id=self._new_id or new_row_id,
            types=self._settings.entity_types,
        )

    def _reader(self) -> Any:
        from handlers.commands.reader import EntityReader

        return EntityReader(self._store, self._clock, self._attribute_store().decoded)

    def _custom_workflows(self) -> CustomWorkflows:
        if self._workflows is None:
            from handlers.core.aws import clients
            from handlers.state_machines.stepfunctions import StepFunctionsWorkflows

            self._workflows = StepFunctionsWorkflows(clients.stepfunctions, self._settings.custom_machines)
        return self._workflows

    def _aws_secrets(self) -> Secrets:
        if self._secrets is None:
            from handlers.core.aws import clients
            from handlers.secrets.aws import AwsSecrets

            self._secrets = AwsSecrets(
                self._settings.secrets, self._clock, secrets_manager=clients.secrets_manager, ssm=clients.ssm
            )
        return self._secrets

    def _logger(self) -> Any:
        from handlers.core.log import StepLogger

        return StepLogger()
