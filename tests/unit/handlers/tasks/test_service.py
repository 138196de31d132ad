"""Creating, reading and listing tasks; bad input is refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from handlers.core.errors import NotFound, RequestConflict, ValidationError
from handlers.core.values.ulids import ulid
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Change, Item, Write
from handlers.tasks.handlers import TaskType
from handlers.tasks.keys import TaskItemKey, TaskKey
from handlers.tasks.model import MAX_ITEMS, TaskLimits
from handlers.tasks.repository import TaskRepository
from handlers.tasks.service import TaskService
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT

TYPES = {"job": TaskType("job", 0.5, object), "other": TaskType("other", 0.5, object)}
REQUEST = replace(CONTEXT, request_id="r1")


class Place:
    def __init__(self, store: MemoryTableStore | None = None, limits: TaskLimits | None = None) -> None:
        self.written: list[Item] = []
        self.store = store or MemoryTableStore(lambda table, before, after: self.written.append(after or {}))
        self.clock = ManualClock()
        self.service = TaskService(self.store, self.clock, TYPES, limits or TaskLimits())

    def many(self, *args: Any, **kwargs: Any) -> Any:
        return self.service.create_step_function_task(*args, **kwargs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", [1]), r"taskType: 'nothing' is not allowed; expected one of job, other"),
        ((None, [1]), r"taskType: None is not allowed"),
        (("job", {"a": 1}), r"items: \{'a': 1\} is not allowed; expected a list of JSON values"),
        (("job", "abc"), r"items: 'abc' is not allowed; expected a list"),
        (("job", None), r"items: None is not allowed; expected a list"),
        (("job", [1, "x" * 40_000]), r"items\[1\]: '40002 bytes' is not allowed; expected at most 32768 bytes"),
        (("job", [1, {"a": {1}}]), r"items\[1\]\.a: \{1\} is not allowed; expected a JSON value"),
        (("job", [0] * (MAX_ITEMS + 1)), r"items: '1001 items' is not allowed; expected at most 1000 items"),
    ],
)
def test_task_05_bad_input_writes_nothing(arguments: tuple[Any, Any], message: str) -> None:
    place = Place()
    with pytest.raises(ValidationError, match=message):
        place.many(*arguments, REQUEST)
    assert place.written == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_concurrency": 0}, r"maxConcurrency: 0 is not allowed; expected a whole number from 1 to 40"),
        ({"max_concurrency": 41}, r"maxConcurrency: 41 is not allowed"),
        ({"max_concurrency": 2.0}, r"maxConcurrency: 2\.0 is not allowed"),
        ({"max_concurrency": True}, r"maxConcurrency: True is not allowed"),
        ({"on_item_error": "ignore"}, r"onItemError: 'ignore' is not allowed; expected continue or stop"),
        ({"expected_seconds": 0}, r"expectedSeconds: 0 is not allowed; expected a number of seconds above 0"),
        (
            {"expected_seconds": 600},
            r"items: '4 items of 600 s, 2 at once: 1,200 s' is not allowed; "
            r"expected at most taskTimeoutMinutes \(15\) x 60 = 900 s",
        ),
    ],
)
def test_task_05_bad_options_write_nothing(options: dict[str, Any], message: str) -> None:
    place = Place()
    with pytest.raises(ValidationError, match=message):
        place.many("job", [1, 2, 3, 4], REQUEST, **options)
    assert place.written == []


def test_task_05_more_concurrency_or_time_lets_a_list_through() -> None:
    assert Place().many("job", [1, 2, 3, 4], CONTEXT, expected_seconds=600, max_concurrency=4).total == 4
    assert Place(limits=TaskLimits(timeout_minutes=20)).many("job", [1, 2, 3, 4], CONTEXT, expected_seconds=600)


@pytest.mark.parametrize(
    ("given", "message"),
    [("x" * 140_000, r"input: '140002 bytes' is not allowed"), ({"a": float("nan")}, r"input\.a: nan is not allowed")],
)
def test_bad_input_of_a_single_task_writes_nothing(given: Any, message: str) -> None:
    place = Place()
    with pytest.raises(ValidationError, match=message):
        place.service.create_task("job", given, REQUEST)
    assert place.written == []


def test_a_single_task_has_no_items_to_count() -> None:
    task = Place().service.create_task("job", 1, REQUEST)
    assert (task.total, task.succeeded, task.failed, task.cancelled) == (0, 0, 0, 0)


def test_the_sweeper_looks_at_a_list_only_after_its_start_had_its_time() -> None:
    place = Place()
    place.many("job", [1], CONTEXT)
    assert place.written[-1]["dueAt"] > place.clock.now()


def test_items_are_written_before_the_task() -> None:
    place = Place()
    task = place.many("job", list(range(120)), CONTEXT)
    assert [row["kind"] for row in place.written] == ["item"] * 120 + ["batch"]
    assert place.written[7]["sk"] == task.key.item(7).sk == f"job#{task.key.ulid}#000007"
    assert [one.input for one in place.service.list_items(task.id, CONTEXT)] == list(range(120))


def test_a_repeated_request_gives_the_first_task() -> None:
    place = Place()
    first = place.many("job", [1, 2.0], REQUEST)
    place.clock.advance(3600)
    written = len(place.written)
    assert place.many("job", [1, 2], REQUEST) == first
    assert len(place.written) == written
    with pytest.raises(RequestConflict, match="requestId 'r1' was used for SFN_TASK#t1#job#"):
        place.many("job", [1, 3], REQUEST)
    with pytest.raises(RequestConflict):
        place.many("job", [1, 2], REQUEST, on_item_error="stop")
    with pytest.raises(RequestConflict):
        place.service.create_task("job", [1, 2], REQUEST)
    assert place.many("job", [1, 3], replace(REQUEST, tenant_code="t2")).key.tenant_code == "t2"


def test_a_forgotten_request_makes_a_new_task() -> None:
    place = Place()
    first = place.service.create_task("job", 1, REQUEST)
    place.clock.advance(31 * 86_400)
    assert place.service.create_task("job", 2, REQUEST).id != first.id


def test_task_07_a_slow_second_creator_resets_no_item() -> None:
    """Both have the request's key; the second writes its items when the first one's are worked on already."""

    class Slow(MemoryTableStore):
        before_the_first: Callable[[], None] | None = None

        def transact(self, writes: Sequence[Write]) -> None:
            if self.before_the_first is not None:
                run, self.before_the_first = self.before_the_first, None
                run()
            super().transact(writes)

    store = Slow()
    place = Place(store)

    def the_others() -> None:
        task = place.many("job", ["a", "b"], REQUEST)
        store.update(TASKS, task.key.pk, task.key.item(0).sk, Change(set={"status": "COMPLETED"}))

    store.before_the_first = the_others
    task = place.many("job", ["a", "b"], REQUEST)
    assert [one.status for one in place.service.list_items(task.id, CONTEXT)] == ["COMPLETED", "CREATED"]


def test_tasks_of_other_tenants_are_not_there() -> None:
    place = Place()
    task = place.service.create_task("job", 1, CONTEXT)
    with pytest.raises(NotFound):
        place.service.get_task(task.id, replace(CONTEXT, tenant_code="t2"))
    with pytest.raises(NotFound):
        place.service.list_items(task.id, replace(CONTEXT, tenant_code="t2"))
    with pytest.raises(NotFound):
        place.service.get_task(f"TASK#t1#job#{'0' * 26}", CONTEXT)
    with pytest.raises(ValidationError, match="taskId"):
        place.service.get_task("TASK#t1", CONTEXT)


def test_listing_goes_round_the_items() -> None:
    place = Place()
    made = []
    for number in range(5):
        place.clock.advance(1)
        made.append(
            place.many("job", list(range(60)), CONTEXT)
            if number % 2
            else place.service.create_task("job", 1, REQUEST if number == 0 else CONTEXT)
        )
    place.many("other", [1], CONTEXT)
    assert [one.id for one in place.service.list_tasks(CONTEXT, type_="job")] == [one.id for one in reversed(made)]
    assert [one.id for one in place.service.list_tasks(CONTEXT, type_="job", limit=2)] == [made[4].id, made[3].id]
    assert len(place.service.list_tasks(CONTEXT)) == 6
    assert place.service.list_tasks(replace(CONTEXT, tenant_code="t2")) == []
    assert len(place.service.list_tasks(CONTEXT, limit=100)) == 6
    for limit in (0, 101, True):
        with pytest.raises(ValidationError, match="limit"):
            place.service.list_tasks(CONTEXT, limit=limit)


def test_listing_costs_two_reads_a_task() -> None:
    class Counting(MemoryTableStore):
        reads = 0

        def query(self, *args: Any, **kwargs: Any) -> Any:
            self.reads += 1
            page = super().query(*args, **kwargs)
            assert len(page.items) <= 1
            return page

        def get(self, *args: Any, **kwargs: Any) -> Any:
            self.reads += 1
            return super().get(*args, **kwargs)

    store = Counting()
    place = Place(store)
    for _ in range(3):
        place.clock.advance(1)
        place.many("job", list(range(200)), CONTEXT)
    store.reads = 0
    assert len(TaskRepository(store).latest("SFN_TASK#t1", "job#", 10)) == 3
    assert store.reads <= 3 * 2 + 1


def test_an_unfinished_creation_is_not_listed() -> None:
    place = Place()
    task = place.many("job", [1, 2], CONTEXT)
    key = TaskKey("SFN_TASK", "t1", "job", ulid(2_000_000_000_000, bytes(10)))
    row = place.store.get(TASKS, task.key.pk, task.key.item(0).sk)
    assert row is not None
    place.store.put(TASKS, {**row, "sk": key.item(0).sk})
    assert [one.id for one in place.service.list_tasks(CONTEXT)] == [task.id]


def test_keys() -> None:
    key = TaskKey("SFN_TASK", "t1", "job", ulid(1_767_225_600_000, b"\xff" * 10))
    assert (key.pk, key.sk) == ("SFN_TASK#t1", "job#01KDVDNA00ZZZZZZZZZZZZZZZZ")
    assert TaskKey.parse(key.pk, key.sk) == TaskKey.parse_id(key.id) == key
    assert TaskItemKey.parse(key.pk, key.item(12).sk) == key.item(12)
    assert str(key.item(12)) == f"{key.id}#000012"
    assert ulid(5, bytes(10)) < ulid(6, bytes(10))
    for wrong in (
        "x",
        "TASK#t1#job#short",
        f"OTHER#t1#job#{'0' * 26}",
        f"TASK#t1#job#{'U' * 26}",
        f"TASK##job#{'0' * 26}",
        f"TASK#t1##{'0' * 26}",
        f"TASK#t1#j@b#{'0' * 26}",
    ):
        with pytest.raises(ValidationError):
            TaskKey.parse_id(wrong)
    for sk in ("job", f"job#{'0' * 26}#12", f"job#{'0' * 26}#00001x"):
        with pytest.raises(ValidationError):
            TaskItemKey.parse("SFN_TASK#t1", sk)
