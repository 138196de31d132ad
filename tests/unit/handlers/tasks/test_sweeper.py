"""The tasks' sweeper: lost messages, machines that died unseen, and what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.store.memory import MemoryTableStore
from handlers.store.open_rows import SweepReport
from handlers.store.port import TASKS, Change, Item
from handlers.tasks.model import Task
from handlers.tasks.service import TaskService
from handlers.tasks.stream import QUEUE_GRACE_SECONDS, TaskQueue
from handlers.tasks.sweeper import MAX_RESTARTS, TaskSweeper
from handlers.topics.memory import MemoryTopic
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT
from tests.support.tasks import TYPES, check_counters


class Place:
    def __init__(self) -> None:
        self.store, self.clock, self.topic = MemoryTableStore(), ManualClock(), MemoryTopic()
        self.queue = TaskQueue(self.store, self.clock, "tasks")
        self.service = TaskService(self.store, self.clock, TYPES)
        self.sweeper = TaskSweeper(self.store, self.clock, self.queue, self.topic)

    def single(self) -> Task:
        return self.service.create_task("job", 1, CONTEXT)

    def many(self) -> Task:
        return self.service.create_step_function_task("job", [1, 2], CONTEXT)

    def sweep(self, *, after: float = 0) -> SweepReport:
        self.clock.advance(after)
        return self.sweeper.sweep(self.clock.now() + 60)

    def row(self, task: Task) -> Item:
        row = self.store.get(TASKS, task.key.pk, task.key.sk)
        assert row is not None
        return row

    def set(self, task: Task, **fields: Any) -> None:
        self.store.update(TASKS, task.key.pk, task.key.sk, Change(set=fields))


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_task_that_was_never_queued_is(place: Place) -> None:
    task = place.single()
    assert place.sweep(after=299).outcomes == {}
    report = place.sweep(after=2)
    assert (dict(report.outcomes), report.oldest_seconds) == ({"sent again": 1}, 301)
    assert (place.row(task)["status"], place.row(task)["restart"]) == ("QUEUED", 1)
    assert [one["id"] for one in place.topic.messages] == [task.id]
    assert place.topic.attributes == [{"action": "task-execute"}]


def test_messages_are_sent_again_at_growing_intervals_then_given_up(place: Place) -> None:
    task = place.many()
    assert place.queue.message_for(place.row(task)) is not None
    sent = []
    for number in range(MAX_RESTARTS):
        assert place.sweep(after=QUEUE_GRACE_SECONDS * 2**number - 1).outcomes == {}
        place.sweep(after=2)
        sent.append(len(place.topic.messages))
    assert sent == [1, 2, 3, 4, 5]
    assert dict(place.sweep(after=QUEUE_GRACE_SECONDS * 2**MAX_RESTARTS).outcomes) == {"ended": 1}
    row = place.row(task)
    assert (row["status"], row["cancelled"]) == ("FAILED", 2)
    assert row["error"] == {"type": "NotRunning", "message": "not started after 5 more messages"}
    assert "openShard" not in row
    assert place.sweep(after=10**6).outcomes == {}
    check_counters(place.store, task)


def test_task_08_a_machine_that_died_unseen(place: Place) -> None:
    task = place.many()
    place.set(task, status="PROCESSING", dueAt=int(place.clock.now()) + 1500)
    place.store.update(TASKS, task.key.pk, task.key.item(0).sk, Change(set={"status": "PROCESSING"}))
    assert place.sweep(after=1499).outcomes == {}
    assert dict(place.sweep(after=1).outcomes) == {"ended": 1}
    row = place.row(task)
    assert (row["status"], row["failed"], row["cancelled"]) == ("FAILED", 1, 1)
    assert row["error"]["message"] == "its run showed no activity"
    check_counters(place.store, task)


def test_a_cancelled_list_that_nobody_took_is_closed(place: Place) -> None:
    task = place.many()
    place.set(task, stopping="CANCEL")
    assert dict(place.sweep(after=301).outcomes) == {"ended": 1}
    assert place.row(task)["status"] == "CANCELLED"
    assert place.topic.messages == []


def test_what_moved_on_since_the_index_was_read_is_left_alone(place: Place) -> None:
    task = place.single()
    due = place.store.due

    def then_it_ends(*args: Any, **kwargs: Any) -> Any:
        page = due(*args, **kwargs)
        if page.items:
            place.store.update(
                TASKS, task.key.pk, task.key.sk, Change(set={"status": "COMPLETED"}, remove=("openShard", "dueAt"))
            )
        return page

    place.store.due = then_it_ends  # type: ignore[method-assign]
    assert dict(place.sweep(after=301).outcomes) == {"moved on": 1}
    assert place.row(task)["status"] == "COMPLETED"


def test_a_topic_that_refuses_is_an_error_and_the_next_sweep_goes_on(place: Place) -> None:
    first, second = place.single(), place.single()
    refusing = MemoryTopic(lambda message: RuntimeError("no") if message["id"] == first.id else None)
    place.sweeper = TaskSweeper(place.store, place.clock, place.queue, refusing)
    report = place.sweep(after=301)
    assert (report.errors, dict(report.outcomes)) == (1, {"sent again": 1})
    assert [one["id"] for one in refusing.messages] == [second.id]
