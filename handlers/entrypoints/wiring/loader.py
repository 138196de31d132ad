"""Wiring of the ``loader`` function."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from contract.state_machines import FINALIZE_ZIP_JOB, ZIP_LOADER
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
from handlers.objects.s3 import S3Objects, S3Source
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import LoaderSettings
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.job_states import JobStep
    from handlers.imports.zip.loading import ZipLoading
    from handlers.objects.port import Objects
    from handlers.objects.source import ObjectSource
    from handlers.state_machines.port import StateMachines
    from handlers.state_machines.state_payload import StatePayload


@dataclass(frozen=True)
class LoaderPorts:
    """The function's ports to AWS."""

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
    """Its collaborators; those for archives are made at their first use. Raises RegistryError, naming the module."""

    def __init__(self, settings: LoaderSettings, ports: LoaderPorts) -> None:
        self._settings, self._ports = settings, ports
        store, clock = ports.store, ports.clock
        self._repository = repository = ImportRepository(store, clock)
        collaborators = Collaborators(settings, store, clock, objects=ports.objects)
        self._tables = tables = load_import_tables(settings.handler_modules, collaborators)
        files = JobFiles(repository, ports.source, own_bucket=settings.bucket)
        finalize = Finalizer(store, repository, ports.objects)
        csv_machine = CsvMachine(ports.state_machines, settings.import_csv_state_machine_arn)
        loader = Loader(repository, files, tables, finalize, csv_machine, direct_rows=settings.direct_rows)
        hours = settings.timeout_hours
        csv_loader = CsvLoader(repository, files, ports.source, ports.objects, tables, clock, timeout_hours=hours)
        write_rows = RowsHandler(repository, RowBatches(repository), tables)
        progress = CsvProgress(store, repository, ports.objects, finalize, write_rows, clock, timeout_hours=hours)
        of_archives = {name: self._step_of_archives(name) for name in (ZIP_LOADER, FINALIZE_ZIP_JOB)}
        self.states = job_states(csv_states.loader_steps(csv_loader, progress) | of_archives, clock)
        self.csv_ended = csv_states.CsvExecutionEndedHandler(progress)
        self.stream = JobStream(
            by_kind(loader.load, lambda key: self.archives.start(key)),
            cancel=by_kind(Canceller(store, repository), lambda key: self.archives.cancel(key)),
            reset=RowResetter(store, repository),
        )

    @cached_property
    def archives(self) -> ZipLoading:
        """For ZIP imports: most calls need none of it, and a cold start is faster without (decision record 0200)."""
        from handlers.imports.zip.archive import ZipLimits
        from handlers.imports.zip.loading import ZipLoading

        settings, ports = self._settings, self._ports
        return ZipLoading(
            ports.store,
            self._repository,
            ports.source,
            ports.objects,
            ports.state_machines,
            ports.clock,
            tables=self._tables,
            limits=ZipLimits(settings.zip_max_entries, settings.zip_max_bytes, settings.zip_max_ratio),
            own_bucket=settings.bucket,
            machine_arn=settings.import_zip_state_machine_arn,
        )

    def _step_of_archives(self, name: str) -> JobStep:
        def step(run: JobRun, payload: StatePayload) -> Any:
            return self.archives.steps[name](run, payload)

        return step
