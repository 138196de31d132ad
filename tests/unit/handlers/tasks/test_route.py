"""DUP-02 and DUP-03 for the task route: every call twice, a crash before and after each call to AWS.

In memory, with the real entry points and the real definition. After each run counters equal the items' statuses at
every write, no outcome was changed, and the final state is that of a run without faults.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from handlers.tasks.model import Task
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.machine_world import AT_ONCE, LATER
from tests.support.parts import IN_PARTS, part_of
from tests.support.pipelines import CONTEXT
from tests.support.task_world import TaskWorld


def works(world: TaskWorld) -> None:
    def work(given: Any) -> Any:
        world.scheduler.sleep(2)
        if given == "bad":
            raise ValueError("bad item")
        return given

    world.recorder.behaviours["task"] = work


def a_list(world: TaskWorld, on_item_error: str = "continue") -> Task:
    works(world)
    context = replace(CONTEXT, request_id="r1")
    return world.call(
        lambda: world.service.create_step_function_task("job", ["a", "bad", "c"], context, on_item_error=on_item_error)
    )


def a_single_task(world: TaskWorld) -> Task:
    works(world)
    return world.call(lambda: world.service.create_task("job", "a", replace(CONTEXT, request_id="r1")))


def a_failing_task(world: TaskWorld) -> Task:
    world.recorder.behaviours["task"] = lambda _: {1}  # no JSON: a permanent error
    return world.call(lambda: world.service.create_task("job", "a", replace(CONTEXT, request_id="r1")))


def a_retried_list(world: TaskWorld) -> Task:
    task = a_list(world)
    world.run()
    world.recorder.behaviours["task"] = lambda given: given

    def retry() -> Task:
        now = world.memory.get("tasks", task.key.pk, task.key.sk)
        assert now is not None
        if now["attempt"] == 2:  # the first try's write is there
            return Task.from_row(now)
        return world.operations.retry_failed_items(task.id, CONTEXT)

    return world.call(retry)


def a_cancelled_list(world: TaskWorld) -> Task:
    """Cancelled at once; how far it came by then differs from run to run."""
    works(world)
    context = replace(CONTEXT, request_id="r1")

    def both() -> Task:
        task = world.service.create_step_function_task("job", ["a", "b", "c"], context)
        return task if task.is_terminal else world.operations.cancel(task.id, CONTEXT)

    return world.call(both)


SCENARIOS = [a_list, a_single_task, a_failing_task, a_retried_list]
#: Whoever hears of an outcome may hear of it again where one call is repeated, and no more often.
MOST_REPEATS = 2


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_edge_65_without_faults_each_outcome_and_each_alarm_goes_out_once(scenario: Any) -> None:
    world = TaskWorld()
    scenario(world)
    world.run()
    ended = [image for image in world.images if image.get("kind") and image["status"] in ("COMPLETED", "FAILED")]
    outcomes = Counter((one["id"], one["attempt"], one["status"]) for one in ended)
    assert world.notifications() == Counter(dict.fromkeys(outcomes, 1))
    failed = [name for name, _, status in outcomes if status == "FAILED"]
    assert (most(world.alarm_ids()), bool(world.alarm_ids())) == (1 if failed else 0, bool(failed))


def outcome(world: TaskWorld, scenario: Any) -> tuple[Any, ...]:
    scenario(world)
    world.run()
    world.check()
    assert most(world.alarm_ids()) <= MOST_REPEATS
    assert most(world.notifications()) <= MOST_REPEATS
    return world.outcome(), set(world.alarm_ids()), set(world.notifications())


def most(sent: Counter[Any]) -> int:
    """How often the one went out that went out most often."""
    return max(sent.values(), default=0)


def test_dup_03_the_scenarios_end_as_designed() -> None:
    world = TaskWorld()
    rows, alarms, told = outcome(world, a_list)
    task = next(sk for sk in rows if sk.count("#") == 1)
    assert rows[task]["status"] == "FAILED"
    assert [row["status"] for sk, row in rows.items() if sk != task] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert alarms == {f"SFN_TASK#t1#{task}#000001#1"}
    assert len(told) == 4
    assert world.recorder.most_at_once == 2
    rows, alarms, _ = outcome(TaskWorld(), a_failing_task)
    assert [row["error"]["type"] for row in rows.values()] == ["ValidationError"]
    assert len(alarms) == 1
    rows, alarms, _ = outcome(TaskWorld(), a_retried_list)
    assert [(row["status"], row["attempt"]) for row in rows.values()] == [
        ("COMPLETED", 2),
        ("COMPLETED", 1),
        ("COMPLETED", 2),
        ("COMPLETED", 1),
    ]


@pytest.mark.parametrize("twice", [AT_ONCE, LATER])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_dup_02_every_call_is_delivered_twice(scenario: Any, twice: str) -> None:
    expected = outcome(TaskWorld(), scenario)
    world = TaskWorld(twice=twice)
    assert outcome(world, scenario) == expected
    assert len(world.executions.list_executions(world.executions.list_state_machines()[0].arn)) <= 2


@pytest.mark.parametrize("seed", range(20))
def test_dup_02_duplicates_in_any_order(seed: int) -> None:
    expected = outcome(TaskWorld(), a_retried_list)
    assert outcome(TaskWorld(twice=AT_ONCE, seed=seed), a_retried_list) == expected


@pytest.mark.parametrize("twice", ["", AT_ONCE])
@pytest.mark.parametrize("seed", range(40))
def test_a_cancel_at_any_moment(seed: int, twice: str) -> None:
    world = TaskWorld(twice=twice, seed=seed)
    rows, alarms, _ = outcome(world, a_cancelled_list)
    (task,) = (row for sk, row in rows.items() if sk.count("#") == 1)
    assert task["status"] == ("COMPLETED" if task["succeeded"] == 3 else "CANCELLED")
    assert (task["failed"], alarms) == (0, set())


@IN_PARTS
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_dup_03_a_crash_at_each_call(scenario: Any, fault: str, part: int) -> None:
    """TASK-07 too: a crash after a call is a message, record or call that comes again."""
    world = TaskWorld()
    expected = outcome(world, scenario)
    assert len(world.gate.calls) > 5
    for number in part_of(range(1, len(world.gate.calls) + 1), part):
        faulty = TaskWorld(Gate(fault, number))
        place = f"{fault} call {number}: {world.gate.calls[number - 1]}"
        assert outcome(faulty, scenario) == expected, place
        assert len(faulty.dead_letters) <= 1, place


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_dup_03_a_crash_at_each_call_of_a_cancel(fault: str) -> None:
    world = TaskWorld()
    outcome(world, a_cancelled_list)
    for number in range(1, len(world.gate.calls) + 1):
        faulty = TaskWorld(Gate(fault, number))
        rows, alarms, _ = outcome(faulty, a_cancelled_list)
        place = f"{fault} call {number}: {world.gate.calls[number - 1]}"
        (task,) = (row for sk, row in rows.items() if sk.count("#") == 1)
        assert task["status"] == ("COMPLETED" if task["succeeded"] == 3 else "CANCELLED"), place
        assert alarms == set(), place
