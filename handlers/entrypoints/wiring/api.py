"""Wiring of the ``api`` function: the services that its routes call, each created at first use."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from handlers.commands.ports import Ports
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.state_machines.stepfunctions import StepFunctions, StepFunctionsWorkflows
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TASKS
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.api.services import Names
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.commands.publishing.publisher import CommandPublisher
    from handlers.commands.publishing.sync_publisher import SyncPublisher
    from handlers.commands.reader import EntityReader
    from handlers.entrypoints.wiring.settings import ApiSettings
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

#: ``source`` of the commands that the API publishes.
SOURCE = "api"


def on_aws(settings: ApiSettings, clock: Clock | None) -> Ports:
    """The ports on AWS, with the tables and topics of the settings."""
    tables = {TASKS: settings.tasks_table, IMPORT_TMP: settings.import_table, **application_tables(settings)}
    return Ports(
        store=DynamoTableStore(aws.dynamodb(), tables),
        state_machines=StepFunctions(aws.stepfunctions()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock or SystemClock(),
    )


class ApiParts:
    """See ``handlers.api.services.Services``. ``objects``, ``links``, ``workflows``, ``histories`` and
    ``alarms`` replace AWS.
    """

    def __init__(
        self,
        settings: ApiSettings,
        ports: Ports,
        *,
        objects: Objects | None = None,
        links: Links | None = None,
        workflows: ShownWorkflows | None = None,
        histories: Histories | None = None,
        alarms: Alarms | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._ports = ports
        self._objects = objects
        self._links = links
        self._workflows = workflows
        self._histories = histories
        self._alarms = alarms
        self._sleep = sleep

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self._ports.clock

    @property
    def store(self) -> TableStore:
        """All tables."""
        return self._ports.store

    @cached_property
    def objects(self) -> Objects:
        """The stack's bucket."""
        from handlers.objects.s3 import S3Objects

        return self._objects or S3Objects(aws.s3, self._settings.bucket)

    @cached_property
    def links(self) -> Links:
        """Presigned links to objects in the bucket."""
        from handlers.objects.links import S3Links

        return self._links or S3Links(aws.s3_links, self._settings.bucket)

    @cached_property
    def workflows(self) -> ShownWorkflows:
        """The application's workflows."""
        return self._workflows or StepFunctionsWorkflows(aws.stepfunctions, self._settings.custom_machines)

    @cached_property
    def attributes(self) -> AttributeStore:
        """Attributes in rows and in the bucket."""
        from handlers.commands.attributes import AttributeStore

        return AttributeStore(self.objects, self._settings.inline_attribute_limit)

    @cached_property
    def publisher(self) -> CommandPublisher:
        """Accepts commands."""
        from handlers.commands.publishing.publisher import CommandPublisher

        return CommandPublisher(
            self.store, self.attributes, self.clock, source=SOURCE, types=self._settings.entity_types
        )

    @cached_property
    def pipeline(self) -> Pipeline:
        """Applies commands, with the application's sync handlers. Raises RegistryError, naming the module."""
        from handlers.commands.pipeline.steps import Pipeline
        from handlers.entrypoints.wiring.targets import sync_targets

        settings, ports = self._settings, self._ports
        collaborators = Collaborators(
            settings,
            ports.store,
            ports.clock,
            objects=self.objects,
            attributes=self.attributes,
            workflows=self.workflows,
        )
        registry = sync_targets(settings, ports.store, ports.clock.now, self.attributes.decoded, collaborators)
        return Pipeline(ports, self.attributes, registry, settings.pipeline)

    @cached_property
    def sync_publisher(self) -> SyncPublisher:
        """Accepts commands and applies them."""
        from handlers.commands.publishing.sync_publisher import SyncPublisher

        return SyncPublisher(self.publisher, self.pipeline, self.clock, lease_seconds=self._settings.lease_seconds)

    @cached_property
    def reader(self) -> EntityReader:
        """Reads entities."""
        from handlers.commands.reader import EntityReader

        return EntityReader(self.store, self.clock, self.attributes.decoded, sleep=self._sleep)

    @cached_property
    def explain(self) -> Explainer:
        """Explains what happened to an entity."""
        from handlers.operations.explain import Explainer

        return Explainer(self.store, self.clock)

    @cached_property
    def skip(self) -> Skipper:
        """Skips failed commands."""
        from handlers.operations.skip import Skipper

        return Skipper(self.store, self.clock, self.pipeline.finisher, self.pipeline.record_failure)

    def redriver(self, *, dry_run: bool) -> Redriver:
        """Gives failed commands a new attempt."""
        from handlers.commands.starter import CommandStarter
        from handlers.operations.redrive import Redriver

        starter = CommandStarter(self._ports.state_machines, self._settings.command_state_machine_arn)
        return Redriver(self.store, self.clock, starter, self.pipeline.record_failure, dry_run=dry_run)

    @cached_property
    def tasks(self) -> TaskService:
        """Creates and reads tasks."""
        from handlers.tasks.handlers import task_types
        from handlers.tasks.model import TaskLimits
        from handlers.tasks.service import TaskService

        limits = TaskLimits(self._settings.task_max_concurrency, self._settings.task_timeout_minutes)
        return TaskService(self.store, self.clock, task_types(self._settings.handler_modules), limits)

    @cached_property
    def task_operations(self) -> TaskOperations:
        """Retries and cancels tasks."""
        from handlers.tasks.retry import TaskOperations

        return TaskOperations(self.store, self.clock)

    @cached_property
    def imports(self) -> ImportService:
        """Imports."""
        from handlers.imports.service import ImportService
        from handlers.imports.strategy import table_names

        tables = table_names(self._settings.handler_modules)
        return ImportService(self.store, self.clock, tables, self._settings.import_buckets)

    @cached_property
    def approvals(self) -> Approvals:
        """Open approvals and their decisions."""
        from handlers.workflows.approvals import Approvals

        return Approvals(self.store, self.clock, self.workflows)

    @cached_property
    def histories(self) -> Histories:
        """Histories of executions."""
        from handlers.state_machines.histories import StepFunctionsHistories

        return self._histories or StepFunctionsHistories(aws.stepfunctions)

    @cached_property
    def alarms(self) -> Alarms:
        """The stack's alarms."""
        from handlers.operations.alarms import CloudWatchAlarms

        return self._alarms or CloudWatchAlarms(aws.cloudwatch, self._settings.alarm_topic_arn)

    @cached_property
    def names(self) -> Names:
        """Names from configuration and modules. Raises RegistryError, naming the module."""
        from handlers.api.services import Names
        from handlers.imports.strategy import table_names
        from handlers.tasks.handlers import task_types

        settings = self._settings
        types, modules = settings.entity_types, settings.handler_modules
        return Names(
            {*types.allowed, *types.handled},
            table_names(modules),
            task_types(modules),
            settings.custom_machines,
            settings.command_state_machine_arn,
        )
