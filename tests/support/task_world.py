"""The task route in memory: real entry points and the real definition, in virtual time, with a fault at one call."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.entrypoints import events, sweeper, tasks
from handlers.entrypoints.wiring.events import EventPorts
from handlers.entrypoints.wiring.sweeper import SweeperPorts
from handlers.entrypoints.wiring.tasks import TaskPorts
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Item, TableStore
from handlers.store.values import item_to_dynamo
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import TaskService
from handlers.topics.memory import MemoryTopic
from handlers.topics.port import Notice
from infra.capabilities.tasks import LEASE_SECONDS
from infra.components.messaging import MAX_RECEIVE_COUNT, TASKS_TIMEOUT_SECONDS, VISIBILITY_TIMES_TIMEOUT
from infra.components.state_machines import load_definition
from local.functions.host import FunctionHost
from local.functions.model import FunctionSpec, InvokeResult, SimulatedCrash
from local.scheduler import Scheduler
from local.states.errors import ExecutionAlreadyExists
from local.states.manager import ExecutionManager
from local.states.running.executions import Execution
from tests.support import recorder
from tests.support.tasks import TERMINAL, TYPES, check_images
from tests.unit.handlers.test_settings import EVENTS, SWEEPER, TASKS_ENV

REGION, ACCOUNT = "eu-central-1", "123456789012"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:task-handler"
STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{EVENTS['TASKS_TABLE']}/stream/1"
VISIBILITY_SECONDS = VISIBILITY_TIMES_TIMEOUT * TASKS_TIMEOUT_SECONDS
ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
SWEEP_SECONDS = 300.0
MOST_SWEEPS = 100
AT_ONCE, LATER = "at once", "later"
NOTHING, BEFORE, AFTER = "nothing", "before", "after"

R = TypeVar("R")


class Gate:
    """Counts the calls of functions and callers to AWS; the process dies before or after one of them."""

    def __init__(self, fault: str = NOTHING, at: int = 0) -> None:
        self._fault = fault
        self._at = at
        self.calls: list[str] = []
        #: Where other tasks may run first.
        self.checkpoint: Callable[[str], None] = lambda _: None

    def cross(self, what: str, action: Callable[[], R]) -> R:
        self.calls.append(what)
        number = len(self.calls)
        self.checkpoint(what)
        due = number == self._at
        if due and self._fault == BEFORE:
            raise SimulatedCrash(what)
        result = action()
        if due and self._fault == AFTER:
            raise SimulatedCrash(what)
        return result


class GatedStore:
    """The table port behind the gate."""

    def __init__(self, store: TableStore, gate: Gate) -> None:
        self._store = store
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        return lambda *args, **kwargs: self._gate.cross(name, lambda: method(*args, **kwargs))


class GatedTopic:
    """The topic port behind the gate; ``PublishBatch`` is one call."""

    def __init__(self, topic: MemoryTopic, gate: Gate, sent: Callable[[Mapping[str, Any]], None]) -> None:
        self._topic = topic
        self._gate = gate
        self._sent = sent

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        self.publish_many([Notice(message, attributes)])

    def publish_many(self, notices: Sequence[Notice]) -> dict[int, Exception]:
        def publish() -> dict[int, Exception]:
            unsent = self._topic.publish_many(notices)
            for notice in notices:
                self._sent(notice.message)
            return unsent

        return self._gate.cross("publish", publish)


class TaskWorld:
    """``twice`` delivers every Lambda call twice: ``AT_ONCE`` side by side, ``LATER`` one after the other."""

    def __init__(self, gate: Gate | None = None, *, twice: str = "", seed: int | None = 1) -> None:
        self.gate = gate or Gate()
        self.scheduler = Scheduler.virtual(seed)
        self.gate.checkpoint = self.scheduler.checkpoint
        self.recorder = recorder.install()
        self.images: list[Item] = []
        self.memory = MemoryTableStore(self._changed)
        self.store: Any = GatedStore(self.memory, self.gate)
        self.main, self.alarm_topic = MemoryTopic(), MemoryTopic()
        self.dead_letters: list[Mapping[str, Any]] = []
        self.host = FunctionHost(self.scheduler)
        self.executions = ExecutionManager(
            self.scheduler, self.host, region=REGION, account_id=ACCOUNT, keep_histories=0
        )
        self.service = TaskService(self.store, self.scheduler, TYPES, random_bytes=lambda count: bytes(count))
        self.operations = TaskOperations(self.store, self.scheduler)
        if twice:
            self.host.interceptors.append(interceptor(self.scheduler, side_by_side=twice == AT_ONCE))
        self._deploy()

    # -- doing --------------------------------------------------------------------------------------

    def call(self, work: Callable[[], R]) -> R:
        """A caller of ours, who calls again after a crash."""
        for _ in range(3):
            done = self.scheduler.execute(lambda: _caught(work))
            self.scheduler.run_until(lambda done=done: done.done)  # type: ignore[misc]
            result = done.result()
            if not isinstance(result, SimulatedCrash):
                return result
        raise AssertionError("crashed each time")

    def run(self) -> None:
        """Until every task has its outcome and nothing is left to do."""
        logging.disable(logging.CRITICAL)
        try:
            for _ in range(MOST_SWEEPS):
                self.scheduler.run_until_idle()
                if not self.open_tasks():
                    return
                self.scheduler.run_for(SWEEP_SECONDS)
                self.scheduler.spawn(self._invoke, "sweeper", {})
            raise AssertionError(f"still open: {self.open_tasks()}")
        finally:
            logging.disable(logging.NOTSET)

    # -- looking ------------------------------------------------------------------------------------

    def rows(self) -> dict[str, Item]:
        """All tasks and items by sort key, as they are now."""
        return {image["sk"]: image for image in self.images if "kind" in image}

    def open_tasks(self) -> list[str]:
        return [sk for sk, row in self.rows().items() if row["kind"] != "item" and row["status"] not in TERMINAL]

    def outcome(self) -> dict[str, Any]:
        """What must be the same whatever goes wrong on the way: no times, no leases."""
        names = ("status", "attempt", "result", "error", "total", "succeeded", "failed", "cancelled")
        return {sk: {name: row[name] for name in names if name in row} for sk, row in sorted(self.rows().items())}

    def alarm_ids(self) -> Counter[str]:
        """How often each alarm went out."""
        return Counter(one["alarmId"] for one in self.alarm_topic.attributes)

    def told(self) -> Counter[tuple[str, int, str]]:
        """How often the main topic's subscribers heard of each outcome."""
        messages = (one for one in self.main.messages if one["action"] != "task-execute")
        return Counter((one["id"], one["content"]["attempt"], one["content"]["status"]) for one in messages)

    def check(self) -> None:
        check_images(self.images)

    # -- inside -------------------------------------------------------------------------------------

    def _deploy(self) -> None:
        self.letters = MemoryDeadLetters()
        main = GatedTopic(self.main, self.gate, self._sent)
        alarms = GatedTopic(self.alarm_topic, self.gate, lambda _: None)
        event_ports = EventPorts(self.store, self, alarms, self.scheduler, main, self.letters)
        task_ports = TaskPorts(self.store, self, self.scheduler, self.letters)
        sweeper_ports = SweeperPorts(self.store, self, alarms, self.scheduler, main)
        environment = {**TASKS_ENV, "HANDLER_MODULES": "tests.support.recording_handlers"}
        own = {"TASK_STATE_MACHINE_ARN": MACHINE, "LEASE_SECONDS": str(LEASE_SECONDS)}
        starts: dict[str, Callable[[], Any]] = {
            "events": lambda: events.create({**EVENTS, **own}, ports=event_ports),
            "tasks": lambda: tasks.create({**environment, **own}, ports=task_ports),
            "sweeper": lambda: sweeper.create(SWEEPER, ports=sweeper_ports),
        }
        for name, start in starts.items():
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
            timeout = TASKS_TIMEOUT_SECONDS if name == "tasks" else 60
            self.host.register(FunctionSpec(name, arn, "", Path(), timeout_s=timeout), start=start)
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tasks"
        text = json.dumps(load_definition("task")).replace("${TasksFunctionArn}", arn)
        self.executions.create_state_machine("task-handler", text, "arn:aws:iam::1:role/tasks", "STANDARD")
        self.executions.on_status_change(self._ended)

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines."""

        def start() -> bool:
            try:
                self.executions.start_execution(machine, name, json.dumps(payload, sort_keys=True))
            except ExecutionAlreadyExists:
                return False
            return True

        return self.gate.cross("StartExecution", start)

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines. Tasks have no tokens."""
        raise AssertionError("nothing here waits for a token")

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        if table != TASKS or after is None:
            return
        self.images.append(after)
        change = {"NewImage": item_to_dynamo(after), "SequenceNumber": str(len(self.images))}
        if before is not None:
            change["OldImage"] = item_to_dynamo(before)
        record = {
            "eventName": "INSERT" if before is None else "MODIFY",
            "eventSource": "aws:dynamodb",
            "eventSourceARN": STREAM,
            "dynamodb": change,
        }
        self.scheduler.spawn(self._deliver_record, record, name="stream")

    def _deliver_record(self, record: Mapping[str, Any]) -> None:
        for _ in range(10):
            answer = self._invoke("events", {"Records": [record]})
            if answer is not None and not answer["batchItemFailures"]:
                return
            self.scheduler.sleep(1)
        raise AssertionError("the record was given up")

    def _sent(self, message: Mapping[str, Any]) -> None:
        if message["action"] == "task-execute":
            self.scheduler.spawn(self._deliver_message, message, name="queue")

    def _deliver_message(self, message: Mapping[str, Any]) -> None:
        for receive in range(1, MAX_RECEIVE_COUNT + 1):
            answer = self._invoke("tasks", {"Records": [queue_record(message, receive)]})
            if answer is not None and not answer["batchItemFailures"]:
                return
            self.scheduler.sleep(VISIBILITY_SECONDS)
        self.dead_letters.append(message)

    def _ended(self, execution: Execution) -> None:
        if execution.status in ENDED_BADLY:
            detail = {
                "executionArn": execution.arn,
                "stateMachineArn": execution.machine.arn,
                "name": execution.name,
                "status": execution.status,
                "input": execution.input_text,
            }
            self.scheduler.spawn(self._deliver_status, {"source": "aws.states", "detail": detail}, name="rule")

    def _deliver_status(self, event: Mapping[str, Any]) -> None:
        for _ in range(3):
            if self._invoke("events", event) is not None:
                return
            self.scheduler.sleep(60)

    def _invoke(self, function: str, payload: Any) -> Any:
        """The answer, None after an error."""
        result: InvokeResult = self.host.invoke(function, payload)
        return None if result.error is not None else result.payload


def interceptor(scheduler: Scheduler, *, side_by_side: bool) -> Callable[[str, Any, Any], InvokeResult]:
    """Delivers each Lambda call twice."""

    def twice(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        if side_by_side:
            scheduler.spawn(proceed, payload, name="duplicate")
            return proceed(payload)
        proceed(payload)
        return proceed(payload)

    return twice


def queue_record(message: Mapping[str, Any], receive: int) -> dict[str, Any]:
    """A queue's record of a main topic's message."""
    return {
        "messageId": f"m-{message['id']}",
        "eventSource": "aws:sqs",
        "body": json.dumps({"Message": json.dumps(message)}),
        "attributes": {"ApproximateReceiveCount": str(receive)},
    }


def _caught(work: Callable[[], R]) -> R | SimulatedCrash:
    try:
        return work()
    except SimulatedCrash as crash:
        return crash
