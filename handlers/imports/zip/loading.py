"""Wiring of the ``loader`` function's steps for archives, which most of its calls don't need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.imports.zip.files import ZipCanceller
from handlers.imports.zip.finalize import ZipFinalizer
from handlers.imports.zip.loader import ZipLoader
from handlers.imports.zip.machine import ZipMachine
from handlers.imports.zip.repository import ArchiveRepository
from handlers.imports.zip.states import ZipExecutionEndedHandler, loader_steps

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.strategy import ImportTables
    from handlers.imports.zip.archive import ZipLimits
    from handlers.objects.port import Objects
    from handlers.objects.source import ObjectSource
    from handlers.state_machines.port import StateMachines
    from handlers.store.port import TableStore


class ZipLoading:
    """``start`` and ``cancel`` take a job, ``steps`` are those of the machine's states, ``ended`` takes the event of an
    execution that ended outside them.
    """

    def __init__(
        self,
        store: TableStore,
        repository: ImportRepository,
        source: ObjectSource,
        objects: Objects,
        state_machines: StateMachines,
        clock: Clock,
        *,
        tables: ImportTables,
        limits: ZipLimits,
        own_bucket: str,
        machine_arn: str,
    ) -> None:
        entries = ArchiveRepository(store, clock)
        unpack = ZipLoader(repository, entries, source, objects, tables, clock, limits, own_bucket=own_bucket)
        finalize = ZipFinalizer(repository, entries, objects)
        self.start = ZipMachine(repository, state_machines, machine_arn)
        self.cancel = ZipCanceller(repository, entries)
        self.steps = loader_steps(unpack, finalize)
        self.ended = ZipExecutionEndedHandler(finalize)
