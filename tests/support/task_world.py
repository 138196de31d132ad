"""The task route in memory: real entry points and the real definition, in virtual time, with a fault at one call."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.entrypoints import events, sweeper, tasks
from handlers.entrypoints.wiring.events import EventPorts
from handlers.entrypoints.wiring.sweeper import SweeperPorts
from handlers.entrypoints.wiring.tasks import TaskPorts
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Item
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import TaskService
from handlers.topics.memory import MemoryTopic
from infra.capabilities.tasks import LEASE_SECONDS
from infra.components.messaging import TASKS_TIMEOUT_SECONDS, VISIBILITY_TIMES_TIMEOUT
from infra.components.state_machines import load_definition
from local.functions.model import SimulatedCrash
from local.states.running.executions import Execution
from tests.support import recorder
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
from tests.support.tasks import TERMINAL, TYPES, check_images
from tests.unit.handlers.test_settings import EVENTS, SWEEPER, TASKS_ENV

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:task-handler"
STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{EVENTS['TASKS_TABLE']}/stream/1"
VISIBILITY_SECONDS = VISIBILITY_TIMES_TIMEOUT * TASKS_TIMEOUT_SECONDS
SWEEP_SECONDS = 300.0
STATUS_TRIES = 3
MOST_SWEEPS = 100

R = TypeVar("R")


class TaskWorld(MachineWorld):
    """Of tasks."""

    def __init__(self, gate: Gate | None = None, *, twice: str = "", seed: int | None = 1) -> None:
        super().__init__(gate, twice=twice, seed=seed, keep_histories=0)
        self.recorder = recorder.install()
        self.images: list[Item] = []
        self.memory = MemoryTableStore(self._changed)
        self.store: Any = Gated(self.memory, self.gate)
        self.main, self.alarm_topic = MemoryTopic(), MemoryTopic()
        self.dead_letters: list[Mapping[str, Any]] = []
        self.service = TaskService(self.store, self.scheduler, TYPES, random_bytes=lambda count: bytes(count))
        self.operations = TaskOperations(self.store, self.scheduler)
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
        with self.quietly():
            for _ in range(MOST_SWEEPS):
                self.scheduler.run_until_idle()
                if not self.open_tasks():
                    return
                self.scheduler.run_for(SWEEP_SECONDS)
                self.scheduler.spawn(self.host.invoke, "sweeper", {})
            raise AssertionError(f"still open: {self.open_tasks()}")

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

    def notifications(self) -> Counter[tuple[str, int, str]]:
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
            self.register(name, start, timeout_s=TASKS_TIMEOUT_SECONDS if name == "tasks" else 60)
        text = json.dumps(load_definition("task")).replace("${TasksFunctionArn}", function_arn("tasks"))
        self.executions.create_state_machine("task-handler", text, "arn:aws:iam::1:role/tasks", "STANDARD")
        self.executions.on_status_change(self._ended)

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines. Tasks have no tokens."""
        raise AssertionError("nothing here waits for a token")

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        if table != TASKS or after is None:
            return
        self.images.append(after)
        record = {**stream_record(before, after, len(self.images)), "eventSourceARN": STREAM}
        self.scheduler.spawn(self._deliver_record, record, name="stream")

    def _deliver_record(self, record: Mapping[str, Any]) -> None:
        if not self.deliver("events", stream_events(record), pause=1):
            raise AssertionError("the record was given up")

    def _sent(self, message: Mapping[str, Any]) -> None:
        if message["action"] == "task-execute":
            self.scheduler.spawn(self._deliver_message, message, name="queue")

    def _deliver_message(self, message: Mapping[str, Any]) -> None:
        if not self.deliver("tasks", queue_events(message), pause=VISIBILITY_SECONDS):
            self.dead_letters.append(message)

    def _ended(self, execution: Execution) -> None:
        if execution.status in ENDED_BADLY:
            self.scheduler.spawn(self.deliver, "events", [status_event(execution)] * STATUS_TRIES, 60, name="rule")


def _caught(work: Callable[[], R]) -> R | SimulatedCrash:
    try:
        return work()
    except SimulatedCrash as crash:
        return crash
