"""The import route in memory: rows, queue, streams and a pipeline that ends commands, with a fault at one call.

Deliveries wait in one list and are taken from it in an order that a seed gives. What fails comes again. The pipeline of
commands is played: a command that was accepted becomes DONE, or FAILED where ``fails`` says so.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from contract.objects import REPORTS
from contract.rows import IMPORT_SOURCE
from handlers.commands import status as command_status
from handlers.commands.attributes import AttributeStore
from handlers.commands.keys import VersionKey
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.commands.targets.registry import Registry
from handlers.commands.ttl_policies import TtlPolicies
from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.context import InvokeContext
from handlers.entrypoints.wiring.sync_rows import sync_rows
from handlers.imports.csv.direct_loader import Loader
from handlers.imports.csv.loader import CsvLoader
from handlers.imports.csv.machine import CsvMachine
from handlers.imports.csv.progress import CsvProgress
from handlers.imports.csv.rows_handler import RowsHandler
from handlers.imports.csv.states import loader_steps, rows_steps
from handlers.imports.csv.wait import RowsWait
from handlers.imports.files.limits import CsvLimits
from handlers.imports.job_stream import JobStream
from handlers.imports.jobs import status
from handlers.imports.jobs.cancel import Canceller
from handlers.imports.jobs.counters import counter_of
from handlers.imports.jobs.finalize import Finalizer
from handlers.imports.jobs.job_file import JobFiles
from handlers.imports.jobs.job_states import job_states
from handlers.imports.jobs.model import SHARD_COUNTERS, ImportJob
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.jobs.retry import RowResetter
from handlers.imports.rows.command_outcomes import CommandOutcomes
from handlers.imports.rows.consumer import RowWorker
from handlers.imports.rows.row_batches import RowBatches
from handlers.imports.service import ImportService
from handlers.imports.strategy import ImportTables, Table, load_import_tables
from handlers.imports.sweeper import ImportSweeper
from handlers.imports.table_stream import ImportStream
from handlers.imports.zip.callbacks import Callbacks
from handlers.imports.zip.repository import ArchiveRepository
from handlers.objects.memory import MemoryObjects, MemorySource
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, IMPORT_TMP, Change, Item
from handlers.store.values import item_to_dynamo
from handlers.topics.memory import MemoryTopic
from local.functions.model import SimulatedCrash
from tests.support.clock import ManualClock
from tests.support.gate import Gate, Gated, GatedTopic
from tests.support.import_machine import PlayedMachine
from tests.support.shared_objects import SharedObjects

BUCKET = "files"
CONTEXT = InvokeContext("u1", "t1", "10.0.0.1")
MAX_RECEIVES = 5
TIMEOUT_HOURS = 24
LEASE_SECONDS = 180
SWEEP_SECONDS = 300.0
MOST_DELIVERIES = 5

R = TypeVar("R")


class ImportWorld:
    """``mode``: of imports that say none. ``twice``: every delivery is made twice. ``checks``: after each of
    them. ``batch``: how many messages the queue delivers together. ``layout``: changes to the airports' layout.
    """

    def __init__(
        self,
        gate: Gate | None = None,
        *,
        mode: str | None = None,
        twice: bool = False,
        seed: int = 1,
        direct_rows: int = 1_000,
        versioned: bool = True,
        checks: bool = True,
        handlers: Mapping[str, tuple[str, Any]] | None = None,
        ttl: str = "{}",
        batch: int = 1,
        **layout: Any,
    ) -> None:
        self.gate = gate or Gate()
        self.letters = MemoryDeadLetters()
        self.mode = mode
        self.checks = checks
        self.clock = ManualClock()
        self.twice = twice
        self.batch = batch
        self.random = random.Random(seed)
        #: Deliveries that never happen, by name and number.
        self.lost: Callable[[str, int], bool] = lambda name, number: False
        self.delivered: list[str] = []
        self.fails: Callable[[Item], bool] = lambda command: False
        self.pending: list[tuple[str, Callable[[int], bool]]] = []
        self.dead: list[str] = []
        self.images: list[tuple[str, Item]] = []
        #: The sums of all counters and the rows that ended, by outcome, as they are now.
        self.counted: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.memory = MemoryTableStore(self._changed)
        self.store: Any = Gated(self.memory, self.gate)
        self.source = MemorySource(BUCKET, versioned=versioned)
        self.objects = SharedObjects(BUCKET, self.source)
        self.topic, self.alarms = MemoryTopic(), MemoryTopic()
        self.calls_per_row: Counter[str] = Counter()
        self.service = ImportService(self.memory, self.clock, ["airports"], [BUCKET])
        import_repository = ImportRepository(self.store, self.clock)
        tables = _tables(layout)
        publisher = CommandPublisher(self.store, AttributeStore(MemoryObjects()), self.clock, source=IMPORT_SOURCE)
        objects: Any = Gated(self.objects, self.gate)
        self.limits = CsvLimits()
        self.files = JobFiles(import_repository, self.source, limits=self.limits)
        self.finalize = Finalizer(self.store, import_repository, objects)
        self.rows_handler = RowsHandler(import_repository, RowBatches(import_repository), tables)
        self.progress = CsvProgress(
            self.store,
            import_repository,
            objects,
            self.finalize,
            self.rows_handler,
            self.clock,
            timeout_hours=1,
            closed_per_call=5,
        )
        flows = _Later()
        self.rows_wait = RowsWait(import_repository, flows)
        csv_loader = CsvLoader(import_repository, self.files, self.source, objects, tables, self.clock, timeout_hours=1)
        self.machine = PlayedMachine(
            job_states(loader_steps(csv_loader, self.progress), self.clock),
            job_states(rows_steps(self.rows_handler, self.rows_wait), self.clock),
            self.source,
            self.objects,
            self.clock,
            lambda name, deliver: self.pending.append((name, deliver)),
            self._rest,
        )
        workflows: Any = Gated(self.machine, self.gate)
        flows.port = workflows
        self.loader = Loader(
            import_repository,
            self.files,
            tables,
            self.finalize,
            CsvMachine(workflows, "arn:m"),
            direct_rows=direct_rows,
        )
        self.jobs = JobStream(
            self.loader.load, Canceller(self.store, import_repository), RowResetter(self.store, import_repository)
        )
        apply = sync_rows(
            self.store,
            self.clock,
            import_repository,
            publisher,
            AttributeStore(MemoryObjects()),
            Registry(handlers),
            MemoryTopic(),
            commands_table="commands",
            lease_seconds=LEASE_SECONDS,
            ttl=TtlPolicies.parse(ttl),
        )
        self.worker = RowWorker(import_repository, publisher, tables, apply, self.letters, max_receives=MAX_RECEIVES)
        self.outcomes = CommandOutcomes(import_repository)
        topic: Any = GatedTopic(self.topic, self.gate, self._sent)
        alarms: Any = GatedTopic(self.alarms, self.gate, lambda _: None)
        answer = Callbacks(import_repository, ArchiveRepository(self.store, self.clock), MemoryWorkflows())
        self.sweeper = ImportSweeper(
            self.store, import_repository, self.clock, topic, answer, "import_tmp", timeout_hours=TIMEOUT_HOURS
        )
        self.stream = ImportStream(topic, alarms, self.finalize, answer, self.rows_wait.wake, "import_tmp")

    # -- doing ----------------------------------------------------------------------------------------

    def put(self, content: bytes, key: str = "a.csv") -> str:
        self.source.put(BUCKET, key, content)
        return key

    def import_file(self, content: bytes | None = None, key: str = "a.csv", **options: Any) -> ImportJob:
        """Until nothing is left to do; the job then."""
        options = {"mode": self.mode, **options}
        if content is not None:
            self.put(content, key)
        job = self.service.create_csv_import("airports", BUCKET, key, options.pop("context", CONTEXT), **options)
        self.run()
        return self.job(job)

    def run(self) -> None:
        self.run_until(lambda: False)

    def run_until(self, reached: Callable[[], bool], only: str = "") -> None:
        """Until then, or until nothing is left to do; ``only`` deliveries of this name."""
        logging.disable(logging.CRITICAL)
        try:
            while not reached():
                due = [number for number, (name, _) in enumerate(self.pending) if name == only or not only]
                if not due:
                    if self._take_over() and not only:
                        continue
                    return
                name, deliver = self.pending.pop(due[self.random.randrange(len(due))])
                self.delivered.append(name)
                if not self.lost(name, len(self.delivered)):
                    self._deliver(name, deliver)
                if self.checks:
                    self.check()
        finally:
            logging.disable(logging.NOTSET)

    def heal(self, hours: int = 40) -> list[dict[str, int]]:
        """Let the sweeper come until nothing is open; answers what it did, the hours of waiting left out."""
        did: list[dict[str, int]] = []
        for _ in range(hours * 12):
            self.run()
            if not self.open_rows():
                return did
            self.clock.advance(SWEEP_SECONDS)
            try:
                report = self.sweeper.sweep(self.clock.now() + SWEEP_SECONDS)
            except SimulatedCrash:
                continue  # the schedule calls it again
            assert (report.errors, report.complete) == (0, True)
            if report.outcomes:
                did.append(dict(report.outcomes))
        raise AssertionError(f"still open after {hours} hours: {self.open_rows()}")

    def open_rows(self) -> list[Item]:
        return [row for row in [*self.rows(), *self.rows(status.JOB)] if not status.is_terminal(row)]

    def _deliver(self, name: str, deliver: Callable[[int], bool]) -> None:
        for number in range(1, MOST_DELIVERIES + 1):
            done = _crashed(lambda number=number: deliver(number))  # type: ignore[misc]
            if self.twice:
                done = _crashed(lambda number=number: deliver(number)) and done  # type: ignore[misc]
            if done:
                return
        self.dead.append(name)

    # -- looking --------------------------------------------------------------------------------------

    def job(self, job: ImportJob) -> ImportJob:
        return self.service.get_import(job.id, CONTEXT)

    def rows(self, kind: str = status.ROW) -> list[Item]:
        found = self.memory.scan(IMPORT_TMP).items
        return sorted((row for row in found if row["kind"] == kind), key=lambda row: row.get("number", 0))

    def commands(self) -> list[Item]:
        return [row for row in self.memory.scan(COMMANDS).items if "status" in row]

    def outcome(self) -> tuple[Any, ...]:
        """What must be the same whatever goes wrong on the way."""
        names = ("status", "attempt", "result", "error", "supersededBy", "totalRows", "processedRows", "failedRows")
        rows = [{name: row[name] for name in names if name in row} for row in [*self.rows(), *self.rows(status.JOB)]]
        commands = sorted((row["sk"], row["createdBy"]) for row in self.commands())
        reports = {key: body for key, body in self.objects.contents.items() if key.startswith(REPORTS)}
        return rows, commands, sorted(reports.items(), key=lambda one: one[1])

    def alarm_ids(self) -> list[str]:
        """Without the repeats."""
        return sorted({one["alarmId"] for one in self.alarms.attributes})

    def check(self) -> None:
        """At every moment: the counters are the rows; nothing is in two outcomes; no outcome is left."""
        assert +self.counted == +self.ended

    def check_history(self) -> None:
        last: dict[tuple[str, str], Item] = {}
        for table, image in self.images:
            key = (image["pk"], image["sk"])
            before = last.get(key)
            if table == IMPORT_TMP and before is not None and "status" in before and status.is_terminal(before):
                is_retried = before["status"] == "FAILED" and image["attempt"] > before["attempt"]
                assert is_retried or image["status"] == before["status"], f"{key} left {before['status']}"
            last[key] = image

    # -- inside ---------------------------------------------------------------------------------------

    def _rest(self, seconds: float) -> bool:
        """Whether a pause is over: rarely while there is something else to do."""
        if self.pending and self.random.random() < 0.9:
            return False
        self.clock.advance(seconds)
        return True

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        assert after is not None
        self.images.append((table, after))
        if table == IMPORT_TMP:
            self._count(before, after)
        change = {"NewImage": item_to_dynamo(after)}
        if before is not None:
            change["OldImage"] = item_to_dynamo(before)
        record = {"eventName": "INSERT" if before is None else "MODIFY", "dynamodb": change}
        is_told = after.get("kind") != status.COUNTERS or ("expected" in after and after["left"] == 0)
        if table == IMPORT_TMP and is_told:
            self.pending.append(("import stream", lambda _: not self.stream.on_stream_records([record])))
            if after["kind"] == status.JOB:
                self.pending.append(("loader", lambda _: not self.jobs.on_stream_records([record])))
        if table == COMMANDS and "status" in after:
            if before is None and after["status"] == command_status.ACCEPTED:
                self.pending.append(("pipeline", lambda _: self._end_command(after)))
            self.pending.append(("commands stream", lambda _: not self.outcomes.on_stream_records([record])))

    def _count(self, before: Item | None, after: Item) -> None:
        for image, sign in ((before, -1), (after, 1)):
            if image is not None and image["kind"] == status.COUNTERS:
                self.counted.update({name: sign * image.get(name, 0) for name in SHARD_COUNTERS})
            elif image is not None and _is_ended_row_of_a_job(image):
                self.ended[counter_of(image)] += sign

    def _take_over(self) -> bool:
        """The commands' sweeper, once nothing else goes on: it ends what a synchronous publish left open."""
        found = [row for row in self.commands() if command_status.is_open_sync(row)]
        for row in found:
            self.memory.update(COMMANDS, row["pk"], row["sk"], Change(set={"taken": True}))
            self._end_command(row)
        return bool(found)

    def _end_command(self, row: Item) -> bool:
        failed = self.fails(row)
        name = "sync_data:FAILED" if failed else "finish:FINISHED"
        change: dict[Any, Any] = {"status": name}
        if failed:
            change["error"] = {"type": "Refused", "message": "the target refused it", "state": "sync_data"}
        VersionKey.parse(row["pk"], row["sk"])
        self.memory.update(COMMANDS, row["pk"], row["sk"], Change(set=change))
        assert command_status.is_terminal(name)
        return True

    def _sent(self, message: Mapping[str, Any]) -> None:
        if message["action"] != "import-execute":
            return

        self.pending.append(("queue", _Message(self, message)))

    def receive(self, first: _Message) -> bool:
        """Deliver a message, with others of its queue; those that fail come again later. Whether this one is done."""
        of_queue = (one for _, one in self.pending if isinstance(one, _Message))
        messages = [first, *itertools.islice(of_queue, self.batch - 1)]
        others = messages[1:]
        self.pending = [(name, one) for name, one in self.pending if one not in others]
        for one in others:
            one.receives += 1
        failed = set(range(len(messages)))
        try:
            answer = self.worker([one.record(str(number)) for number, one in enumerate(messages)])
            failed = {int(one["itemIdentifier"]) for one in answer["batchItemFailures"]}
        finally:
            for number, one in enumerate(others, start=1):
                if number in failed and one.receives < MOST_DELIVERIES:
                    self.pending.append(("queue", one))
                elif number in failed:
                    self.dead.append("queue")
        return 0 not in failed


class _Message:
    """A message of the import queue; called with the number of its receive."""

    def __init__(self, world: ImportWorld, message: Mapping[str, Any]) -> None:
        self.world = world
        self.message = message
        self.receives = 0

    def __call__(self, receive: int) -> bool:
        self.receives = max(self.receives, receive)
        return self.world.receive(self)

    def record(self, id_: str) -> dict[str, Any]:
        """As Lambda delivers it."""
        attributes = {"ApproximateReceiveCount": str(self.receives)}
        return {"messageId": id_, "body": _body(self.message), "attributes": attributes}


class _Later:
    """The machine and its functions know each other."""

    port: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


def _tables(layout: Mapping[str, Any]) -> ImportTables:
    table = load_import_tables(["tests.modules.airports"], {"store": None, "clock": None}).of("airports")
    return ImportTables({"airports": Table(replace(table.layout, **layout), table.strategy)})


def _body(message: Mapping[str, Any]) -> str:
    return json.dumps({"Message": json.dumps(message)})


def _crashed(work: Callable[[], bool]) -> bool:
    """Whether the work came to its end well."""
    try:
        return work()
    except SimulatedCrash:
        return False


def _is_ended_row_of_a_job(row: Item) -> bool:
    return row["kind"] == status.ROW and status.is_terminal(row) and row["pk"].count("#") == 3
