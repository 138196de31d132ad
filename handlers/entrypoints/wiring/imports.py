"""Wiring of the ``imports`` function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from contract.rows import IMPORT_SOURCE
from handlers.commands.attributes import AttributeStore
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.targets.registry import Registry
from handlers.consumers.dead_letters import QUEUE_SOURCE, STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.entrypoints.wiring.sync_rows import sync_rows
from handlers.entrypoints.wiring.targets import sync_targets
from handlers.imports.csv.rows_handler import RowsHandler
from handlers.imports.csv.states import rows_steps
from handlers.imports.csv.wait import RowsWait
from handlers.imports.jobs.finalize import Finalizer
from handlers.imports.jobs.job_states import job_states
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.rows.consumer import RowWorker
from handlers.imports.rows.row_batches import RowBatches
from handlers.imports.strategy import load_import_tables
from handlers.imports.table_stream import ImportStream
from handlers.imports.zip.callbacks import Callbacks
from handlers.imports.zip.files import ZipFiles
from handlers.imports.zip.repository import ArchiveRepository
from handlers.imports.zip.states import imports_steps
from handlers.objects.s3 import S3Objects
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import ImportsSettings
    from handlers.objects.port import Objects
    from handlers.state_machines.port import StateMachines
    from handlers.topics.port import Topic


@dataclass(frozen=True)
class ImportPorts:
    """The function's ports to AWS."""

    store: TableStore
    objects: Objects
    main_topic: Topic
    alarms: Topic
    state_machines: StateMachines
    clock: Clock
    dead_letters: DeadLetters


def on_aws(settings: ImportsSettings, clock: Clock | None) -> ImportPorts:
    """The ports on AWS, with the tables and topics of the settings."""
    tables = {IMPORT_TMP: settings.import_table, **application_tables(settings)}
    return ImportPorts(
        store=DynamoTableStore(aws.dynamodb(), tables),
        objects=S3Objects(aws.s3, settings.bucket),
        main_topic=SnsTopic(aws.sns(), settings.main_topic_arn),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        state_machines=StepFunctions(aws.stepfunctions()),
        clock=clock or SystemClock(),
        dead_letters=SqsDeadLetters(
            aws.sqs, {STREAM_SOURCE: settings.stream_failures_url, QUEUE_SOURCE: settings.dead_letter_queue_url}
        ),
    )


class ImportParts:
    """The function's collaborators. Raises RegistryError, naming the module."""

    def __init__(self, settings: ImportsSettings, ports: ImportPorts, *, new_id: Callable[[], str]) -> None:
        store, clock = ports.store, ports.clock
        import_repository = ImportRepository(store, clock)
        attributes = AttributeStore(ports.objects, settings.inline_attribute_limit)
        publisher = CommandPublisher(
            store, attributes, clock, new_id=new_id, source=IMPORT_SOURCE, types=settings.entity_types
        )
        collaborators = Collaborators(
            settings, store, clock, objects=ports.objects, attributes=attributes, new_id=new_id
        )
        strategies = load_import_tables(settings.handler_modules, collaborators)
        apply = sync_rows(
            store,
            clock,
            import_repository,
            publisher,
            attributes,
            # Only tables that publish synchronously need the targets of commands here.
            sync_targets(settings, store, clock.now, attributes.decoded, collaborators)
            if strategies.any_sync
            else Registry(),
            ports.alarms,
            commands_table=settings.commands_table,
            lease_seconds=settings.lease_seconds,
            ttl=settings.ttl,
        )
        self.worker = RowWorker(
            import_repository, publisher, strategies, apply, ports.dead_letters, max_receives=settings.max_receives
        )
        rows_wait = RowsWait(import_repository, ports.state_machines)
        of_csv = rows_steps(RowsHandler(import_repository, RowBatches(import_repository), strategies), rows_wait)
        finalize = Finalizer(store, import_repository, ports.objects)
        files = ArchiveRepository(store, clock)
        callbacks = Callbacks(import_repository, files, ports.state_machines)
        of_zip = imports_steps(ZipFiles(import_repository, files, callbacks, clock))
        self.states = job_states(of_csv | of_zip, clock)
        self.stream = ImportStream(
            ports.main_topic, ports.alarms, finalize, callbacks, rows_wait.wake, settings.import_table
        )
