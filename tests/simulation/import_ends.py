"""When the job of a large file ends: the real machine and functions in virtual time, rows that end as a profile says.

The file is read already: what is looked at is the time between the last row's outcome and the job's, and how many
transitions the machine takes for it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.context import InvokeContext
from handlers.entrypoints import imports, loader
from handlers.entrypoints.wiring.imports import ImportPorts
from handlers.entrypoints.wiring.loader import LoaderPorts
from handlers.imports.jobs import status
from handlers.imports.jobs.model import STEP_FUNCTION, UNCHANGED
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.rows.row_batches import MOST_ROWS, RowBatches
from handlers.imports.service import ImportService
from handlers.objects.memory import MemoryObjects, MemorySource
from handlers.store.memory import MemoryTableStore
from handlers.store.port import IMPORT_TMP, Change, Item
from handlers.store.values import item_to_dynamo
from handlers.topics.memory import MemoryTopic
from infra.capabilities.imports import COUNTED_ALL
from local.functions.host import FunctionHost
from local.functions.model import FunctionSpec
from local.scheduler import Scheduler
from local.sources.filters import FilterSet
from local.states.definition.model import STANDARD
from local.states.errors import TaskDoesNotExist, TaskTimedOut
from local.states.manager import ExecutionManager
from local.states.running.history import visited_states
from tests.simulation import deployment, import_deployment
from tests.support.zip_world import ENVIRONMENT

BUCKET = "files"
CONTEXT = InvokeContext("u1", "t1")
#: Seconds between a counter's write and its record's delivery.
STREAM_DELAY = (0.1, 5.0)


@dataclass(frozen=True)
class End:
    """What a run showed, in seconds since the rows began: the last row's outcome, and the job's."""

    last_row: float
    job: float
    status: str
    transitions: int
    looks: int

    @property
    def late(self) -> float:
        """How long the job took to notice."""
        return self.job - self.last_row


class EndsWorld:
    """One job whose rows are written. ``loses``: whether a record of a counter never arrives."""

    def __init__(self, rows: int, seed: int, *, loses: Callable[[int], bool] = lambda number: False) -> None:
        self.scheduler = Scheduler.virtual(seed)
        self.random = random.Random(seed)
        self.store = MemoryTableStore(self._changed)
        self.host = FunctionHost(self.scheduler)
        self.executions = ExecutionManager(
            self.scheduler, self.host, region=deployment.REGION, account_id=deployment.ACCOUNT
        )
        self._loses = loses
        self._filter = FilterSet([json.dumps(COUNTED_ALL)])
        self.looks = 0
        self.ended_at: float | None = None
        self._deploy()
        self.import_repository = ImportRepository(self.store, self.scheduler)
        service = ImportService(self.store, self.scheduler, ["airports"], [BUCKET])
        self.key = service.create_csv_import("airports", BUCKET, "imports/a.csv", CONTEXT, mode=STEP_FUNCTION).key
        self.rows = self._written(rows)

    def run(self, moments: list[float]) -> End:
        """Let the rows end at these seconds, in any order of the rows."""
        self.random.shuffle(self.rows)
        began, arn = self.scheduler.now(), import_deployment.MACHINES[import_deployment.CSV]
        given = {"jobKey": self.key.id, "attempt": 1, "tenantCode": "t1", "tableName": "airports"}
        execution = self.executions.start_execution(arn, "e", json.dumps(given))

        def end_rows() -> None:
            for moment, row in zip(sorted(moments), self.rows, strict=True):
                wait = began + moment - self.scheduler.now()
                if wait > 0:
                    self.scheduler.sleep(wait)
                assert self.import_repository.complete(row, 1, UNCHANGED)

        self.scheduler.spawn(end_rows, name="rows")
        self.scheduler.run_until(lambda: execution.status != "RUNNING", timeout=max(moments) + 3_600)
        job = self.import_repository.job(self.key)
        assert job is not None
        assert self.ended_at is not None
        states = visited_states(execution.history.events)
        return End(max(moments), self.ended_at - began, job["status"], len(states), self.looks)

    # -- inside ---------------------------------------------------------------------------------------

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        raise NotImplementedError

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        try:
            self.executions.send_task_success(token, json.dumps(output))
        except (TaskDoesNotExist, TaskTimedOut):
            return False
        return True

    def _deploy(self) -> None:
        objects, source, letters = MemoryObjects(), MemorySource(BUCKET), MemoryDeadLetters()
        import_ports = ImportPorts(self.store, objects, MemoryTopic(), MemoryTopic(), self, self.scheduler, letters)
        loader_ports = LoaderPorts(self.store, objects, source, self, self.scheduler, letters)
        starts: dict[str, Callable[[], Any]] = {
            "imports": lambda: imports.create(ENVIRONMENT, ports=import_ports),
            "loader": lambda: loader.create(ENVIRONMENT, ports=loader_ports),
        }
        for name, start in starts.items():
            arn = deployment.function_arn(name)
            timeout = import_deployment.TIMEOUTS[name]
            self.host.register(FunctionSpec(name, arn, "", Path(), timeout_s=timeout), start=start)
        text = import_deployment.definition_text(import_deployment.CSV, 24, 10)
        name = import_deployment.MACHINES[import_deployment.CSV].rpartition(":")[2]
        self.executions.create_state_machine(name, text, "arn:aws:iam::1:role/sim", STANDARD)

    def _written(self, number: int) -> list[Item]:
        """The job as it is when the Map has come to its end, with rows that wait for their commands."""
        self.import_repository.open_shards(self.key)
        self.import_repository.begin(self.key, 1, {"size": 1, "etag": "e", "versionId": "1"})
        job = self.import_repository.job(self.key)
        assert job is not None
        new_row = self.import_repository.new_rows(job)
        rows = [new_row(self.key.row(index), index + 1, index + 2, {}, status.CREATED) for index in range(number)]
        for start in range(0, number, MOST_ROWS):
            RowBatches(self.import_repository).write(rows[start : start + MOST_ROWS])
        self.import_repository.expect(self.key, number)
        self.store.update(IMPORT_TMP, self.key.pk, self.key.sk, Change(set={"totalRows": number, "rowsWritten": True}))
        return rows

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        assert after is not None
        if after["kind"] == status.JOB and status.is_terminal(after) and self.ended_at is None:
            self.ended_at = self.scheduler.now()
        if after["kind"] != status.COUNTERS or before is None:
            return
        change = {"NewImage": item_to_dynamo(after), "OldImage": item_to_dynamo(before), "SequenceNumber": "1"}
        record = {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": change}
        if not self._filter.accepts_stream_record(record):
            return
        self.looks += 1
        if not self._loses(self.looks):
            for _ in range(self.random.choice((1, 1, 2))):
                delay = self.random.uniform(*STREAM_DELAY)
                self.scheduler.call_later(delay, lambda: self._deliver_in_a_task(record))

    def _deliver_in_a_task(self, record: Mapping[str, Any]) -> None:
        self.scheduler.spawn(self._deliver, record, name="stream")

    def _deliver(self, record: Mapping[str, Any]) -> None:
        answer = self.host.invoke("imports", {"Records": [record]})
        assert answer.error is None
        assert answer.payload == {"batchItemFailures": []}


def steady(rows: int, rng: random.Random) -> list[float]:
    """50 rows a second."""
    return [index / 50 for index in range(rows)]


def stalled(rows: int, rng: random.Random) -> list[float]:
    """As that, with a pause of an hour before the last tenth."""
    return [index / 50 + (3_600 if index >= rows * 9 // 10 else 0) for index in range(rows)]


def bursts(rows: int, rng: random.Random) -> list[float]:
    """A tenth of the rows at once, ten times, between one and ten minutes apart."""
    moments, at = [], 0.0
    for part in range(10):
        at += rng.uniform(60, 600)
        moments += [at] * len(range(part, rows, 10))
    return moments


def slow_tail(rows: int, rng: random.Random) -> list[float]:
    """200 rows a second, the last five minutes apart."""
    quick = max(rows - 5, 0)
    return [index / 200 for index in range(quick)] + [quick / 200 + 300 * number for number in range(rows - quick)]


def one_late(rows: int, rng: random.Random) -> list[float]:
    """All at once, and one after nearly a day."""
    return [0.5] * (rows - 1) + [80_000.0]


def at_once(rows: int, rng: random.Random) -> list[float]:
    """Before anybody waits."""
    return [0.0] * rows


PROFILES = (steady, stalled, bursts, slow_tail, one_late, at_once)
