"""TASK-01 to TASK-11 on the deployed program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.tasks.model import MAX_ITEMS
from handlers.tasks.runner import execution_name
from local.functions.model import InvokeResult, SimulatedCrash
from local.states.running.executions import SUCCEEDED
from tests.support.pipelines import CONTEXT
from tests.support.recorder import NotYet
from tests.support.tasks import DeployedTasks, check_counters


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedTasks]:
    with DeployedTasks(tmp_path) as one:
        yield one


def counts(task: Any) -> tuple[int, int, int, int]:
    return task.total, task.succeeded, task.failed, task.cancelled


def test_task_01_a_single_task(deployed: DeployedTasks) -> None:
    deployed.behave(lambda given: {"doubled": given["n"] * 2})
    task = deployed.service.create_task("job", {"n": 21}, CONTEXT)
    assert task.status == "CREATED"
    deployed.run()
    done = deployed.task(task)
    assert (done.status, done.result, done.error) == ("COMPLETED", {"doubled": 42}, None)
    assert deployed.task_statuses(task) == ["CREATED", "QUEUED", "PROCESSING", "COMPLETED"]
    (given, call) = deployed.recorder.tasks[0]
    assert given == {"n": 21}
    assert (call.id, call.attempt, call.index) == (task.id, 1, None)
    assert (call.context.user_id, call.context.tenant_code) == (CONTEXT.user_id, CONTEXT.tenant_code)
    assert len(deployed.recorder.tasks) == 1
    assert "openShard" not in deployed.task_row(task)
    assert (deployed.alarms(), deployed.dead_letters()) == ([], [])


def test_task_02_a_single_task_raises(deployed: DeployedTasks) -> None:
    def refuse(_: Any) -> None:
        raise RuntimeError("no answer: secret/path")

    deployed.behave(refuse)
    task = deployed.service.create_task("job", 1, CONTEXT)
    deployed.run()
    failed = deployed.task(task)
    assert failed.status == "FAILED"
    assert failed.error == {"type": "RuntimeError", "message": "no answer: secret/path"}
    assert len(deployed.recorder.tasks) == 5  # the queue's maxReceiveCount
    assert deployed.task_statuses(task) == ["CREATED", "QUEUED", "PROCESSING", "FAILED"]
    (alarm,) = deployed.alarms()
    assert (alarm["id"], alarm["content"]["errorMessage"]) == (task.id, "task job failed: RuntimeError")
    assert len(deployed.dead_letters()) <= 1


def test_task_02_bad_input_is_not_tried_again(deployed: DeployedTasks) -> None:
    deployed.behave(lambda _: {1, 2})  # a set is no JSON: the result is refused
    task = deployed.service.create_task("job", 1, CONTEXT)
    deployed.run()
    error = deployed.task(task).error
    assert error is not None
    assert error["type"] == "ValidationError"
    assert len(deployed.recorder.tasks) == 1


def test_task_02_a_function_that_dies_each_time(deployed: DeployedTasks) -> None:
    def die(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if function.endswith("-tasks"):
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(die)
    task = deployed.service.create_task("job", 1, CONTEXT)
    deployed.run()
    assert len(deployed.dead_letters()) == 1
    deployed.runtime.host.interceptors.remove(die)
    deployed.scheduler.run_for(3 * 3600)
    deployed.run()
    assert deployed.task(task).status == "COMPLETED"  # the sweeper sent it again
    assert deployed.task_row(task)["restart"] == 1


def test_task_03_three_items(deployed: DeployedTasks) -> None:
    def work(given: Any) -> Any:
        deployed.scheduler.sleep(3)
        return given * 10

    deployed.behave(work)
    task = deployed.service.create_step_function_task("job", [1, 2, 3], CONTEXT)
    deployed.run()
    done = deployed.task(task)
    assert (done.status, counts(done)) == ("COMPLETED", (3, 3, 0, 0))
    assert deployed.recorder.most_at_once == 2
    assert [(one.index, one.status, one.result) for one in deployed.items(task)] == [
        (0, "COMPLETED", 10),
        (1, "COMPLETED", 20),
        (2, "COMPLETED", 30),
    ]
    assert deployed.task_statuses(task) == ["CREATED", "QUEUED", "PROCESSING", "COMPLETED"]
    (execution,) = deployed.runtime.executions.list_executions(deployed.task_machine_arn)
    assert execution.status == SUCCEEDED
    assert "openShard" not in deployed.task_row(task)
    check_counters(deployed.task_store, task)
    deployed.check_history()


def test_task_03_concurrency_on_request(deployed: DeployedTasks) -> None:
    deployed.behave(lambda _: deployed.scheduler.sleep(3))
    task = deployed.service.create_step_function_task("job", list(range(12)), CONTEXT, max_concurrency=5)
    deployed.run()
    assert (deployed.task(task).status, deployed.recorder.most_at_once) == ("COMPLETED", 5)


def test_task_04_no_items(deployed: DeployedTasks) -> None:
    task = deployed.service.create_step_function_task("job", [], CONTEXT)
    assert (task.status, counts(task)) == ("COMPLETED", (0, 0, 0, 0))
    events = deployed.subscribe(deployed.runtime.outputs["mainTopicArn"], "events", ["task-status"])
    deployed.run()
    assert deployed.task(task).status == "COMPLETED"
    assert deployed.runtime.executions.list_executions(deployed.task_machine_arn) == []
    assert len(deployed.drain(events)) == 1


def test_task_05_one_item(deployed: DeployedTasks) -> None:
    task = deployed.service.create_step_function_task("job", ["only"], CONTEXT)
    deployed.run()
    assert (deployed.task(task).status, counts(deployed.task(task))) == ("COMPLETED", (1, 1, 0, 0))


def test_task_06_some_items_fail(deployed: DeployedTasks) -> None:
    def work(given: Any) -> None:
        if given % 3 == 0:
            raise ArithmeticError(f"{given} is divisible")

    deployed.behave(work)
    task = deployed.service.create_step_function_task("job", list(range(7)), CONTEXT)
    deployed.run()
    done = deployed.task(task)
    assert (done.status, counts(done)) == ("FAILED", (7, 4, 3, 0))
    assert done.error == {"type": "ItemsFailed", "message": "3 of 7 items failed, 0 were cancelled"}
    assert len(deployed.recorder.tasks) == 7
    failed = [one for one in deployed.items(task) if one.status == "FAILED"]
    assert [one.error for one in failed] == [
        {"type": "ArithmeticError", "message": f"{n} is divisible"} for n in (0, 3, 6)
    ]
    alarms = deployed.alarms()
    assert sorted(one["id"] for one in alarms) == [str(one.key) for one in failed]
    assert {one["content"]["errorMessage"] for one in alarms} == {"an item of task job failed: ArithmeticError"}
    assert deployed.task_statuses(task)[-2:] == ["PROCESSING", "FAILED"]


def test_task_06_all_items_fail(deployed: DeployedTasks) -> None:
    deployed.behave(lambda _: 1 / 0)
    task = deployed.service.create_step_function_task("job", [1, 2, 3], CONTEXT)
    deployed.run()
    assert (deployed.task(task).status, counts(deployed.task(task))) == ("FAILED", (3, 0, 3, 0))


def test_task_06_an_item_that_never_stops_being_transient(deployed: DeployedTasks) -> None:
    def work(given: Any) -> None:
        if given == 2:
            raise NotYet("not yet")

    deployed.behave(work)
    task = deployed.service.create_step_function_task("job", [1, 2, 3], CONTEXT)
    deployed.run()
    assert counts(deployed.task(task)) == (3, 2, 1, 0)
    assert [given for given, _ in deployed.recorder.tasks].count(2) == 4  # the state's three retries
    assert deployed.items(task)[1].error == {"type": "TransientError", "message": "not yet"}
    assert len(deployed.alarms()) == 1


def test_task_06_retry_runs_failed_items_only(deployed: DeployedTasks) -> None:
    broken = True

    def work(given: Any) -> Any:
        if broken and given in (1, 4):
            raise ValueError("broken")
        return given

    deployed.behave(work)
    task = deployed.service.create_step_function_task("job", list(range(6)), CONTEXT)
    deployed.run()
    assert counts(deployed.task(task)) == (6, 4, 2, 0)
    broken = False
    calls = len(deployed.recorder.tasks)
    again = deployed.operations.retry_failed_items(task.id, CONTEXT)
    assert (again.status, again.attempt, counts(again)) == ("CREATED", 2, (6, 4, 0, 0))
    check_counters(deployed.task_store, task)
    deployed.run()
    done = deployed.task(task)
    assert (done.status, done.attempt, counts(done), done.error) == ("COMPLETED", 2, (6, 6, 0, 0), None)
    assert sorted(given for given, _ in deployed.recorder.tasks[calls:]) == [1, 4]
    deployed.check_history()


def test_task_07_messages_and_records_come_twice(deployed: DeployedTasks) -> None:
    def twice(function: str, payload: Any, proceed: Any) -> InvokeResult:
        proceed(payload)
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(twice)
    deployed.behave(lambda given: given)
    task = deployed.service.create_step_function_task("job", [1, 2, 3], CONTEXT)
    single = deployed.service.create_task("job", 4, CONTEXT)
    deployed.run()
    assert (deployed.task(task).status, counts(deployed.task(task))) == ("COMPLETED", (3, 3, 0, 0))
    assert deployed.task(single).status == "COMPLETED"
    assert sorted(given for given, _ in deployed.recorder.tasks) == [1, 2, 3, 4]
    assert len(deployed.runtime.executions.list_executions(deployed.task_machine_arn)) == 1
    deployed.check_history()


def test_task_08_the_machine_times_out(deployed: DeployedTasks) -> None:
    deployed.behave(lambda given: deployed.scheduler.sleep(100))
    task = deployed.service.create_step_function_task("job", list(range(100)), CONTEXT)
    deployed.run()
    done = deployed.task(task)
    assert done.status == "FAILED"
    assert done.error is not None
    assert done.error["type"] == "NotRunning"
    assert done.succeeded + done.failed + done.cancelled == 100
    assert done.succeeded >= 16
    assert done.failed <= 2
    check_counters(deployed.task_store, task)
    (alarm,) = deployed.alarms()
    assert alarm["id"] == task.id
    deployed.check_history()


def test_task_08_the_machine_is_aborted(deployed: DeployedTasks) -> None:
    deployed.behave(lambda given: deployed.scheduler.sleep(30))
    task = deployed.service.create_step_function_task("job", list(range(10)), CONTEXT)
    deployed.scheduler.run_for(45)
    (execution,) = deployed.runtime.executions.list_executions(deployed.task_machine_arn)
    deployed.runtime.executions.stop_execution(execution.arn, error="operator", cause="stopped")
    deployed.run()
    assert deployed.task(task).status == "FAILED"
    check_counters(deployed.task_store, task)
    assert len(deployed.alarms()) == 1


def test_task_08_the_end_is_never_reported(deployed: DeployedTasks) -> None:
    """The machine and the rule's calls are all lost: the sweeper ends the task."""

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        state = payload.get("context", {}).get("State", {}).get("Name", "")
        if state in ("finalize_task", "record_failure") or payload.get("source") == "aws.states":
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(lose)
    task = deployed.service.create_step_function_task("job", [1, 2, 3], CONTEXT)
    deployed.run()
    assert deployed.task(task).status == "PROCESSING"
    deployed.scheduler.run_for(3 * 3600)
    deployed.run()
    assert (deployed.task(task).status, counts(deployed.task(task))) == ("COMPLETED", (3, 3, 0, 0))


def test_task_11_stop_starts_no_further_item(deployed: DeployedTasks) -> None:
    def work(given: Any) -> None:
        deployed.scheduler.sleep(5)
        if given == 3:
            raise ValueError("stop here")

    deployed.behave(work)
    task = deployed.service.create_step_function_task("job", list(range(10)), CONTEXT, on_item_error="stop")
    deployed.run()
    done = deployed.task(task)
    statuses = [one.status for one in deployed.items(task)]
    assert statuses[:3] == ["COMPLETED"] * 3
    assert statuses[3] == "FAILED"
    assert statuses[5:] == ["CANCELLED"] * 5
    assert done.status == "FAILED"
    assert sorted(given for given, _ in deployed.recorder.tasks) == [0, 1, 2, 3, 4][: len(deployed.recorder.tasks)]
    check_counters(deployed.task_store, task)
    assert [one["id"] for one in deployed.alarms()] == [str(deployed.items(task)[3].key)]


def test_cancel_a_running_task(deployed: DeployedTasks) -> None:
    deployed.behave(lambda _: deployed.scheduler.sleep(10))
    task = deployed.service.create_step_function_task("job", list(range(10)), CONTEXT)
    deployed.scheduler.run_for(25)
    stopping = deployed.operations.cancel(task.id, CONTEXT)
    assert (stopping.status, stopping.is_stopping) == ("PROCESSING", True)
    calls = len(deployed.recorder.tasks)
    deployed.run()
    done = deployed.task(task)
    assert done.status == "CANCELLED"
    assert len(deployed.recorder.tasks) == calls
    assert done.succeeded == calls
    assert done.cancelled == 10 - calls
    check_counters(deployed.task_store, task)
    assert deployed.alarms() == []


def test_task_05_history_events_of_an_item(deployed: DeployedTasks) -> None:
    """The figures that the limit on items comes from (decision record 0061)."""

    def events(items: list[str]) -> int:
        task = deployed.service.create_step_function_task("job", items, CONTEXT)
        deployed.run()
        name = execution_name(deployed.task_row(task))
        executions = deployed.runtime.executions.list_executions(deployed.task_machine_arn)
        (execution,) = (one for one in executions if one.name == name)
        return len(deployed.runtime.executions.history(execution.arn))

    def work(given: Any) -> None:
        if given == "bad":
            raise NotYet("never")

    deployed.behave(work)
    one, two, bad = events(["good"]), events(["good", "good"]), events(["good", "bad"])
    assert (two - one, bad - one) == (7, 21)
    assert (one - 7) + MAX_ITEMS * 21 < 25_000
