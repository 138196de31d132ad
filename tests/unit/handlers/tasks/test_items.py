"""One item's turn: stop, conflicts, and calls that come too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from handlers.commands.failure import Failure
from handlers.core.errors import TransientConflict
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Change, Item, Write
from handlers.tasks.finalize import Finalizer
from handlers.tasks.handlers import TaskHandlers
from handlers.tasks.items import DROPPED, SETTLE_ROUNDS, ItemRunner
from handlers.tasks.model import Task
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import TaskService
from local.functions.model import SimulatedCrash
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT
from tests.support.tasks import TYPES, check_counters, check_images


class Store(MemoryTableStore):
    conflicts = 0

    def transact(self, writes: Sequence[Write]) -> None:
        if self.conflicts:
            self.conflicts -= 1
            raise TransientConflict("another item")
        super().transact(writes)


class Job:
    action: Any = staticmethod(lambda given: given)

    def run(self, given: Any) -> Any:
        return self.action(given)


class Place:
    def __init__(self, on_item_error: str = "continue") -> None:
        self.store, self.clock, self.job = Store(), ManualClock(), Job()
        self.items = ItemRunner(self.store, self.clock, TaskHandlers({"job": self.job}), sleep=lambda _: None)
        self.finalize = Finalizer(self.store, self.clock)
        service = TaskService(self.store, self.clock, TYPES)
        self.task: Task = service.create_step_function_task("job", [0, 1, 2], CONTEXT, on_item_error=on_item_error)
        self.set(status="PROCESSING")

    def set(self, **fields: Any) -> None:
        self.store.update(TASKS, self.task.key.pk, self.task.key.sk, Change(set=fields))

    def run(self, index: int) -> dict[str, str]:
        return self.items.run(self.task.key.item(index), 1)

    def row(self, index: int | None = None) -> Item:
        sk = self.task.key.sk if index is None else self.task.key.item(index).sk
        row = self.store.get(TASKS, self.task.key.pk, sk)
        assert row is not None
        return row

    def check(self) -> None:
        check_counters(self.store, self.task)


def refuse(_: Any) -> None:
    raise ValueError("no")


def test_task_07_a_repeated_call_changes_nothing() -> None:
    place = Place()
    assert place.run(0) == {"result": "COMPLETED"}
    before = place.row(), place.row(0)
    assert place.run(0) == DROPPED
    assert place.items.record_failure(place.task.key.item(0), 1, Failure("X", "y")) == DROPPED
    assert (place.row(), place.row(0)) == before


def test_task_08_an_item_whose_calls_all_crashed_fails_with_the_machines_error() -> None:
    place = Place()
    crash = Failure("Lambda.Unknown", "the function ended")
    assert place.items.record_failure(place.task.key.item(1), 1, crash) == {"result": "FAILED"}
    assert (place.row(1)["status"], place.row(1)["error"]) == (
        "FAILED",
        {"type": "Lambda.Unknown", "message": "the function ended"},
    )
    place.check()


@pytest.mark.parametrize("change", [{"status": "FAILED"}, {"attempt": 2}, {"status": "QUEUED"}])
def test_a_call_for_a_task_that_moved_on_is_dropped(change: dict[str, Any]) -> None:
    place = Place()
    place.set(**change)
    assert place.run(0) == DROPPED
    assert place.row(0)["status"] == "CREATED"


def test_an_item_that_is_not_there_is_dropped() -> None:
    assert Place().run(7) == DROPPED


def test_task_11_an_item_that_was_read_before_the_stop_does_not_start() -> None:
    """The other item fails between this one's read and its claim."""
    place = Place("stop")
    with_item = place.items._rows.with_item

    def then_the_other_fails(key: Any) -> Any:
        found = with_item(key)
        place.items._rows.with_item = with_item  # type: ignore[method-assign]
        place.job.action = refuse
        assert place.run(0) == {"result": "FAILED"}
        return found

    place.items._rows.with_item = then_the_other_fails  # type: ignore[method-assign]
    assert place.run(1) == {"result": "CANCELLED"}
    assert place.run(2) == {"result": "CANCELLED"}
    assert place.finalize(place.task.key, 1) == "FAILED"
    assert place.row()["error"]["message"] == "1 of 3 items failed, 2 were cancelled"
    place.check()


def test_continue_runs_the_others() -> None:
    place = Place()
    place.job.action = refuse
    assert place.run(0) == {"result": "FAILED"}
    place.job.action = lambda given: given
    assert [place.run(1), place.run(2)] == [{"result": "COMPLETED"}] * 2
    assert place.finalize(place.task.key, 1) == "FAILED"
    assert place.finalize(place.task.key, 1) == "FAILED"
    place.check()


def test_conflicts_on_the_counters_are_waited_out() -> None:
    place = Place()
    place.store.conflicts = SETTLE_ROUNDS - 1
    assert place.run(0) == {"result": "COMPLETED"}
    place.store.conflicts = SETTLE_ROUNDS
    with pytest.raises(TransientConflict):
        place.run(1)
    assert place.row(1)["status"] == "PROCESSING"
    assert place.run(1) == {"result": "COMPLETED"}  # the machine's own retry
    place.check()


def test_a_result_that_is_too_large_is_the_items_failure() -> None:
    place = Place()
    place.job.action = lambda _: "x" * 40_000
    assert place.run(0) == {"result": "FAILED"}
    assert place.row(0)["error"] == {
        "type": "ValidationError",
        "message": "result: '40002 bytes' is not allowed; expected at most 32768 bytes of JSON",
    }


def test_task_08_what_began_ends_failed_what_did_not_ends_cancelled() -> None:
    place = Place()
    place.run(0)
    place.store.update(TASKS, place.task.key.pk, place.task.key.item(1).sk, Change(set={"status": "PROCESSING"}))
    error = {"type": "NotRunning", "message": "execution e ended as TIMED_OUT"}
    assert place.finalize(place.task.key, 1, error) == "FAILED"
    assert place.row()["error"] == error
    assert [place.row(index)["status"] for index in range(3)] == ["COMPLETED", "FAILED", "CANCELLED"]
    assert place.row(1)["error"] == error
    place.check()
    assert place.run(1) == DROPPED  # the zombie
    place.check()


def test_task_08_a_machine_that_dies_after_its_last_item_has_done_its_work() -> None:
    place = Place()
    for index in range(3):
        place.run(index)
    assert place.finalize(place.task.key, 1, {"type": "NotRunning", "message": "aborted"}) == "COMPLETED"
    assert "error" not in place.row()


def test_task_08_the_first_outcome_stays() -> None:
    """Two end the task at the same moment, for different reasons."""
    place = Place()
    for index in range(3):
        place.job.action = refuse if index else (lambda given: given)
        place.run(index)
    stale = place.row()
    assert place.finalize(place.task.key, 1) == "FAILED"
    first = place.row()
    task = place.finalize._rows.task
    reads = [stale]
    place.finalize._rows.task = lambda key: reads.pop() if reads else task(key)  # type: ignore[method-assign]
    assert place.finalize(place.task.key, 1, {"type": "NotRunning", "message": "late"}) == "FAILED"
    assert place.row() == first


def test_a_task_that_is_not_there_has_no_outcome() -> None:
    place = Place()
    gone = type(place.task.key)("SFN_TASK", "t1", "job", "0" * 26)
    assert place.finalize(gone, 1) is None
    assert place.finalize(place.task.key, 2) == "PROCESSING"


def test_a_retry_of_many_items_goes_on_where_it_was_interrupted() -> None:
    """More items than one transaction takes: the caller dies between two of them."""
    images: list[Item] = []
    store = MemoryTableStore(lambda table, before, after: images.append(after or {}))
    clock = ManualClock()
    task = TaskService(store, clock, TYPES).create_step_function_task("job", list(range(120)), CONTEXT)
    store.update(TASKS, task.key.pk, task.key.sk, Change(set={"status": "PROCESSING"}))
    assert Finalizer(store, clock)(task.key, 1, {"type": "NotRunning", "message": "gone"}) == "FAILED"
    operations = TaskOperations(store, clock)
    transact, made = store.transact, []

    def dies(writes: Sequence[Write]) -> None:
        made.append(len(writes))
        if len(made) == 2:
            raise SimulatedCrash("the caller")
        transact(writes)

    store.transact = dies  # type: ignore[method-assign]
    with pytest.raises(SimulatedCrash):
        operations.retry_failed_items(task.id, CONTEXT)
    row = store.get(TASKS, task.key.pk, task.key.sk)
    assert row is not None
    assert (row["status"], row["attempt"], row["cancelled"]) == ("FAILED", 1, 70)
    again = operations.retry_failed_items(task.id, CONTEXT)
    assert (again.status, again.attempt, again.cancelled) == ("CREATED", 2, 0)
    row = store.get(TASKS, task.key.pk, task.key.sk)
    assert row is not None
    assert row["attemptItems"] == list(range(120))
    check_images(images)
