"""The route of an archive in memory: real entry points, the real definition, virtual time, and a fault at one call.

The pipeline of commands is played: a command that was accepted is done some seconds later.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.context import InvokeContext
from handlers.entrypoints import imports, loader, sweeper
from handlers.entrypoints.wiring.imports import ImportPorts
from handlers.entrypoints.wiring.loader import LoaderPorts
from handlers.entrypoints.wiring.sweeper import SweeperPorts
from handlers.imports.jobs import status
from handlers.imports.jobs.counters import counter_of
from handlers.imports.jobs.model import SHARD_COUNTERS, ImportJob
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.rows.command_outcomes import CommandOutcomes
from handlers.imports.service import ImportService
from handlers.imports.zip.finalize import ImportedFile
from handlers.objects.memory import MemorySource
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, IMPORT_TMP, Change, Item
from handlers.topics.memory import MemoryTopic
from infra.components.messaging import CONSUMER_TIMEOUT_SECONDS, MAX_RECEIVE_COUNT, VISIBILITY_TIMES_TIMEOUT
from infra.components.state_machines import load_definition
from local.states.running.executions import Execution
from tests.support.gate import Gate, Gated, GatedTopic
from tests.support.machine_world import (
    ACCOUNT,
    ENDED_BADLY,
    REGION,
    MachineWorld,
    function_arn,
    queue_events,
    status_event,
    stream_events,
    stream_record,
)
from tests.support.shared_objects import SharedObjects
from tests.unit.handlers.test_settings import SWEEPER

BUCKET = "files"
STORE_BUCKET = "store"
CONTEXT = InvokeContext("u1", "t1", "10.0.0.1")
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:import-zip"
CSV_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:import-csv"
HEADER = "icao,iata,name,city,subd,country,elevation,lat,lon,tz,lid\n"
ENVIRONMENT = {
    "IMPORT_TABLE": "import_tmp",
    "COMMANDS_TABLE": "commands",
    "DATA_TABLE": "data",
    "BUCKET_NAME": STORE_BUCKET,
    "IMPORT_BUCKETS": f"{STORE_BUCKET},{BUCKET}",
    "IMPORT_CSV_STATE_MACHINE_ARN": CSV_MACHINE,
    "IMPORT_ZIP_STATE_MACHINE_ARN": MACHINE,
    "MAIN_TOPIC_ARN": "main",
    "ALARM_TOPIC_ARN": "alarms",
    "HANDLER_MODULES": "tests.modules.airports",
    "IMPORT_DIRECT_ROWS": "1000",
    "IMPORT_TIMEOUT_HOURS": "24",
    "INLINE_ATTRIBUTE_LIMIT": "65536",
    "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
    "HISTORY_TABLE": "history",
    "CUSTOM_STATE_MACHINE_ARNS": "{}",
    "HANDLER_SECRETS": "{}",
    "ENTITY_TYPES": '{"allowed": [], "handled": []}',
    "SYNC_TARGETS": "[]",
    "STREAM_FAILURES_URL": "failures",
    "DEAD_LETTER_QUEUE_URL": "dead",
    "LEASE_SECONDS": "180",
    "TTL_DAYS": "{}",
    "ZIP_MAX_ENTRIES": "1000",
    "ZIP_MAX_BYTES": "10000000",
    "ZIP_MAX_RATIO": "200",
    "LOG_LEVEL": "INFO",
}
#: The event source mappings' filters (``infra/capabilities/imports.py``), as far as they matter here.
LOADED = ("CREATED", "PROCESSING")
VISIBILITY_SECONDS = VISIBILITY_TIMES_TIMEOUT * CONSUMER_TIMEOUT_SECONDS


class ZipWorld(MachineWorld):
    """Of archives."""

    def __init__(self, gate: Gate | None = None, *, twice: str = "", seed: int | None = 1) -> None:
        super().__init__(gate, twice=twice, seed=seed)
        self.images: list[Item] = []
        self.memory = MemoryTableStore(self._changed)
        self.source = MemorySource(BUCKET, STORE_BUCKET)
        self.objects = SharedObjects(STORE_BUCKET, self.source)
        self.main, self.alarms = MemoryTopic(), MemoryTopic()
        self.given_up: list[str] = []
        self.hangs: Callable[[Item], bool] = lambda command: False
        #: Tokens that were handed out, to be looked for where they must not be.
        self.tokens: set[str] = set()
        self.service = ImportService(
            self.memory, self.scheduler, ["airports"], [BUCKET], random_bytes=lambda count: bytes(count)
        )
        self._deploy()
        self.started = self.scheduler.now()

    # -- doing --------------------------------------------------------------------------------------

    def create(self, content: bytes, **options: Any) -> ImportJob:
        self.source.put(BUCKET, "a.zip", content)
        return self.service.create_zip_import(BUCKET, "a.zip", CONTEXT, **options)

    def import_archive(self, content: bytes, **options: Any) -> ImportJob:
        """Until nothing is left to do; the job then."""
        job = self.create(content, **options)
        self.run()
        return self.job(job)

    def run(self) -> None:
        with self.quietly():
            self.scheduler.run_until_idle()

    def sweep(self, hours: float) -> None:
        """Let the sweeper come every five minutes for a while."""
        with self.quietly():
            for _ in range(int(hours * 12)):
                self.scheduler.run_for(300)
                self.scheduler.spawn(self.host.invoke, "sweeper", {})

    # -- looking ------------------------------------------------------------------------------------

    def job(self, job: ImportJob) -> ImportJob:
        return self.service.get_import(job.id, CONTEXT)

    def files(self, job: ImportJob) -> list[ImportedFile]:
        return self.service.list_files(job.id, CONTEXT)

    def rows(self, kind: str) -> list[Item]:
        return [row for row in self.memory.scan(IMPORT_TMP).items if row["kind"] == kind]

    def commands(self) -> list[Item]:
        return [row for row in self.memory.scan(COMMANDS).items if "status" in row]

    def outcome(self) -> dict[str, Any]:
        """What must be the same whatever goes wrong on the way: no times, no tokens."""
        names = ("status", "attempt", "result", "error", "parent", "file", "totalFiles", "failedFiles", "totalRows")
        rows = [*self.rows(status.JOB), *self.rows(status.ROW), *self.rows(status.FILE)]
        return {
            **{f"{row['pk']} {row['sk']}": {name: row[name] for name in names if name in row} for row in rows},
            "commands": sorted((row["sk"], row["name"], row["createdBy"]) for row in self.commands()),
            "objects": dict(self.objects.contents),
            "alarms": sorted({one["alarmId"] for one in self.alarms.attributes}),
        }

    def check(self) -> None:
        """What holds at every moment, and at the end."""
        self._check_images()
        counted = dict.fromkeys(SHARD_COUNTERS, 0)
        for shard in self.rows(status.COUNTERS):
            for name in SHARD_COUNTERS:
                counted[name] += shard.get(name, 0)
        actual = [counter_of(row) for row in self.rows(status.ROW)]
        assert counted == {name: actual.count(name) for name in SHARD_COUNTERS}
        assert [row["sk"] for row in self.rows(status.JOB) if "taskToken" in row] == []
        told = json.dumps([self.main.messages, self.alarms.messages, self.outcome()], default=str)
        assert self.tokens
        assert [token for token in self.tokens if token in told] == []
        assert self.given_up == []

    def _check_images(self) -> None:
        """Never are two files' jobs open; no outcome is left within its attempt."""
        open_files: set[str] = set()
        ended: dict[tuple[str, str, int], str] = {}
        for image in self.images:
            if image["kind"] == status.JOB and "parent" in image:
                (open_files.discard if status.is_terminal(image) else open_files.add)(image["sk"])
                assert len(open_files) <= 1, open_files
            if image["kind"] in (status.JOB, status.ROW) and status.is_terminal(image):
                identity = (image["pk"], image["sk"], image["attempt"])
                assert ended.setdefault(identity, image["status"]) == image["status"], identity

    # -- inside -------------------------------------------------------------------------------------

    def _deploy(self) -> None:
        self.letters = MemoryDeadLetters()
        store: Any = Gated(self.memory, self.gate)
        objects: Any = Gated(self.objects, self.gate)
        source: Any = Gated(self.source, self.gate)
        main: Any = GatedTopic(self.main, self.gate, self._sent)
        alarms: Any = GatedTopic(self.alarms, self.gate, lambda _: None)
        loader_ports = LoaderPorts(
            store=store,
            objects=objects,
            source=source,
            state_machines=self,
            clock=self.scheduler,
            dead_letters=self.letters,
        )
        import_ports = ImportPorts(
            store=store,
            objects=objects,
            main_topic=main,
            alarms=alarms,
            state_machines=self,
            clock=self.scheduler,
            dead_letters=self.letters,
        )
        outcomes = CommandOutcomes(ImportRepository(store, self.scheduler))
        starts: dict[str, Callable[[], Any]] = {
            "loader": lambda: loader.create(ENVIRONMENT, ports=loader_ports),
            "imports": lambda: imports.create(ENVIRONMENT, ports=import_ports),
            "outcomes": lambda: lambda event, _: _partial(event, outcomes.on_stream_records(event["Records"])),
        }
        sweeper_ports = SweeperPorts(
            store=store, state_machines=self, alarms=alarms, clock=self.scheduler, main_topic=main
        )
        starts["sweeper"] = lambda: sweeper.create({**SWEEPER, **ENVIRONMENT}, ports=sweeper_ports)
        for name, start in starts.items():
            self.register(name, start, timeout_s=900 if name == "loader" else CONSUMER_TIMEOUT_SECONDS)
        text = json.dumps(load_definition("import_zip"))
        for placeholder, name in (("${LoaderFunctionArn}", "loader"), ("${ImportsFunctionArn}", "imports")):
            text = text.replace(placeholder, function_arn(name))
        self.executions.create_state_machine("import-zip", text, "arn:aws:iam::1:role/zip", "STANDARD")
        self.executions.on_status_change(self._ended)

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        assert after is not None
        record = stream_record(before, after, len(self.images))
        if table == COMMANDS:
            if "status" in after:
                self.scheduler.spawn(self._deliver_record, "outcomes", record, name="commands stream")
                if before is None:
                    self.scheduler.spawn(self._apply, after, name="pipeline")
            return
        if table != IMPORT_TMP:
            return
        self.images.append(after)
        self.tokens |= {after["taskToken"]} if "taskToken" in after else set()
        if after["kind"] in (status.JOB, status.ROW):
            self.scheduler.spawn(self._deliver_record, "imports", record, name="import stream")
        if after["kind"] == status.JOB and after["status"] in LOADED:
            self.scheduler.spawn(self._deliver_record, "loader", record, name="loader stream")

    def _apply(self, command: Item) -> None:
        if self.hangs(command):
            return
        self.scheduler.sleep(5)
        self.memory.update(COMMANDS, command["pk"], command["sk"], Change(set={"status": "finish:FINISHED"}))

    def _deliver_record(self, function: str, record: Mapping[str, Any]) -> None:
        if not self.deliver(function, stream_events(record), pause=1):
            self.given_up.append(function)

    def _sent(self, message: Mapping[str, Any]) -> None:
        if message["action"] == "import-execute":
            self.scheduler.spawn(self._deliver_message, message, name="queue")

    def _deliver_message(self, message: Mapping[str, Any]) -> None:
        if not self.deliver("imports", queue_events(message), pause=VISIBILITY_SECONDS):
            self.given_up.append("queue")

    def _ended(self, execution: Execution) -> None:
        if execution.status in ENDED_BADLY:
            self.scheduler.spawn(self.host.invoke, "loader", status_event(execution), name="rule")


def airports(*names: str) -> bytes:
    """A file of airports; a name of ``!`` makes a row that is not valid."""
    rows = (f"A{index:03d},,{name},,,{'' if name == '!' else 'JP'},,1,2,," for index, name in enumerate(names))
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


def archive(*files: bytes, **named: bytes) -> bytes:
    """Files of airports in their order; others by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number, content in enumerate(files, start=1):
            file.writestr(f"{20250100000000 + number}-airports.csv", content)
        for name, content in named.items():
            file.writestr(name, content)
    return buffer.getvalue()


def _partial(event: Mapping[str, Any], failed: Mapping[int, Exception]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": str(index)} for index in failed]}
