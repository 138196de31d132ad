"""Every consumer's entry point meets every kind of error; what becomes of the work is what the table says.

What is permanent is never delivered again; what may pass is, and its deliveries are counted by whoever makes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.state_machines import CHECK_ROWS, CSV_ROWS_HANDLER
from handlers.commands.model import CommandInput
from handlers.commands.ports import Ports
from handlers.consumers.failure_policy import OUTCOMES, Consumer, Outcome
from handlers.core.context import InvokeContext
from handlers.core.errors import CqrsError, TransientError
from handlers.entrypoints import events, imports, loader, outcomes, states, sweeper, tasks
from handlers.entrypoints.wiring.events import EventPorts
from handlers.entrypoints.wiring.imports import ImportPorts
from handlers.entrypoints.wiring.loader import LoaderPorts
from handlers.entrypoints.wiring.outcomes import OutcomePorts
from handlers.entrypoints.wiring.sweeper import SweeperPorts
from handlers.entrypoints.wiring.tasks import TaskPorts
from handlers.event_bus.memory import MemoryBus
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.keys import ImportRowKey
from handlers.imports.service import ImportService
from handlers.objects.memory import MemoryObjects, MemorySource
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, IMPORT_TMP, TASKS, Change, Item
from handlers.store.values import item_to_dynamo
from handlers.tasks.handlers import TaskType
from handlers.tasks.service import TaskService
from handlers.tasks.stream import TaskQueue
from handlers.topics.memory import MemoryTopic
from infra.components.state_machines import load_definition
from tests.support import failing_handlers
from tests.support.pipelines import World
from tests.support.zip_world import BUCKET, ENVIRONMENT
from tests.unit.handlers.test_failure_policy import ERRORS
from tests.unit.handlers.test_settings import EVENTS, STATES, SWEEPER, TASKS_ENV
from tests.unit.handlers.test_settings import OUTCOMES as OUTCOMES_ENV

MODULES = {"HANDLER_MODULES": "tests.support.failing_handlers"}
ME = InvokeContext("u1", "t1")
BLOCKED_AFTER = 5


class Failing:
    """A port in which some methods raise; ``names`` None: all of them."""

    def __init__(self, port: Any, *names: str) -> None:
        self._port = port
        self._names = names
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if self.error is None or name not in self._names or not callable(found):
            return found

        def refuse(*_: Any, **__: Any) -> Any:
            assert self.error is not None
            raise self.error

        return refuse


class Stage:
    """The functions with ports that fail on demand."""

    def __init__(self) -> None:
        self.memory = MemoryTableStore()
        self.store = Failing(self.memory, "get", "get_together", "query", "put", "update", "transact")
        self.world = World(store=self.memory)
        self.letters, self.clock = self.world.letters, self.world.clock
        self.flows = Failing(self.world.workflows, "start")
        self.source = Failing(MemorySource(BUCKET), "find")
        self.topic = MemoryTopic()
        self.objects = MemoryObjects()
        self.service = ImportService(self.memory, self.clock, ["failing"], [BUCKET])
        self.tasks = TaskService(self.memory, self.clock, {"failing": TaskType("failing", 0.1, object)})

    def answer_of(self, handle: Any, records: list[Item]) -> Outcome | None:
        """What a batch of one record came to; None: nothing of it is to be seen here."""
        before = len(self.letters.letters)
        failures = handle({"Records": records}, None)["batchItemFailures"]
        assert not (failures and len(self.letters.letters) > before)
        if failures:
            return Outcome.RETRIED
        return Outcome.DEAD_LETTERED if len(self.letters.letters) > before else None

    def events(self) -> Any:
        any_store: Any = self.store
        flows: Any = self.flows
        ports = EventPorts(any_store, flows, MemoryTopic(), self.clock, self.topic, self.letters)
        return events.create(EVENTS, ports=ports)

    def outcomes(self, bus: Any = None) -> Any:
        store: Any = self.store
        ports = OutcomePorts(self.topic, bus or MemoryBus(), store, self.clock, self.letters)
        return outcomes.create(OUTCOMES_ENV, ports=ports)

    def imports(self) -> Any:
        store: Any = self.store
        ports = ImportPorts(
            store, self.objects, self.topic, MemoryTopic(), self.world.workflows, self.clock, self.letters
        )
        return imports.create({**ENVIRONMENT, **MODULES}, ports=ports)

    def loader(self) -> Any:
        store: Any = self.store
        source: Any = self.source
        ports = LoaderPorts(store, self.objects, source, self.world.workflows, self.clock, self.letters)
        return loader.create({**ENVIRONMENT, **MODULES}, ports=ports)

    def task_function(self) -> Any:
        store: Any = self.store
        flows: Any = self.flows
        return tasks.create({**TASKS_ENV, **MODULES}, ports=TaskPorts(store, flows, self.clock, self.letters))

    def row(self) -> Item:
        """A row on its own that waits for its consumer."""
        key = ImportRowKey.parse(*_split(self.service.create_import("failing", {"code": "c1"}, ME)))
        return self.stored(IMPORT_TMP, key.pk, key.sk)

    def job(self) -> Item:
        job = self.service.create_csv_import("failing", BUCKET, "imports/a.csv", ME)
        return self.stored(IMPORT_TMP, job.key.pk, job.key.sk)

    def task(self, *, items: bool = False) -> Item:
        create = self.tasks.create_step_function_task if items else self.tasks.create_task
        task = create("failing", ["a"], ME)
        row = self.stored(TASKS, task.key.pk, task.key.sk)
        assert TaskQueue(self.memory, self.clock, "tasks").message_for(row) is not None
        return self.stored(TASKS, task.key.pk, task.key.sk)

    def stored(self, table: str, pk: str, sk: str) -> Item:
        found = self.memory.get(table, pk, sk)
        assert found is not None
        return found


def _split(row_id: str) -> tuple[str, str]:
    kind, tenant, table, ulid = row_id.split("#")
    return f"{kind}#{tenant}", f"{table}#{ulid}"


def image(row: Item, table: str, name: str = "INSERT", before: Item | None = None) -> dict[str, Any]:
    change = {"NewImage": item_to_dynamo(row), "SequenceNumber": "7"}
    if before is not None:
        change["OldImage"] = item_to_dynamo(before)
    arn = f"arn:aws:dynamodb:r:1:table/{table}/stream/1"
    return {"eventName": name, "eventSource": "aws:dynamodb", "eventSourceARN": arn, "dynamodb": change}


def message(row: Item, action: str, receives: int = 1) -> dict[str, Any]:
    content = {"pk": row["pk"], "sk": row["sk"], "action": action, "content": {"attempt": row["attempt"]}}
    body = json.dumps({"Message": json.dumps(content)})
    attributes = {"ApproximateReceiveCount": str(receives)}
    return {"messageId": "m1", "eventSource": "aws:sqs", "body": body, "attributes": attributes}


def state(name: str, execution_input: Any, given: Any, machine: str = "m") -> dict[str, Any]:
    return {
        "source": "step-function",
        "context": {
            "Execution": {"Id": "arn:e", "Name": "e", "StartTime": "s", "Input": execution_input},
            "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": name, "RetryCount": 0},
            "StateMachine": {"Id": "arn:m", "Name": machine},
        },
        "input": given,
    }


def retried_names() -> set[str]:
    """The names of errors that every state of our machines tries again, beside Lambda's own."""
    check: list[set[str]] = []
    for name in ("command", "task", "import_csv", "import_zip"):
        states = load_definition(name)["States"]
        check += [
            {one for retrier in found["Retry"] for one in retrier["ErrorEquals"]}
            for found in states.values()
            if "Retry" in found
        ]
    return set.intersection(*check)


def raised_by(call: Callable[[], Any]) -> Outcome | None:
    """What a machine does about what a state raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - as Step Functions, which goes by the name
        return Outcome.RETRIED if type(error).__name__ in retried_names() else Outcome.CAUGHT
    return None


# -- the consumers ------------------------------------------------------------------------------------


def command_stream_of_events(stage: Stage, error: Exception) -> Outcome | None:
    stage.world.publish(CommandInput("ORDER", "o1", "n", {}))
    handle, stage.flows.error = stage.events(), error
    return stage.answer_of(handle, [image(stage.world.row(1), "commands")])


def task_stream_of_events(stage: Stage, error: Exception) -> Outcome | None:
    row = {**stage.task(), "status": "CREATED"}
    handle, stage.store.error = stage.events(), error
    return stage.answer_of(handle, [image(row, EVENTS["TASKS_TABLE"])])


def command_stream_of_notifications(stage: Stage, error: Exception) -> Outcome | None:
    request = ImportRowKey.parse(*_split("IMPORT#t1#failing#" + "A" * 26)).request_id(1)
    row = {"pk": "TENANT#t1", "sk": "ORDER#o1@0000000001", "id": "i", "source": "import", "requestId": request}
    new = {**row, "status": "finish:FINISHED", "attempt": 1}
    handle, stage.store.error = stage.outcomes(), error
    return stage.answer_of(handle, [image(new, "commands", "MODIFY", {**new, "status": "publish:ACCEPTED"})])


def stream_of_imports(stage: Stage, error: Exception) -> Outcome | None:
    job = stage.job()
    import_repository = ImportRepository(stage.memory, stage.clock)
    key = stage.service.get_import(job["id"], ME).key.row(1)
    row = import_repository.new_rows(job)(key, 2, 2, {"code": "a"}, "CANCELLED")
    handle, stage.store.error = stage.imports(), error
    return stage.answer_of(handle, [image(row, "import_tmp")])


def stream_of_the_loader(stage: Stage, error: Exception) -> Outcome | None:
    job = stage.job()
    handle, stage.store.error = stage.loader(), error
    return stage.answer_of(handle, [image(job, "import_tmp")])


def files_of_the_loader(stage: Stage, error: Exception) -> Outcome | None:
    job = stage.job()
    handle, stage.source.error = stage.loader(), error
    outcome = stage.answer_of(handle, [image(job, "import_tmp")])
    row = stage.stored(IMPORT_TMP, job["pk"], job["sk"])
    assert (outcome is None) == (row["status"] == "FAILED")
    return outcome or Outcome.FAILED


def notification_queue(stage: Stage, error: Exception) -> Outcome | None:
    row = {"pk": "TENANT#t1", "sk": "ORDER#o1", "attempt": 1}
    handle = stage.outcomes(MemoryBus(lambda _: error))
    return stage.answer_of(handle, [message(row, "command-status")])


def import_queue(stage: Stage, error: Exception) -> Outcome | None:
    row = stage.row()
    handle, stage.store.error = stage.imports(), error
    return stage.answer_of(handle, [message(row, "import-execute")])


def task_queue(stage: Stage, error: Exception) -> Outcome | None:
    row = stage.task()
    handle, stage.store.error = stage.task_function(), error
    return stage.answer_of(handle, [message(row, "task-execute")])


def ended(stage: Stage, handle: Any, table: str, row: Item, action: str) -> Outcome | None:
    """A row that fails, at once or with its last receive: it has its outcome in the end, unless it is held."""
    outcome = stage.answer_of(handle, [message(row, action)])
    if outcome is Outcome.RETRIED:
        assert stage.stored(table, row["pk"], row["sk"])["status"] not in ("FAILED", "COMPLETED")
        last = stage.answer_of(handle, [message(row, action, BLOCKED_AFTER)])
        if last is Outcome.RETRIED:  # SQS puts the message into the dead-letter queue
            assert stage.stored(table, row["pk"], row["sk"])["status"] == "CREATED"
            return Outcome.HELD
        assert last is None
    now = stage.stored(table, row["pk"], row["sk"])
    assert now["status"] == "FAILED"
    assert now["error"]["type"]
    return outcome or Outcome.FAILED


def rows_of_the_import_queue(stage: Stage, error: Exception) -> Outcome | None:
    row, handle = stage.row(), stage.imports()
    failing_handlers.RAISED.append(error)
    return ended(stage, handle, IMPORT_TMP, row, "import-execute")


def tasks_of_the_task_queue(stage: Stage, error: Exception) -> Outcome | None:
    row, handle = stage.task(), stage.task_function()
    failing_handlers.RAISED.append(error)
    return ended(stage, handle, TASKS, row, "task-execute")


def starts_of_lists_of_tasks(stage: Stage, error: Exception) -> Outcome | None:
    """After an error that may pass the machine may run: with the last receive the task is left to it."""
    row, handle, stage.flows.error = stage.task(items=True), stage.task_function(), error
    outcome = stage.answer_of(handle, [message(row, "task-execute")])
    if outcome is Outcome.RETRIED:
        assert stage.answer_of(handle, [message(row, "task-execute", BLOCKED_AFTER)]) is None
    status = stage.stored(TASKS, row["pk"], row["sk"])["status"]
    assert status == ("PROCESSING" if outcome is Outcome.RETRIED else "FAILED")
    return outcome or Outcome.FAILED


def state_of_a_command(stage: Stage, error: Exception) -> Outcome | None:
    world = stage.world
    run = world.publish(CommandInput("FAILING", "o1", "n", {}))
    handle = states.create({**STATES, **MODULES}, ports=Ports(stage.memory, world.workflows, world.alarms, stage.clock))
    row = stage.memory.scan(COMMANDS).items[0]
    given = {name: row[name] for name in ("pk", "sk", "id", "attempt")}
    assert handle(state("check_version", given, given), None) == [[{"result": 0}]]
    assert run.key.sk == row["sk"]
    failing_handlers.RAISED.append(error)
    return raised_by(lambda: handle(state("sync_data", given, {"target": "failing"}), None))


def state_of_an_item(stage: Stage, error: Exception) -> Outcome | None:
    row = stage.task(items=True)
    stage.memory.update(TASKS, row["pk"], row["sk"], Change(set={"status": "PROCESSING"}))
    handle = stage.task_function()
    failing_handlers.RAISED.append(error)
    given = {"pk": row["pk"], "sk": row["sk"], "attempt": 1}
    outcome = raised_by(lambda: handle(state("iterator", given, {"index": 0}), None))
    if outcome is None:  # caught where the other items can go on
        (item,) = [one for one in stage.memory.scan(TASKS).items if one["kind"] == "item"]
        assert item["status"] == "FAILED"
    return outcome or Outcome.CAUGHT


def state_of_the_imports_function(stage: Stage, error: Exception) -> Outcome | None:
    job = stage.job()
    batch = {"BatchInput": {"Attributes": {"jobKey": job["id"], "attempt": 1}}, "Items": []}
    handle, stage.store.error = stage.imports(), error
    return raised_by(lambda: handle(state(CSV_ROWS_HANDLER, {}, batch), None))


def state_of_the_loader(stage: Stage, error: Exception) -> Outcome | None:
    job = stage.job()
    given = {"jobKey": job["id"], "attempt": 1, "deadline": 2**40, "waitSeconds": 5}
    handle, stage.store.error = stage.loader(), error
    return raised_by(lambda: handle(state(CHECK_ROWS, given, given), None))


def state_of_an_archive(stage: Stage, error: Exception) -> Outcome | None:
    job = stage.service.create_zip_import(BUCKET, "imports/a.zip", ME)
    given = {"jobKey": job.id, "attempt": 1, "tenantCode": "t1"}
    handle, stage.store.error = stage.loader(), error
    return raised_by(lambda: handle(state("zip_loader", given, given), None))


def sweep(stage: Stage, error: Exception) -> Outcome | None:
    stage.row()
    stage.clock.advance(3_600)
    store: Any = stage.store
    ports = SweeperPorts(store, stage.world.workflows, MemoryTopic(), stage.clock, stage.topic)
    handle, stage.store.error = sweeper.create(SWEEPER, ports=ports), error

    class Context:
        @staticmethod
        def get_remaining_time_in_millis() -> int:
            return 300_000

    with pytest.raises(sweeper.SweepIncomplete, match="1 rows could not be healed"):
        handle({}, Context)
    stage.store.error = None
    assert handle({}, Context)["imports"] == {"looked after": 1}
    return Outcome.LEFT


def door(stage: Stage, error: Exception) -> Outcome | None:
    store: Any = stage.store
    doors: list[Callable[[], Any]] = [
        lambda: World(store=store).publish(CommandInput("ORDER", "o1", "n", {})),
        lambda: ImportService(store, stage.clock, ["failing"], [BUCKET]).create_import("failing", {"code": "a"}, ME),
        lambda: TaskService(store, stage.clock, {"failing": TaskType("failing", 0.1, object)}).create_task(
            "failing", 1, ME
        ),
    ]
    stage.store.error = error
    for call in doors:
        with pytest.raises(CqrsError if isinstance(error, CqrsError) else type(error)):
            call()
    assert [one for table in (COMMANDS, IMPORT_TMP, TASKS) for one in stage.memory.scan(table).items] == []
    return Outcome.RAISED


CONSUMERS: dict[Callable[[Stage, Exception], Outcome | None], Consumer] = {
    command_stream_of_events: Consumer.STREAM_RECORD,
    task_stream_of_events: Consumer.STREAM_RECORD,
    command_stream_of_notifications: Consumer.STREAM_RECORD,
    stream_of_imports: Consumer.STREAM_RECORD,
    stream_of_the_loader: Consumer.STREAM_RECORD,
    notification_queue: Consumer.QUEUE_MESSAGE,
    import_queue: Consumer.QUEUE_MESSAGE,
    task_queue: Consumer.QUEUE_MESSAGE,
    rows_of_the_import_queue: Consumer.IMPORT_ROW,
    files_of_the_loader: Consumer.IMPORT_JOB,
    tasks_of_the_task_queue: Consumer.TASK,
    starts_of_lists_of_tasks: Consumer.TASK,
    state_of_a_command: Consumer.STATE,
    state_of_an_item: Consumer.STATE,
    state_of_the_imports_function: Consumer.STATE,
    state_of_the_loader: Consumer.STATE,
    state_of_an_archive: Consumer.STATE,
    sweep: Consumer.SWEEP,
    door: Consumer.SERVICE_CALL,
}


@pytest.fixture(autouse=True)
def nothing_raised() -> Iterator[None]:
    failing_handlers.RAISED.clear()
    yield
    failing_handlers.RAISED.clear()


def test_every_consumer_of_the_table_is_driven() -> None:
    assert set(CONSUMERS.values()) == set(Consumer)
    assert {"TransientError", "TransientThrottle", "TransientConflict"} <= retried_names()
    assert issubclass(TransientError, CqrsError)


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("name", ERRORS)
def test_edge_24_each_consumer_does_with_each_error_what_the_table_says(
    consumer: Callable[[Stage, Exception], Outcome | None], name: str
) -> None:
    error, nature = ERRORS[name]
    assert consumer(Stage(), error) is OUTCOMES[CONSUMERS[consumer]][nature]
