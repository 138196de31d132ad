"""The queue's consumer: leases, last receives, starts that fail; and how a message is read."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.consumers.dead_letters import MemoryDeadLetters
from handlers.core.errors import TransientError, TransientThrottle, WrongStatus
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Change, Item
from handlers.tasks import stream
from handlers.tasks.handlers import TaskHandlers
from handlers.tasks.model import Task
from handlers.tasks.retry import TaskOperations
from handlers.tasks.runner import MACHINE_GRACE_SECONDS, RunnerOptions, TaskIsLeased, TaskRunner
from handlers.tasks.service import TaskService
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT
from tests.support.tasks import TYPES

LEASE = 150


class Job:
    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.action: Any = lambda given: given

    def run(self, given: Any) -> Any:
        self.calls.append(given)
        return self.action(given)


class Place:
    def __init__(self) -> None:
        self.store = MemoryTableStore()
        self.clock = ManualClock()
        self.workflows = MemoryWorkflows()
        self.letters = MemoryDeadLetters()
        self.job = Job()
        options = RunnerOptions("machine", 15, LEASE, 5)
        self.runner = TaskRunner(
            self.store, self.clock, self.workflows, TaskHandlers({"job": self.job}), self.letters, options
        )
        self.service = TaskService(self.store, self.clock, TYPES)
        self.operations = TaskOperations(self.store, self.clock)
        self.queue = stream.TaskQueue(self.store, self.clock, "tasks")

    def queued(self, task: Task) -> Task:
        assert self.queue.message_for(self.row(task)) is not None
        return task

    def single(self) -> Task:
        return self.queued(self.service.create_task("job", "in", CONTEXT))

    def row(self, task: Task) -> Item:
        row = self.store.get(TASKS, task.key.pk, task.key.sk)
        assert row is not None
        return row

    def run(self, task: Task, lease: str = "one", *, is_last: bool = False) -> None:
        self.runner.run(task.key, 1, lease, is_last=is_last)


@pytest.fixture
def place() -> Place:
    return Place()


def test_task_10_a_second_delivery_meets_a_live_lease(place: Place) -> None:
    task = place.single()
    refused: list[bool] = []

    def work(given: Any) -> Any:
        place.clock.advance(LEASE - 1)
        with pytest.raises(TaskIsLeased, match="PROCESSING, leased until"):
            place.run(task, "two")
        refused.append(True)
        return given

    place.job.action = work
    place.run(task)
    assert (refused, place.job.calls) == ([True], ["in"])
    place.run(task, "two")  # later: dropped
    assert place.job.calls == ["in"]
    assert (place.row(task)["status"], place.row(task)["result"]) == ("COMPLETED", "in")


def test_task_10_a_run_that_is_over_is_taken_over_and_its_late_outcome_dropped(place: Place) -> None:
    task = place.single()

    def slow(given: Any) -> Any:
        place.clock.advance(LEASE)
        place.job.action = lambda _: "second"
        place.run(task, "two")
        return "first"

    place.job.action = slow
    place.run(task)
    assert place.row(task)["result"] == "second"
    assert "leaseId" not in place.row(task)


def test_task_10_a_zombie_does_not_end_the_run_that_took_over(place: Place) -> None:
    task = place.single()

    def slow(_: Any) -> Any:
        place.clock.advance(LEASE)
        claimed = place.runner._claim(task.key, place.row(task), "two")
        assert claimed is not None
        return "first"

    place.job.action = slow
    place.run(task)
    assert (place.row(task)["status"], place.row(task)["leaseId"]) == ("PROCESSING", "two")


def test_an_error_releases_the_lease_and_the_last_one_is_the_outcome(place: Place) -> None:
    task = place.single()

    def refuse(_: Any) -> None:
        raise RuntimeError("gone")

    place.job.action = refuse
    with pytest.raises(RuntimeError):
        place.run(task)
    assert place.row(task)["status"] == "PROCESSING"
    assert "leaseUntil" not in place.row(task)
    place.run(task, "two", is_last=True)
    assert place.row(task)["error"] == {"type": "RuntimeError", "message": "gone"}
    place.run(task, "three")
    assert len(place.job.calls) == 2


def test_task_09_a_late_record_does_not_queue_a_task_again(place: Place) -> None:
    task = place.single()
    before = {**place.row(task), "status": "CREATED"}
    place.run(task)
    assert place.queue.message_for(before) is None
    assert place.row(task)["status"] == "COMPLETED"
    running = place.single()
    place.job.action = lambda _: place.queue.message_for({**place.row(running), "status": "CREATED"})
    place.run(running)
    assert place.row(running)["status"] == "COMPLETED"


def test_task_09_a_record_that_comes_again_sends_its_message_again(place: Place) -> None:
    """The first delivery may have died between the write and the message."""
    task = place.service.create_task("job", "in", CONTEXT)
    row = place.row(task)
    first = place.queue.message_for(row)
    assert first is not None
    assert place.queue.message_for(row) == first
    assert first.message == {
        "id": task.id,
        "action": "task-execute",
        "table": "tasks",
        "pk": "TASK#t1",
        "sk": task.key.sk,
        "tenantCode": "t1",
        "content": {"taskType": "job", "attempt": 1},
    }


def test_a_start_is_named_by_task_and_attempt_and_carries_indexes(place: Place) -> None:
    task = place.queued(place.service.create_step_function_task("job", ["a", "b"], CONTEXT, max_concurrency=7))
    place.run(task)
    place.run(task)
    ((machine, name), payload), *others = place.workflows.started.items()
    assert (machine, len(name), others) == ("machine", 64, [])
    assert payload == {"pk": "SFN_TASK#t1", "sk": task.key.sk, "attempt": 1, "maxConcurrency": 7, "items": [0, 1]}


def test_a_message_before_its_time_starts_nothing(place: Place) -> None:
    for task in (
        place.service.create_step_function_task("job", ["a", "b"], CONTEXT),
        place.service.create_task("job", 1, CONTEXT),
    ):
        with pytest.raises(TaskIsLeased, match="CREATED"):
            place.run(task)
        assert place.row(task)["status"] == "CREATED"
    assert (place.workflows.started, place.job.calls) == ({}, [])


def test_a_start_that_never_works_ends_the_task_with_the_last_receive(place: Place) -> None:
    task = place.queued(place.service.create_step_function_task("job", ["a", "b"], CONTEXT))
    place.workflows.refuse_starts = True
    with pytest.raises(TransientThrottle):
        place.run(task)
    place.run(task, is_last=True)
    row = place.row(task)
    assert (row["status"], row["error"]["type"], row["cancelled"]) == ("FAILED", "TransientThrottle", 2)


@pytest.mark.parametrize("error", [TransientError("no answer"), TransientThrottle("InternalFailure")])
def test_edge_17_a_start_that_may_have_taken_effect_does_not_end_the_task(place: Place, error: TransientError) -> None:
    task = place.queued(place.service.create_step_function_task("job", ["a", "b"], CONTEXT))
    place.workflows.lost_answer = error
    place.run(task, is_last=True)
    assert len(place.workflows.started) == 1
    row = place.row(task)
    assert row["status"] == "PROCESSING"
    assert "dueAt" in row  # should nothing run, the sweeper ends it


def test_a_cancelled_task_is_dropped(place: Place) -> None:
    task = place.single()
    assert place.operations.cancel(task.id, CONTEXT).status == "CANCELLED"
    assert place.operations.cancel(task.id, CONTEXT).status == "CANCELLED"
    place.run(task)
    assert place.job.calls == []
    with pytest.raises(WrongStatus, match="CANCELLED; only a FAILED task is retried"):
        place.operations.retry_failed_items(task.id, CONTEXT)


def test_a_list_that_is_being_cancelled_starts_no_machine(place: Place) -> None:
    task = place.queued(place.service.create_step_function_task("job", ["a", "b"], CONTEXT))
    place.store.update(TASKS, task.key.pk, task.key.sk, Change(set={"stopping": "CANCEL"}))
    place.run(task)
    row = place.row(task)
    assert (row["status"], row["cancelled"], place.workflows.started) == ("CANCELLED", 2, {})


def test_a_cancel_drops_the_result_of_a_running_handler(place: Place) -> None:
    task = place.single()
    place.job.action = lambda _: place.operations.cancel(task.id, CONTEXT).status
    place.run(task)
    assert place.row(task)["status"] == "CANCELLED"
    assert "result" not in place.row(task)


def test_a_single_task_is_retried_in_a_new_attempt(place: Place) -> None:
    task = place.single()
    place.job.action = lambda _: {1}
    place.run(task)
    again = place.operations.retry_failed_items(task.id, CONTEXT)
    assert (again.status, again.attempt, again.error) == ("CREATED", 2, None)
    assert "openShard" in place.row(task)
    place.run(task)  # a message of the first attempt
    assert len(place.job.calls) == 1


def test_a_lease_that_cannot_be_released_ends_by_itself(place: Place) -> None:
    task = place.single()

    def refuse(_: Any) -> None:
        place.runner._store = _Unreachable()  # type: ignore[assignment]
        raise RuntimeError("gone")

    place.job.action = refuse
    with pytest.raises(RuntimeError):
        place.run(task)


class _Unreachable:
    def update(self, *_: Any) -> Any:
        raise TransientError("down")


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"Message": "{}"}',
        '{"Message": "{\\"action\\": \\"import-execute\\"}"}',
        '{"Message": "{\\"action\\": \\"task-execute\\", \\"pk\\": \\"TASK#t1\\", \\"sk\\": \\"job\\"}"}',
        "no json",
    ],
)
def test_edge_24_a_message_that_is_none_is_a_dead_letter_at_once(place: Place, body: str) -> None:
    record = {"messageId": "m1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    assert place.runner([record], "i1") == {"batchItemFailures": []}
    assert [one["messageId"] for one, _ in place.letters.letters] == ["m1"]


def test_an_unknown_type_fails_at_once(place: Place) -> None:
    task = place.single()
    place.store.update(TASKS, task.key.pk, task.key.sk, Change(set={"type": "gone"}))
    place.run(task)
    assert place.row(task)["error"]["message"] == "taskType: 'gone' is not allowed; expected one of job"


@pytest.mark.parametrize("minutes", [15, 60])
def test_edge_65_the_sweeper_looks_at_a_list_when_its_machine_has_had_its_time(minutes: int) -> None:
    place = Place()
    place.runner._options = RunnerOptions("machine", minutes, LEASE, 5)
    task = place.queued(place.service.create_step_function_task("job", [1, 2], CONTEXT))
    place.run(task)
    row = place.row(task)
    expected = int(place.clock.now()) + minutes * 60 + MACHINE_GRACE_SECONDS
    assert (row["status"], row["dueAt"], len(place.workflows.started)) == ("PROCESSING", expected, 1)
