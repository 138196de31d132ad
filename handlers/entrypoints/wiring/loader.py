"""What the ``loader`` function is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.consumers.dead_letters import STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.imports.csv import states as csv_states
from handlers.imports.csv.direct_loader import Loader
from handlers.imports.csv.loader import CsvLoader
from handlers.imports.csv.machine import CsvMachine
from handlers.imports.csv.progress import CsvProgress
from handlers.imports.csv.rows_handler import RowsHandler
from handlers.imports.job_stream import JobStream, by_kind
from handlers.imports.jobs.cancel import Canceller
from handlers.imports.jobs.finalize import Finalizer
from handlers.imports.jobs.job_file import JobFiles
from handlers.imports.jobs.job_states import job_states
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.jobs.retry import RowResetter
from handlers.imports.rows.row_batches import RowBatches
from handlers.imports.strategy import load_import_tables
from handlers.imports.zip import states as zip_states
from handlers.imports.zip.archive import ZipLimits
from handlers.imports.zip.files import ZipCanceller
from handlers.imports.zip.finalize import ZipFinalizer
from handlers.imports.zip.loader import ZipLoader
from handlers.imports.zip.machine import ZipMachine
from handlers.imports.zip.repository import ArchiveRepository
from handlers.objects.s3 import S3Objects, S3Source
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import LoaderSettings
    from handlers.objects.port import Objects
    from handlers.objects.source import ObjectSource
    from handlers.state_machines.port import StateMachines


@dataclass(frozen=True)
class LoaderPorts:
    """Where the function reaches AWS."""

    store: TableStore
    objects: Objects
    source: ObjectSource
    state_machines: StateMachines
    clock: Clock
    dead_letters: DeadLetters


def on_aws(settings: LoaderSettings, clock: Clock | None) -> LoaderPorts:
    """The ports on AWS, with the tables and topics of the settings."""
    return LoaderPorts(
        store=DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: settings.import_table, **application_tables(settings)}),
        objects=S3Objects(aws.s3, settings.bucket),
        source=S3Source(aws.s3),
        state_machines=StepFunctions(aws.stepfunctions()),
        clock=clock or SystemClock(),
        dead_letters=SqsDeadLetters(aws.sqs, {STREAM_SOURCE: settings.stream_failures_url}),
    )


class LoaderParts:
    """Its collaborators, put together. Raises RegistryError, naming the module."""

    def __init__(self, settings: LoaderSettings, ports: LoaderPorts) -> None:
        store, clock = ports.store, ports.clock
        import_repository = ImportRepository(store, clock)
        collaborators = Collaborators(settings, store, clock, objects=ports.objects)
        tables = load_import_tables(settings.handler_modules, collaborators)
        files = JobFiles(import_repository, ports.source, own_bucket=settings.bucket)
        finalize = Finalizer(store, import_repository, ports.objects)
        csv_machine = CsvMachine(ports.state_machines, settings.import_csv_state_machine_arn)
        loader = Loader(import_repository, files, tables, finalize, csv_machine, direct_rows=settings.direct_rows)
        hours = settings.timeout_hours
        csv_loader = CsvLoader(
            import_repository, files, ports.source, ports.objects, tables, clock, timeout_hours=hours
        )
        write_rows = RowsHandler(import_repository, RowBatches(import_repository), tables)
        progress = CsvProgress(
            store, import_repository, ports.objects, finalize, write_rows, clock, timeout_hours=hours
        )
        entries = ArchiveRepository(store, clock)
        limits = ZipLimits(settings.zip_max_entries, settings.zip_max_bytes, settings.zip_max_ratio)
        unpack = ZipLoader(
            import_repository, entries, ports.source, ports.objects, tables, clock, limits, own_bucket=settings.bucket
        )
        finalize_zip = ZipFinalizer(import_repository, entries, ports.objects)
        steps = csv_states.loader_steps(csv_loader, progress) | zip_states.loader_steps(unpack, finalize_zip)
        self.states = job_states(steps, clock)
        self.csv_ended = csv_states.CsvExecutionEndedHandler(progress)
        self.zip_ended = zip_states.ZipExecutionEndedHandler(finalize_zip)
        start_zip = ZipMachine(import_repository, ports.state_machines, settings.import_zip_state_machine_arn)
        self.stream = JobStream(
            by_kind(loader.load, start_zip),
            cancel=by_kind(Canceller(store, import_repository), ZipCanceller(import_repository, entries)),
            reset=RowResetter(store, import_repository),
        )
