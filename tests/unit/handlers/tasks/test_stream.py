"""Which changes of a task's row the main topic's subscribers hear of, and with what."""

from __future__ import annotations

from typing import Any

import pytest

from contract import options
from handlers.core.values.ulids import ulid
from handlers.store.memory import MemoryTableStore
from handlers.store.values import item_to_dynamo
from handlers.tasks import status
from handlers.tasks.keys import TaskKey
from handlers.tasks.stream import TaskQueue, TaskStream
from handlers.tasks.writes import item_row, task_row
from handlers.topics.memory import MemoryTopic
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT

KEY = TaskKey("SFN_TASK", "t1", "job", ulid(1, bytes(10)))
NOW = "2026-01-01T00:00:00.000Z"


class Place:
    def __init__(self, which: str) -> None:
        self.main, self.alarms = MemoryTopic(), MemoryTopic()
        queue = TaskQueue(MemoryTableStore(), ManualClock(), "tasks")
        self.stream = TaskStream(queue, self.main, self.alarms, "tasks", which)

    def change(self, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
        change = {"NewImage": item_to_dynamo(new), **({} if old is None else {"OldImage": item_to_dynamo(old)})}
        assert self.stream.on_stream_records([{"dynamodb": change}]) == {}

    def notifications(self) -> list[tuple[str, str]]:
        return [(one["action"], one["content"]["status"]) for one in self.main.messages]


def a_list(now: str, attempt: int = 1) -> dict[str, Any]:
    fields = {"status": now, "total": 2, "succeeded": 1, "failed": 1, "cancelled": 0}
    row = task_row(KEY, status.BATCH, CONTEXT, NOW, **fields)
    return {**row, "attempt": attempt, **({"error": {"type": "X", "message": "m"}} if now == status.FAILED else {})}


def an_item(now: str) -> dict[str, Any]:
    row = item_row(KEY, 0, "in", NOW)
    return {**row, "status": now, **({"error": {"type": "X", "message": "m"}} if now == status.FAILED else {})}


HEARD = {
    options.ALL: set(status.STATUSES) - {status.CREATED},
    options.TERMINAL: set(status.TERMINAL),
    options.NONE: set[str](),
}


@pytest.mark.parametrize("which", HEARD)
@pytest.mark.parametrize("new", status.STATUSES)
@pytest.mark.parametrize(("row", "action"), [(a_list, "task-status"), (an_item, "sub-task-status")])
def test_edge_65_which_statuses_are_published(row: Any, action: str, new: str, which: str) -> None:
    place = Place(which)
    old = status.CREATED if new != status.CREATED else status.FAILED
    place.change(row(old), row(new))
    assert place.notifications() == ([(action, new)] if new in HEARD[which] else [])
    assert len(place.alarms.messages) == (1 if new == status.FAILED else 0)


@pytest.mark.parametrize(("row", "action"), [(a_list, "task-status"), (an_item, "sub-task-status")])
def test_a_message_names_its_row_and_its_tenant(row: Any, action: str) -> None:
    place = Place(options.ALL)
    new = row(status.COMPLETED)
    place.change(row(status.PROCESSING), new)
    (told,) = place.main.messages
    names = {"action": action, "table": "tasks", "pk": new["pk"], "sk": new["sk"], "tenantCode": "t1"}
    assert {name: told[name] for name in names} == names
    assert told["id"] == f"{new['pk']}#{new['sk']}"


@pytest.mark.parametrize("now", [status.PROCESSING, status.FAILED, status.COMPLETED])
def test_edge_65_other_changes_are_not_published(now: str) -> None:
    place = Place(options.ALL)
    place.change(a_list(now), {**a_list(now), "succeeded": 2})
    assert (place.notifications(), place.alarms.messages) == ([], [])


def test_edge_65_the_same_status_in_another_attempt_is_published() -> None:
    place = Place(options.ALL)
    place.change(a_list(status.FAILED), a_list(status.FAILED, attempt=2))
    assert (place.notifications(), len(place.alarms.messages)) == ([("task-status", "FAILED")], 1)


def test_edge_65_a_new_row_that_has_its_outcome_is_published() -> None:
    place = Place(options.TERMINAL)
    place.change(None, a_list(status.COMPLETED))
    assert place.notifications() == [("task-status", "COMPLETED")]


@pytest.mark.parametrize(
    ("row", "error", "alarms"),
    [
        (a_list, "ItemsFailed", 0),
        (a_list, "NotRunning", 1),
        (a_list, "MachineFailed", 1),
        (an_item, "NotRunning", 0),
        (an_item, "ItemsFailed", 1),
        (an_item, "ValueError", 1),
    ],
)
def test_edge_65_a_failure_that_another_alarm_reports_raises_none(row: Any, error: str, alarms: int) -> None:
    place = Place(options.NONE)
    place.change(row(status.PROCESSING), {**row(status.FAILED), "error": {"type": error, "message": "m"}})
    assert len(place.alarms.messages) == alarms
