"""The ``loader`` function: reads the file of a new import job and writes its rows; cancels those of a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers import aws
from handlers.clock import Clock, SystemClock
from handlers.entrypoints.lazy import Handler, lambda_handler
from handlers.errors import ValidationError
from handlers.imports.book import ImportBook
from handlers.imports.cancel import Canceller
from handlers.imports.finalise import Finaliser
from handlers.imports.job_stream import JobStream
from handlers.imports.loader import Loader
from handlers.imports.strategy import load_import_tables
from handlers.objects.port import Objects
from handlers.objects.s3 import S3Objects, S3Source
from handlers.objects.source import ObjectSource
from handlers.settings import LoaderSettings
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore
from handlers.stream_answers import partial_answer


@dataclass(frozen=True)
class LoaderPorts:
    """Where the function reaches AWS."""

    store: TableStore
    objects: Objects
    source: ObjectSource
    clock: Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: LoaderPorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = LoaderSettings.from_env(env)
    if ports is None:
        ports = LoaderPorts(
            store=DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: settings.import_table}),
            objects=S3Objects(aws.s3, settings.bucket),
            source=S3Source(aws.s3),
            clock=clock or SystemClock(),
        )
    store, clock = ports.store, ports.clock
    book = ImportBook(store, clock)
    tables = load_import_tables(settings.handler_modules, {"store": store, "clock": clock})
    finalise = Finaliser(store, book, ports.objects)
    loader = Loader(book, ports.source, tables, finalise, direct_rows=settings.direct_rows)
    stream = JobStream(loader.load, Canceller(store, book))

    def handle(event: dict[str, Any], context: Any) -> Any:
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of the import table's stream")
        return partial_answer(records, stream.on_stream_records(records))

    return handle


handler = lambda_handler(create)
