"""EDGE-43: timeouts of the runtime mean that a function did not answer, not that this machine was busy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from local import scheduler as scheduling
from local.deadlines import Deadline
from local.functions.model import InvokeResult
from local.futures import Future, Timer
from local.scheduler import Scheduler, WaitTimeout
from local.states.manager import ExecutionManager
from local.states.running.executions import SUCCEEDED
from local.timers import MANY_TIMERS
from local.workers import FIRST, HeldTime, Workers

PATIENCE_SECONDS = 60.0


@pytest.fixture
def few_workers(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(scheduling, "WORKER_THREADS", 2)
    return 2


class Blocking:
    """A function whose calls last until they are let go, as many as the machine has threads."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.go = threading.Event()
        self.calls: list[str] = []

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        with self._scheduler.worker():
            return self._scheduler.wait(self._scheduler.execute(self._work, payload))

    def _work(self, payload: Any) -> InvokeResult:
        self.calls.append(payload["name"])
        if payload.get("blocks"):
            self.go.wait(PATIENCE_SECONDS)
        return InvokeResult(payload, None, "r")


def machine(timeout: int) -> dict[str, Any]:
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "TimeoutSeconds": timeout}
    return {"StartAt": "a", "States": {"a": {**task, "Next": "b"}, "b": {**task, "End": True}}}


def test_edge_43_no_state_times_out_while_its_function_waits_for_a_thread(few_workers: int) -> None:
    """Two calls take both threads for longer than the others' states may last: those wait, and then succeed."""
    scheduler = Scheduler.real()
    function = Blocking(scheduler)
    manager = ExecutionManager(scheduler, function, region="us-east-1", account_id="123456789012")
    patient = manager.create_state_machine("patient", machine(60), "arn:aws:iam::123456789012:role/r")
    short = manager.create_state_machine(
        "short", {**machine(1), "TimeoutSeconds": 1}, "arn:aws:iam::123456789012:role/r"
    )
    slow = [
        manager.start_execution(patient, f"s{n}", f'{{"name": "s{n}", "blocks": true}}') for n in range(few_workers)
    ]
    scheduler.run_until(lambda: len(function.calls) == few_workers, timeout=PATIENCE_SECONDS)
    others = [manager.start_execution(short, f"o{n}", f'{{"name": "o{n}"}}') for n in range(3)]
    passed: list[int] = []
    scheduler.call_later(1.5, lambda: passed.append(1))

    scheduler.run_until(lambda: bool(passed), timeout=PATIENCE_SECONDS)
    assert [one.status for one in others] == ["RUNNING"] * 3
    function.go.set()
    scheduler.run_until(lambda: all(one.status != "RUNNING" for one in [*slow, *others]), timeout=PATIENCE_SECONDS)
    scheduler.stop()

    assert [(one.status, one.error) for one in [*slow, *others]] == [(SUCCEEDED, None)] * 5
    assert len(function.calls) == 10


def test_edge_43_a_function_that_does_not_answer_still_times_out_and_leaves_its_place(few_workers: int) -> None:
    scheduler = Scheduler.real()
    never = threading.Event()

    def call(fn: Callable[[], Any]) -> Any:
        with scheduler.worker():
            future = scheduler.execute(fn)
        try:
            return scheduler.wait(future, timeout=0.1)
        except WaitTimeout:
            scheduler.abandon(future)
            return "timed out"

    stuck = [scheduler.spawn(call, never.wait) for _ in range(few_workers)]
    after = scheduler.spawn(call, lambda: "answered")
    scheduler.run_until(lambda: all(task.future.done for task in [*stuck, after]), timeout=PATIENCE_SECONDS)
    never.set()
    scheduler.stop()

    assert [task.future.result() for task in stuck] == ["timed out"] * few_workers
    assert after.future.result() == "answered"


def test_a_place_goes_to_what_began_first() -> None:
    workers = Workers(1, lambda call: call())
    running, late, early, source = (workers.place(order) for order in (5.0, 9.0, 7.0, FIRST))
    given_up = workers.place(1.0)
    nested = workers.place(9.0, at_once=True)
    assert [one.done for one in (running, late, early, source, nested)] == [True, False, False, False, True]
    workers.give_back(given_up)

    gone = []
    workers.give_back(nested)
    for name, place in (("running", running), ("source", source), ("early", early), ("late", late)):
        assert place.done, name
        gone.append(name)
        workers.give_back(place)
    assert gone == ["running", "source", "early", "late"]


class FakeTimers:
    """Time by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lag = 0.0
        self.timers: list[Timer] = []

    def call_later(self, delay: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, len(self.timers), call))
        return self.timers[-1]

    def go_on(self, until: float) -> None:
        while due := sorted(one for one in self.timers if one.at <= until):
            self.timers.remove(due[0])
            self.now = max(self.now, due[0].at)
            due[0].call()
        self.now = until


def test_a_deadline_leaves_out_what_was_held_and_what_the_runtime_was_behind() -> None:
    timers, passed = FakeTimers(), []
    held = HeldTime(lambda: timers.now)
    Deadline(timers, 10.0, lambda: passed.append(timers.now), held)
    timers.go_on(2.0)
    with held.going_on(), held.going_on():  # twice at once counts once
        timers.go_on(6.0)
    timers.lag += 3.0

    timers.go_on(16.9)
    assert passed == []
    timers.go_on(60.0)
    assert passed == [17.0]


def test_a_deadline_that_is_cancelled_does_not_pass() -> None:
    timers, passed = FakeTimers(), []
    held = HeldTime(lambda: timers.now)
    deadline = Deadline(timers, 10.0, lambda: passed.append(timers.now), held)
    with held.going_on():
        timers.go_on(11.0)
    deadline.cancel()
    timers.go_on(60.0)
    assert passed == []


def test_time_in_which_the_thread_slept_is_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that was closed for an hour: what was on its way gets its time again."""
    scheduler = Scheduler.real()
    clock = [1000.0]
    monkeypatch.setattr("local.scheduler.time.monotonic", lambda: clock[0])
    future: Future[str] = Future()
    task = scheduler.spawn(scheduler.wait, future, 30.0)
    scheduler.run_until(lambda: task.wake_generation == 0 and task.green is not None, timeout=1e9)

    def closed_for_an_hour(timeout: float) -> bool:
        clock[0] += timeout + 3600.0
        return False

    monkeypatch.setattr(scheduler._wake, "wait", closed_for_an_hour)
    scheduler._block(None)
    assert scheduler.lag == pytest.approx(3600.0)
    scheduler._run_ready()
    scheduler._run_ready()
    assert not task.future.done

    future.set_result("answer")
    scheduler.run_until(lambda: task.future.done, timeout=1e9)
    assert task.future.result() == "answer"


def test_cancelled_timers_are_not_kept_until_they_are_due() -> None:
    scheduler = Scheduler.virtual(0)
    for _ in range(50_000):
        scheduler.call_later(86_400.0, lambda: None).cancel()
    assert len(scheduler._timers) <= 2 * MANY_TIMERS
