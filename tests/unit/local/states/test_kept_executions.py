"""APP-07: an execution goes on after the process ended, and nothing that it had finished is done again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.journal import Journal
from local.kept.executions import restore_executions
from local.states import Execution
from local.states.errors import TaskTimedOut
from local.states.running.executions import RUNNING, SUCCEEDED, TIMED_OUT

from .conftest import Failed, Runtime, callback, chain, distributed, task

#: Virtual time begins there.
BEGIN = Runtime().scheduler.now()
PAUSE = 10_000.0


class Machine:
    """One machine whose executions are kept, and the runtimes that it has had."""

    def __init__(self, folder: Path, definition: dict[str, Any]) -> None:
        self._folder = folder
        self._definition = definition
        self._number = 0
        self._begun = BEGIN
        self._pauses: list[tuple[float, float]] = []
        self.asked: list[str] = []
        self.runtime = self._open(folder / "0")

    def _open(self, path: Path) -> Runtime:
        runtime = Runtime()
        runtime.scheduler.run_for(self._begun - BEGIN)
        runtime.define(a=lambda given: given, b=lambda given: given * 2, c=lambda given: given, ask=self._ask)
        self.arn = runtime.machine(self._definition, name="m")
        self._path = path
        restore_executions(runtime.manager, Journal(path), self._pauses)
        return runtime

    def _ask(self, given: Any) -> None:
        self.asked.append(given["token"])

    def killed(self) -> Runtime:
        """The process ends now; the next one begins after a pause."""
        self._number += 1
        copy = self._folder / str(self._number)
        for suffix in ("", "-wal"):
            if (source := Path(f"{self._path}{suffix}")).exists():
                shutil.copy(source, f"{copy}{suffix}")
        now = self.runtime.scheduler.now()
        self._begun = now + PAUSE
        self._pauses = [*self._pauses, (now, self._begun)]
        self.runtime = self._open(copy)
        return self.runtime

    @property
    def execution(self) -> Execution:
        return self.runtime.manager.list_executions(self.arn)[0]

    def calls(self) -> list[tuple[str, Any]]:
        return [(call.function, call.payload) for call in self.runtime.functions.calls]


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[dict[str, Any]], Machine]:
    return lambda definition: Machine(tmp_path, definition)


def test_app_07_results_waits_and_tokens_stay(machine: Callable[[dict[str, Any]], Machine]) -> None:
    definition = chain(
        ("draw", {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "items.$": "$$.Execution.Input"}}),
        ("first", task("a")),
        ("wait", {"Type": "Wait", "Seconds": 20_000}),
        ("each", {"Type": "Map", "Iterator": chain(("b", task("b"))), "ItemsPath": "$.items"}),
        ("ask", callback()),
        ("last", task("c")),
    )
    one = machine(definition)
    one.runtime.manager.start_execution(one.arn, "e1", "[1, 2]")
    one.runtime.scheduler.run_for(15_000)
    ((_, drawn),) = one.calls()
    runtime = one.killed()
    runtime.scheduler.run_for(1)
    assert one.execution.status == RUNNING
    assert sorted(call for call in one.calls() if call[0] != "ask") == [("b", 1), ("b", 2)]
    assert len(one.asked) == 1, "the wait ended while nothing ran"
    assert one.execution.visited() == ["draw", "first", "wait", "each", "b", "b", "ask"]

    runtime = one.killed()
    runtime.scheduler.run_for(1)
    assert (one.execution.status, one.calls(), len(one.asked)) == (RUNNING, [], 1)
    runtime.manager.send_task_success(one.asked[0], json.dumps({"drawn": drawn}))

    runtime = one.killed()  # the answer was accepted, and nothing had come of it
    runtime.scheduler.run_until_idle()
    assert (one.execution.status, one.execution.output) == (SUCCEEDED, {"drawn": drawn})
    assert one.calls() == [("c", {"drawn": drawn})]

    runtime = one.killed()
    runtime.scheduler.run_until_idle()
    assert (one.execution.status, one.execution.output, one.calls()) == (SUCCEEDED, {"drawn": drawn}, [])


def test_app_07_chance_is_the_same(machine: Callable[[dict[str, Any]], Machine]) -> None:
    draw = {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}}
    one = machine(chain(("draw", draw), ("wait", {"Type": "Wait", "Seconds": 10}), ("first", task("a"))))
    one.runtime.manager.start_execution(one.arn, "e1", "{}")
    one.runtime.scheduler.run_for(1)
    drawn = one.execution.history.events[2].details
    one.killed().scheduler.run_until_idle()
    assert drawn is not None
    assert one.execution.output == drawn["output"]


def test_app_07_no_timeout_counts_the_pause(machine: Callable[[dict[str, Any]], Machine]) -> None:
    one = machine(chain(("ask", callback(TimeoutSeconds=100)), TimeoutSeconds=500))
    one.runtime.manager.start_execution(one.arn, "e1", "{}")
    one.runtime.scheduler.run_for(60)
    one.killed().scheduler.run_for(39)
    assert one.execution.status == RUNNING
    one.runtime.scheduler.run_for(2)
    assert one.execution.error == "States.Timeout"
    with pytest.raises(TaskTimedOut):
        one.runtime.manager.send_task_success(one.asked[0], "{}")


def test_app_07_the_execution_has_the_rest_of_its_time(machine: Callable[[dict[str, Any]], Machine]) -> None:
    one = machine(chain(("ask", callback()), TimeoutSeconds=100))
    one.runtime.manager.start_execution(one.arn, "e1", "{}")
    one.runtime.scheduler.run_for(60)
    one.killed().scheduler.run_for(39)
    assert one.execution.status == RUNNING
    one.runtime.scheduler.run_for(2)
    assert one.execution.status == TIMED_OUT


def test_app_07_tries_are_counted_on(machine: Callable[[dict[str, Any]], Machine]) -> None:
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": 60, "BackoffRate": 1.0, "MaxAttempts": 2}]
    one = machine(chain(("first", task("broken", Retry=retry))))

    def broken(given: Any) -> Any:
        raise Failed("E")

    one.runtime.define(broken=broken)
    one.runtime.manager.start_execution(one.arn, "e1", "{}")
    one.runtime.scheduler.run_for(90)
    runtime = one.killed()
    runtime.define(broken=broken)
    runtime.scheduler.run_until_idle()
    assert [call for call, _ in one.calls()] == ["broken"]
    assert one.execution.error == "E"


def test_app_07_children_that_ended_are_not_started_again(machine: Callable[[dict[str, Any]], Machine]) -> None:
    item = {"Type": "Wait", "SecondsPath": "$"}
    one = machine(chain(("rows", distributed(item, kind="STANDARD")), ("last", task("c"))))
    one.runtime.manager.start_execution(one.arn, "e1", "[5, 20, 30]")
    one.runtime.scheduler.run_for(10)
    (before,) = one.runtime.manager.map_runs.of_execution(one.execution.arn)
    one.killed().scheduler.run_until_idle()
    (after,) = one.runtime.manager.map_runs.of_execution(one.execution.arn)
    assert (after.arn, after.executions[SUCCEEDED], after.items[SUCCEEDED]) == (before.arn, 3, 3)
    assert one.execution.output == [5, 20, 30]
    children = one.runtime.manager.map_runs.children(after.arn)
    assert sorted(child.input for child in children if child.visited() == []) == [5]
