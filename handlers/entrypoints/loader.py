"""The ``loader`` function: loads and cancels import jobs, which it reads from the table's stream, and has states of the
machine for large files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import SOURCE, STATUS_SOURCE
from handlers.consumers.batch_results import partial_answer
from handlers.consumers.dead_letters import STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core import aws_clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import LoaderSettings
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
from handlers.state_machines.ended_execution import is_of
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore

if TYPE_CHECKING:
    from handlers.objects.port import Objects
    from handlers.objects.source import ObjectSource
    from handlers.state_machines.port import StateMachines


@dataclass(frozen=True)
class LoaderPorts:
    """Where the function reaches AWS."""

    store: TableStore
    objects: Objects
    source: ObjectSource
    workflows: StateMachines
    clock: Clock
    dead_letters: DeadLetters


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: LoaderPorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = LoaderSettings(env)
    if ports is None:
        ports = LoaderPorts(
            store=DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: settings.import_table}),
            objects=S3Objects(aws.s3, settings.bucket),
            source=S3Source(aws.s3),
            workflows=StepFunctions(aws.stepfunctions()),
            clock=clock or SystemClock(),
            dead_letters=SqsDeadLetters(aws.sqs, {STREAM_SOURCE: settings.stream_failures_url}),
        )
    store, clock = ports.store, ports.clock
    import_repository = ImportRepository(store, clock)
    tables = load_import_tables(settings.handler_modules, {"store": store, "clock": clock})
    files = JobFiles(import_repository, ports.source, own_bucket=settings.bucket)
    finalize = Finalizer(store, import_repository, ports.objects)
    csv_machine = CsvMachine(ports.workflows, settings.import_csv_state_machine_arn)
    loader = Loader(import_repository, files, tables, finalize, csv_machine, direct_rows=settings.direct_rows)
    hours = settings.timeout_hours
    csv_loader = CsvLoader(import_repository, files, ports.source, ports.objects, tables, clock, timeout_hours=hours)
    write_rows = RowsHandler(import_repository, RowBatches(import_repository), tables)
    progress = CsvProgress(store, import_repository, ports.objects, finalize, write_rows, clock, timeout_hours=hours)
    entries = ArchiveRepository(store, clock)
    limits = ZipLimits(settings.zip_max_entries, settings.zip_max_bytes, settings.zip_max_ratio)
    unpack = ZipLoader(
        import_repository, entries, ports.source, ports.objects, tables, clock, limits, own_bucket=settings.bucket
    )
    finalize_zip = ZipFinalizer(import_repository, entries, ports.objects)
    steps = csv_states.loader_steps(csv_loader, progress) | zip_states.loader_steps(unpack, finalize_zip)
    states = job_states(steps, clock)
    csv_ended = csv_states.CsvExecutionEndedHandler(progress)
    zip_ended = zip_states.ZipExecutionEndedHandler(finalize_zip)
    start_zip = ZipMachine(import_repository, ports.workflows, settings.import_zip_state_machine_arn)
    stream = JobStream(
        by_kind(loader.load, start_zip),
        cancel=by_kind(Canceller(store, import_repository), ZipCanceller(import_repository, entries)),
        reset=RowResetter(store, import_repository),
    )

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == SOURCE:
            return states(event)
        if event.get("source") == STATUS_SOURCE:
            return (zip_ended if is_of(event, settings.import_zip_state_machine_arn) else csv_ended)(event)
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of the import table's stream, or a machine's state")
        return partial_answer(records, stream.on_stream_records(records), ports.dead_letters)

    return bounded(handle)


handler = lambda_handler(create)
