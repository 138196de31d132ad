"""Imports in the simulated deployment: the real functions and machines on streams, queue and bucket, with faults."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.messages import IMPORT_EXECUTE, IMPORT_STATUS
from handlers.commands.model import Command
from handlers.consumers.dead_letters import QUEUE_SOURCE
from handlers.entrypoints import imports, loader
from handlers.entrypoints.wiring.imports import ImportPorts
from handlers.entrypoints.wiring.loader import LoaderPorts
from handlers.imports.keys import ImportJobKey
from handlers.imports.service import ImportService
from handlers.store.memory import Listener, MemoryTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY, IMPORT_TMP, TASKS, Item
from infra.components.messaging import MAX_RECEIVE_COUNT
from local.scheduler import VIRTUAL_EPOCH
from local.sources.eventbridge import Rule
from local.sources.mappings import StreamMapping
from local.sources.queues import QueueSource
from local.states.definition.model import STANDARD
from local.states.running.executions import RUNNING, Execution
from tests.simulation import deployment, import_deployment
from tests.simulation.gate import Refused
from tests.simulation.import_files import REFUSED, Archive, File
from tests.simulation.import_ports import (
    BUCKET,
    Bucket,
    GatedSource,
    ImportWorkflows,
    MapFiles,
    SimulatedQueue,
)
from tests.simulation.import_strategies import NOTE, TABLES
from tests.simulation.import_watcher import ImportWatcher
from tests.simulation.plan import FaultPlan
from tests.simulation.ports import GatedObjects, GatedWorkflows
from tests.simulation.sites import Visit
from tests.simulation.world import Setup, SimulatedWorld

#: After that the targets take what they had refused: a redrive and a retry help.
REFUSING_SECONDS = 2 * 3600.0
#: What was is told before what is, a version before what refers to it.
TOLD_IN_ORDER = (HISTORY, COMMANDS, DATA, TASKS, IMPORT_TMP)


@dataclass(frozen=True)
class ImportSetup(Setup):
    """``loader_timeout``: less than the deployed one shows calls that go on after their time."""

    import_timeout_hours: int = 3
    direct_rows: int = 1_000
    batch_rows: int = 3
    loader_timeout: float = import_deployment.TIMEOUTS["loader"]


class SettledStore(MemoryTableStore):
    """Tells when a call is complete: only then do rows and counters agree.

    The changes of a transaction are told in one order, whatever that of its writes.
    """

    def __init__(self, listener: Listener, settled: Callable[[], None]) -> None:
        super().__init__(self._hear)
        self._tell = listener
        self._held: list[tuple[str, Item | None, Item | None]] | None = None
        self._settled = settled

    def _hear(self, table: str, before: Item | None, after: Item | None) -> None:
        if self._held is None:
            self._tell(table, before, after)
        else:
            self._held.append((table, before, after))

    def put(self, *arguments: Any, **named: Any) -> None:
        """See TableStore."""
        super().put(*arguments, **named)
        self._settled()

    def update(self, *arguments: Any, **named: Any) -> Item:
        """See TableStore."""
        changed = super().update(*arguments, **named)
        self._settled()
        return changed

    def transact(self, writes: Any) -> None:
        """See TableStore."""
        held = self._held = []
        try:
            super().transact(writes)
        finally:
            self._held = None
        for change in sorted(held, key=lambda one: TOLD_IN_ORDER.index(one[0])):
            self._tell(*change)
        self._settled()


class SimulatedImports(SimulatedWorld):
    """See the module's text. ``files``: those that are imported, by their bytes."""

    modules = ("tests.simulation.targets", "tests.simulation.import_strategies")

    def __init__(self, seed: int | None, plan: FaultPlan, setup: ImportSetup | None = None) -> None:
        self.files: dict[bytes, File] = {}
        self.books = ImportWatcher(self._file_of)
        self.import_setup = setup or ImportSetup()
        super().__init__(
            seed, plan, self.import_setup, memory=lambda listener: SettledStore(listener, self.books.settled)
        )
        self.books.watch(self.watcher)
        self.watcher.types_without_targets = {NOTE}

    # -- doing --------------------------------------------------------------------------------------

    def service(self) -> ImportService:
        """What a caller imports with, behind the gate."""
        return ImportService(self.store, self.scheduler, TABLES, [BUCKET], random_bytes=self._random.randbytes)

    def drop(self, key: str, given: File | Archive | bytes) -> None:
        """Put a file into the bucket, or an archive, or what can't be imported."""
        files = [file for _, file in given.files] if isinstance(given, Archive) else [given]
        self.files.update({file.content: file for file in files if isinstance(file, File)})
        self.bucket.put(key, given if isinstance(given, bytes) else given.content)

    @property
    def bucket(self) -> Bucket:
        """The stack's bucket."""
        assert isinstance(self.objects, Bucket)
        return self.objects

    def running(self) -> list[Execution]:
        """See SimulatedWorld."""
        machines = import_deployment.MACHINES.values()
        return super().running() + [one for arn in machines for one in self.executions.list_executions(arn, RUNNING)]

    # -- inside: what is deployed -------------------------------------------------------------------

    def _map_objects(self) -> MapFiles:
        def visit(key: str) -> Visit:
            named = [self.books.labels[part] for part in key.split("/") if part in self.books.labels]
            name = key.rpartition("/")[2].partition(".")[0]
            return self.visit(named[0] if named else name, 0, "map")

        return MapFiles(self.bucket, lambda: self.gate, visit)

    def _bucket(self) -> Bucket:
        return Bucket()

    def _config(self) -> dict[str, Any]:
        own = self.import_setup
        return {
            **super()._config(),
            "importTimeoutHours": own.import_timeout_hours,
            "importDirectRows": own.direct_rows,
            "importBatchRows": own.batch_rows,
        }

    def _environment(self) -> dict[str, dict[str, str]]:
        return {**super()._environment(), **import_deployment.environments(self._config(), self.modules)}

    def _functions(self) -> dict[str, tuple[Callable[[], Any], float]]:
        def start_imports() -> Any:
            return imports.create(self._environments["imports"], ports=self._ports(ImportPorts), new_id=self._new_id)

        def start_loader() -> Any:
            return loader.create(self._environments["loader"], ports=self._ports(LoaderPorts))

        return {
            **super()._functions(),
            "imports": (start_imports, import_deployment.TIMEOUTS["imports"]),
            "loader": (start_loader, self.import_setup.loader_timeout),
        }

    def _available_ports(self) -> dict[str, Any]:
        files = {
            "objects": GatedObjects(self.bucket, self.gate),
            "source": GatedSource(self.bucket.files, self.gate),
        }
        return {**super()._available_ports(), **files}

    def _stream_mappings(self) -> list[StreamMapping]:
        return super()._stream_mappings() + import_deployment.stream_mappings(self.setup.lanes)

    def _rules(self) -> list[Rule]:
        return super()._rules() + import_deployment.rules()

    def _workflow_port(self) -> GatedWorkflows:
        port = ImportWorkflows(self.executions, self.gate, self.story, self.watcher.started)
        port.label = self._label_of_job
        return port

    def _deploy(self, seed: int | None) -> None:
        super()._deploy(seed)
        self.queue = SimulatedQueue(
            self.scheduler.now,
            random.Random(f"queue {seed}"),
            visibility=import_deployment.VISIBILITY_SECONDS,
            max_receives=MAX_RECEIVE_COUNT,
            delay=self.setup.delay,
        )
        self.consumer = QueueSource(
            self.scheduler,
            import_deployment.queue_mapping(),
            self.queue,
            self.host,
            region=deployment.REGION,
            faults=self.delivery,
        )
        own = self.import_setup
        for name, arn in import_deployment.MACHINES.items():
            text = import_deployment.definition_text(name, own.import_timeout_hours, own.batch_rows)
            self.executions.create_state_machine(arn.rpartition(":")[2], text, "arn:aws:iam::1:role/sim", STANDARD)

    # -- inside: what happens -----------------------------------------------------------------------

    def _file_of(self, job: Item) -> File | None:
        versions = self.bucket.files.contents[BUCKET].get(job["key"])
        return self.files.get(versions[-1]) if versions else None

    def _is_open(self) -> bool:
        return super()._is_open() or self.books.is_open or any(self.running())

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        super()._changed(table, before, after)
        with self.watcher.looks_at(after or before or {}):
            self.books.changed(table, before, after)
        if table == IMPORT_TMP and after is not None:
            label, number = self.books.label_of(after["pk"], after["sk"])
            old, new = (None if one is None else one.get("status") for one in (before, after))
            if old != new:
                self.story.note(f"{after['kind']} {old or 'nothing'} -> {new}", entity=label, version=number)
            self._emit(import_deployment.STREAM, before, after)

    def _alarm(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        if "IMPORT#" not in message["pk"]:
            super()._alarm(message, attributes)
            return
        label, number = self.books.label_of(message["pk"], message["sk"])
        self.story.note(f"ALARM: {message['content']['errorMessage']}", entity=label, version=number)
        self.books.alarm(message, attributes)

    def _notified(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        if attributes["action"] == IMPORT_EXECUTE:
            self.queue.send(message)
            self.consumer.wake()
        elif attributes["action"] == IMPORT_STATUS:
            self.books.notice(message)
        else:
            super()._notified(message, attributes)

    def _apply(self, target: str, command: Command, previous: Sequence[Command | None]) -> None:
        if command.attributes.get("note") == REFUSED and self.scheduler.now() < VIRTUAL_EPOCH + REFUSING_SECONDS:
            raise Refused(f"{target} refuses {command.code}")
        super()._apply(target, command, previous)

    def _ended(self, execution: Execution) -> None:
        if not _is_of_imports(execution.machine.arn):
            super()._ended(execution)
            return
        if "BatchInput" in execution.input:
            return  # a child of the Map, of which nobody is told
        text = f"execution {execution.name[:8]} ended as {execution.status} {execution.error or ''}"
        self.story.note(text.rstrip(), entity=self._label_of_job(execution.input["jobKey"]))
        self._tell_of(execution)

    def _label_of_job(self, job_id: str) -> str:
        key = ImportJobKey.parse_id(job_id)
        return self.books.label_of(key.pk, key.sk)[0]

    def _visit_of(self, function: str, payload: Any) -> Visit:
        """Named by the job and row of a batch's first record, so that faults are spread over rows."""
        if "context" in payload and _is_of_imports(payload["context"]["StateMachine"]["Id"]):
            execution, state = payload["context"]["Execution"], payload["context"]["State"]["Name"]
            given = payload["input"]
            if "BatchInput" in given:  # a child of the Map
                label = self._label_of_job(given["BatchInput"]["Attributes"]["jobKey"])
                return self.visit(label, given["Items"][0]["index"], state, execution["Id"])
            return self.visit(self._label_of_job(execution["Input"]["jobKey"]), 0, state, execution["Id"])
        if payload.get("source") == "aws.states" and "jobKey" in payload["detail"]["input"]:
            label = self._label_of_job(json.loads(payload["detail"]["input"])["jobKey"])
            return self.visit(label, 0, "ended_outside")
        if not payload.get("Records"):
            return super()._visit_of(function, payload)
        first = payload["Records"][0]
        if first["eventSource"] == QUEUE_SOURCE:
            message = json.loads(json.loads(first["body"])["Message"])
            return self.visit(*self.books.label_of(message["pk"], message["sk"]), "worker")
        keys = first["dynamodb"]["Keys"]
        pk, sk = keys["pk"]["S"], keys["sk"]["S"]
        if first["eventSourceARN"] == import_deployment.STREAM:
            return self.visit(*self.books.label_of(pk, sk), function)
        code, _, version = sk.partition("#")[2].rpartition("@")
        return self.visit(code, int(version), function)


def _is_of_imports(machine: str) -> bool:
    """Also of a Distributed Map's children, whose machine is named after it."""
    return machine.startswith(tuple(import_deployment.MACHINES.values()))
