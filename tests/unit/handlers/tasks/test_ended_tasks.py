"""Cancels and late items of tasks that have ended, or that somebody retries at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.failure import Failure
from handlers.core.error_text import error_of
from handlers.core.errors import TransientConflict, WrongStatus
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Change, Item
from handlers.tasks import status
from handlers.tasks.finalize import Finalizer
from handlers.tasks.handlers import TaskHandlers
from handlers.tasks.items import DROPPED, ItemRunner
from handlers.tasks.model import STOPPED_BY_CANCEL, STOPPED_BY_ERROR, Task
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import TaskService
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT
from tests.support.tasks import TYPES


class Job:
    """A handler that notes its calls; ``meanwhile`` happens while it runs."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def run(self, given: Any) -> Any:
        self.calls.append(given)
        self.meanwhile()
        return given


class Place:
    def __init__(self, kind: str = status.BATCH, *, on_item_error: str = "continue") -> None:
        self.store, self.clock, self.job = MemoryTableStore(), ManualClock(), Job()
        service = TaskService(self.store, self.clock, TYPES)
        self.task: Task = (
            service.create_task("job", "a", CONTEXT)
            if kind == status.TASK
            else service.create_step_function_task("job", ["a", "b"], CONTEXT, on_item_error=on_item_error)
        )
        self.operations = TaskOperations(self.store, self.clock)
        self.items = ItemRunner(self.store, self.clock, TaskHandlers({"job": self.job}), sleep=lambda _: None)

    def change(self, **fields: Any) -> None:
        self.store.update(TASKS, self.task.key.pk, self.task.key.sk, Change(set=dict(fields)))

    def rows(self) -> list[Item]:
        return self.store.scan(TASKS).items

    def row(self) -> Item:
        row = self.store.get(TASKS, self.task.key.pk, self.task.key.sk)
        assert row is not None
        return row

    def cancel(self) -> Task:
        return self.operations.cancel(self.task.id, CONTEXT)

    def fail_and_retry(self, now: str) -> None:
        """Attempt 2, as far as ``now``."""
        Finalizer(self.store, self.clock)(self.task.key, 1, error_of("MachineFailed", "it died"))
        self.operations.retry_failed_items(self.task.id, CONTEXT)
        self.change(status=now)

    def before_the_next_update(self, action: Callable[[], None]) -> None:
        update = self.store.update

        def act_then_update(*given: Any, **named: Any) -> Item:
            self.store.update = update  # type: ignore[method-assign]
            action()
            return update(*given, **named)

        self.store.update = act_then_update  # type: ignore[method-assign]


@pytest.mark.parametrize("kind", [status.TASK, status.BATCH])
@pytest.mark.parametrize("outcome", [status.COMPLETED, status.FAILED])
def test_edge_62_a_task_that_has_ended_is_not_cancelled_and_nothing_is_written(kind: str, outcome: str) -> None:
    place = Place(kind)
    place.change(status=outcome)
    before = place.rows()
    with pytest.raises(WrongStatus, match=f"{outcome}; only a task without outcome is cancelled"):
        place.cancel()
    assert place.rows() == before


@pytest.mark.parametrize("kind", [status.TASK, status.BATCH])
def test_edge_62_a_task_that_ends_during_the_cancel_is_not_written_to(kind: str) -> None:
    place = Place(kind)
    place.change(status=status.PROCESSING)
    place.before_the_next_update(lambda: place.change(status=status.COMPLETED))
    with pytest.raises(WrongStatus, match="COMPLETED; only a task without outcome"):
        place.cancel()
    assert (place.row()["status"], "stopping" in place.row()) == (status.COMPLETED, False)


@pytest.mark.parametrize("kind", [status.TASK, status.BATCH])
@pytest.mark.parametrize("now", [status.CREATED, status.QUEUED, status.PROCESSING])
def test_edge_62_a_cancel_of_an_attempt_leaves_the_next_one_alone(kind: str, now: str) -> None:
    """The task fails and somebody retries it between the cancel's read and its write."""
    place = Place(kind)
    place.change(status=status.PROCESSING)
    place.before_the_next_update(lambda: place.fail_and_retry(now))
    with pytest.raises(TransientConflict, match="attempt 2 began at this moment; call again"):
        place.cancel()
    assert (place.row()["status"], "stopping" in place.row()) == (now, False)
    place.cancel()
    row = place.row()
    assert (row["attempt"], row["status"] == status.CANCELLED or "stopping" in row) == (2, True)


@pytest.mark.parametrize("kind", [status.TASK, status.BATCH])
def test_edge_62_a_cancel_is_said_again(kind: str) -> None:
    place = Place(kind)
    assert place.cancel().status == status.CANCELLED
    before = place.rows()
    assert place.cancel().status == status.CANCELLED
    assert place.rows() == before


@pytest.mark.parametrize("now", [status.CREATED, status.QUEUED, *status.TERMINAL])
def test_edge_61_an_item_of_a_task_that_is_not_at_work_is_not_begun(now: str) -> None:
    place = Place()
    place.change(status=now)
    before = place.rows()
    assert place.items.run(place.task.key.item(0), 1) == DROPPED
    assert place.items.record_failure(place.task.key.item(0), 1, Failure("X", "m")) == DROPPED
    assert (place.job.calls, place.rows()) == ([], before)


@pytest.mark.parametrize("of", ["task", "item"])
def test_edge_61_an_item_of_another_attempt_is_not_begun(of: str) -> None:
    place = Place()
    place.change(status=status.PROCESSING, **({"attempt": 2} if of == "task" else {}))
    item = place.task.key.item(0)
    if of == "item":
        place.store.update(TASKS, item.pk, item.sk, Change(set={"attempt": 2}))
    before = place.rows()
    assert place.items.run(item, 1) == DROPPED
    assert (place.job.calls, place.rows()) == ([], before)


@pytest.mark.parametrize("change", [{"status": status.FAILED}, {"attempt": 2}], ids=["ended", "retried"])
def test_edge_61_the_result_of_an_item_whose_task_has_ended_meanwhile_is_dropped(change: dict[str, Any]) -> None:
    """Neither the item nor the counters are written: the one is not written without the other."""
    place = Place()
    place.change(status=status.PROCESSING)
    seen: list[list[Item]] = []

    def ends() -> None:
        place.change(**change)
        seen.append(place.rows())

    place.job.meanwhile = ends
    assert place.items.run(place.task.key.item(0), 1) == DROPPED
    assert (place.job.calls, place.rows()) == (["a"], seen[0])


def test_edge_61_an_item_is_not_begun_once_another_ones_failure_stops_the_task() -> None:
    """The failure comes between the item's read and its claim."""
    place = Place(on_item_error="stop")
    place.change(status=status.PROCESSING)
    transact = place.store.transact

    def stopped_then_transact(writes: Any) -> None:
        place.store.transact = transact  # type: ignore[method-assign]
        place.change(stopping="ERROR")
        transact(writes)

    place.store.transact = stopped_then_transact  # type: ignore[method-assign]
    assert place.items.run(place.task.key.item(0), 1) == {"result": status.CANCELLED}
    assert place.job.calls == []
    assert place.row()["cancelled"] == 1


@pytest.mark.parametrize("kind", [status.TASK, status.BATCH])
def test_edge_62_of_two_retries_at_one_moment_one_begins_an_attempt(kind: str) -> None:
    place = Place(kind)
    Finalizer(place.store, place.clock)(place.task.key, 1, error_of("MachineFailed", "it died"))
    other = TaskOperations(place.store, place.clock)
    place.before_the_next_update(lambda: other.retry_failed_items(place.task.id, CONTEXT))  # type: ignore[arg-type]
    with pytest.raises(WrongStatus, match="CREATED; only a FAILED task is retried"):
        place.operations.retry_failed_items(place.task.id, CONTEXT)
    assert place.row()["attempt"] == 2


@pytest.mark.parametrize("stopping", [STOPPED_BY_CANCEL, STOPPED_BY_ERROR])
def test_edge_61_an_item_of_a_list_that_is_being_stopped_is_not_begun(stopping: str) -> None:
    place = Place()
    place.change(status=status.PROCESSING, stopping=stopping)
    assert place.items.run(place.task.key.item(0), 1) == {"result": status.CANCELLED}
    assert (place.job.calls, place.row()["cancelled"]) == ([], 1)


@pytest.mark.parametrize("gone", ["task", "item"])
def test_edge_61_an_item_that_is_gone_or_whose_task_is_gone_is_not_begun(gone: str) -> None:
    place = Place()
    place.change(status=status.PROCESSING)
    item = place.task.key.item(0)
    if gone == "item":
        item = place.task.key.item(7)
    else:
        other = replace(place.task.key, ulid="0" * 26)
        row = place.store.get(TASKS, item.pk, item.sk)
        assert row is not None
        place.store.put(TASKS, {**row, "sk": other.item(0).sk})
        item = other.item(0)
    before = place.rows()
    assert place.items.run(item, 1) == DROPPED
    assert (place.job.calls, place.rows()) == ([], before)
