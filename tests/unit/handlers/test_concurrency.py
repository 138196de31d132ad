"""Threads, and tasks of the virtual clock in their place: the same promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest

from handlers.core.concurrency import Concurrency, Threads
from local.functions.concurrency import Tasks
from local.functions.model import SimulatedCrash
from local.scheduler import Scheduler

who: ContextVar[str] = ContextVar("who", default="nobody")
#: Runs a test's body where the concurrency may be used.
Body = Callable[[Callable[[], None]], None]


@pytest.fixture(params=["threads", "tasks"])
def side(request: pytest.FixtureRequest) -> Iterator[tuple[Concurrency, Body]]:
    if request.param == "threads":
        yield Threads(), lambda body: body()
        return
    scheduler = Scheduler.virtual(1)

    def run(body: Callable[[], None]) -> None:
        task = scheduler.spawn(body)
        task.future.awaited = True
        scheduler.run_until_idle()
        task.future.result()

    yield Tasks(scheduler), run


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_all_run_once_with_the_caller_s_context(side: tuple[Concurrency, Body], at_once: int) -> None:
    concurrency, run = side
    seen: list[tuple[int, str]] = []

    def body() -> None:
        who.set("caller")
        works = [(str(number), _noting(seen, number)) for number in range(5)]
        concurrency.run_all(works, at_once)
        assert sorted(seen) == [(number, "caller") for number in range(5)]

    run(body)


def _noting(seen: list[tuple[int, str]], number: int) -> Callable[[], None]:
    return lambda: seen.append((number, who.get()))


def test_what_a_piece_raises_is_raised_when_the_others_have_ended(side: tuple[Concurrency, Body]) -> None:
    concurrency, run = side
    seen: list[tuple[int, str]] = []

    def refuse() -> None:
        raise KeyError("no")

    def body() -> None:
        with pytest.raises(KeyError):
            concurrency.run_all([("a", refuse), ("b", _noting(seen, 1)), ("c", _noting(seen, 2))], 3)
        with pytest.raises(KeyError):
            concurrency.run_within([("a", refuse), ("b", _noting(seen, 3))], 5)

    run(body)
    assert len(seen) == 3


def test_all_that_end_in_time_do(side: tuple[Concurrency, Body]) -> None:
    concurrency, run = side

    def body() -> None:
        assert concurrency.run_within([("a", lambda: None), ("b", lambda: None)], 5) == [True, True]
        assert concurrency.run_within([], 5) == []

    run(body)


def test_threads_are_as_many_as_wanted_and_one_that_is_late_goes_on() -> None:
    meet, release, ended = threading.Barrier(3, timeout=10), threading.Event(), threading.Event()

    def late() -> None:
        release.wait(10)
        ended.set()

    Threads().run_all([(str(number), _waiting(meet)) for number in range(3)], 3)
    assert Threads().run_within([("late", late), ("fast", lambda: None)], 0.05) == [False, True]
    assert not ended.is_set()
    release.set()
    assert ended.wait(10)


def _waiting(barrier: threading.Barrier) -> Callable[[], None]:
    def wait() -> None:
        barrier.wait()

    return wait


def test_a_single_piece_needs_no_thread() -> None:
    names: list[str] = []
    Threads().run_all([("one", lambda: names.append(threading.current_thread().name))], 5)
    assert names == [threading.current_thread().name]


def test_tasks_that_are_late_go_on_and_nobody_minds_how_they_end() -> None:
    scheduler = Scheduler.virtual()
    ended: list[float] = []

    def late() -> None:
        scheduler.sleep(40)
        ended.append(scheduler.now())
        raise SimulatedCrash

    def body() -> None:
        began = scheduler.now()
        assert Tasks(scheduler).run_within([("late", late), ("slow", lambda: scheduler.sleep(4))], 5) == [False, True]
        assert scheduler.now() == began + 5

    scheduler.spawn(body)
    scheduler.run_until_idle()
    assert len(ended) == 1


def test_when_the_process_dies_in_one_task_the_others_end_where_they_are() -> None:
    scheduler = Scheduler.virtual()
    went_on: list[str] = []

    def die() -> None:
        scheduler.sleep(1)
        raise SimulatedCrash

    def other() -> None:
        scheduler.sleep(2)
        went_on.append("other")

    def body() -> None:
        with pytest.raises(SimulatedCrash):
            Tasks(scheduler).run_all([("die", die), ("other", other)], 2)

    scheduler.spawn(body)
    scheduler.run_until_idle()
    assert went_on == []
