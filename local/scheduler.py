"""The scheduler of the local runtime: cooperative tasks with a real or a virtual clock.

Every wait in the embedded AWS (a Wait state, a retry back-off, a poll timeout, a queue's visibility) uses it. Tasks are
greenlets, so their code is sequential and yields at each ``sleep``, ``wait`` and ``checkpoint``.

* ``Scheduler.real()`` uses real time, and runs functions on worker threads.
* ``Scheduler.virtual(seed=...)`` is for tests: it uses one thread, time jumps to the next timer when nothing can run,
  and the seed decides which of the runnable tasks runs next. The same seed gives the same trace, so a race that was
  found once can be replayed.

Longer than a module should be: the public methods are one small interface, and the loop below them works on the same
few fields. Timers and task switching, which don't need those, are in ``timers`` and ``switching``.
"""

from __future__ import annotations

import contextvars
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from local.deadlines import Deadline
from local.futures import Future, Stalled, Task, TaskKilled, Timer, WaitTimeout
from local.switching import Switching
from local.timers import TimerQueue
from local.workers import FIRST, HeldTime, Workers

__all__ = ["VIRTUAL_EPOCH", "Future", "Scheduler", "Stalled", "Task", "TaskKilled", "Timer", "WaitTimeout"]

log = logging.getLogger("cqrs.local.scheduler")

T = TypeVar("T")
R = TypeVar("R")

#: Start time of virtual runs, so that traces don't depend on the current date.
VIRTUAL_EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
WORKER_THREADS = 32
#: The longest time that the thread sleeps, and the delay from which on it counts as late (seconds).
TICK_S = 0.5
BEHIND_S = 0.5


class Scheduler:
    """Runs tasks one at a time on one thread; see the module's docstring for the two modes."""

    def __init__(self, *, virtual: bool, seed: int | None, start: float | None = None) -> None:
        self.is_virtual = virtual
        self.seed = seed
        self.random = random.Random(seed)
        self.trace: list[str] | None = None
        self._virtual_now = VIRTUAL_EPOCH if start is None else start
        self._ready: deque[Task] = deque()
        self._timers = TimerQueue()
        self._switching = Switching()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._workers = Workers(WORKER_THREADS, self.post)
        #: Seconds by which this thread was late because the machine slept or was busy. Deadlines don't count them.
        self.lag = 0.0

    @classmethod
    def real(cls) -> Scheduler:
        """A scheduler with wall-clock time and functions on threads."""
        return cls(virtual=False, seed=None)

    @classmethod
    def virtual(cls, seed: int | None = None, *, start: float | None = None) -> Scheduler:
        """A scheduler with virtual time on the calling thread. Without a seed, runnable tasks run in FIFO order."""
        return cls(virtual=True, seed=seed, start=start)

    # -- time ---------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since 1970, virtual or real."""
        return self._virtual_now if self.is_virtual else time.time()

    def call_later(self, delay: float, call: Callable[[], None], *, background: bool = False) -> Timer:
        """Call ``call`` on the scheduler's thread after ``delay`` seconds; it must not wait."""
        with self._wake:
            timer = self._timers.push(self._clock() + max(delay, 0.0), call, background)
            self._wake.notify_all()
        return timer

    def deadline(self, seconds: float, call: Callable[[], None], held: HeldTime | None = None) -> Deadline:
        """Call ``call`` after ``seconds``, not counting the time in which this machine delayed ``held``."""
        return Deadline(self, seconds, call, held)

    def _clock(self) -> float:
        """The monotonic clock of timers, in seconds (``now`` is for dates)."""
        return self._virtual_now if self.is_virtual else time.monotonic()

    # -- tasks --------------------------------------------------------------------------------------

    def spawn(self, fn: Callable[..., Any], *args: Any, name: str = "", **kwargs: Any) -> Task:
        """Start ``fn`` as a task. Must be called on the scheduler's thread; from others, use ``post``."""
        task = Task(name or getattr(fn, "__name__", "task"), Future())
        task.start = lambda: fn(*args, **kwargs)
        task.context = contextvars.copy_context()
        self._enqueue(task)
        return task

    def execute(self, fn: Callable[..., R], *args: Any, name: str = "") -> Future[R]:
        """Run code that may block (a Lambda function), on a worker thread in real time, as a task in virtual time."""
        if self.is_virtual:
            return self.spawn(fn, *args, name=name).future
        future: Future[R] = Future()
        context = contextvars.copy_context()
        call: Callable[[], R] = lambda: context.run(fn, *args)  # noqa: E731 - as typed
        task = self.current_task()
        if task is not None and task.has_worker:
            task.has_worker = False
            self._workers.run(call, future)
        else:
            self._workers.place().on_done(lambda: self._workers.run(call, future))
        return future

    @contextmanager
    def worker(self, order: float = FIRST, *held: HeldTime, at_once: bool = False) -> Iterator[None]:
        """Wait for a free worker thread, and reserve it for this task's next ``execute``. Immediate in virtual time.

        Args:
            order: the lowest is served first: the start of the calling execution, so that older ones complete first.
            held: delayed by the wait, which their deadlines don't count.
            at_once: for calls from a running call; see ``Workers.place``.
        """
        if self.is_virtual or (task := self._require_task("worker")).has_worker:
            yield
            return
        place = self._workers.place(order, at_once=at_once)
        try:
            if not place.done:
                with ExitStack() as stack:
                    for one in held:
                        stack.enter_context(one.going_on())
                    self.wait(place)
        except BaseException:
            self._workers.give_back(place)
            raise
        task.has_worker = True
        try:
            yield
        finally:
            if task.has_worker:
                task.has_worker = False
                self._workers.give_back(place)

    @contextmanager
    def one_worker_more(self) -> Iterator[None]:
        """Inside, one more call may run concurrently: for a call that may wait for others and must not take a worker
        from them. In virtual time there is no limit.
        """
        if self.is_virtual:
            yield
            return
        self._workers.grow(1)
        try:
            yield
        finally:
            self._workers.grow(-1)

    def abandon(self, future: Future[Any]) -> None:
        """Free the worker of an executed call that is no longer waited for. Without effect in virtual time."""
        self._workers.abandon(future)

    def kill(self, task: Task) -> None:
        """Raise ``TaskKilled`` in ``task`` at the point where it waits."""
        if task.future.done:
            return
        task.pending = TaskKilled()
        self._enqueue(task)

    def sleep(self, seconds: float) -> None:
        """Yield for ``seconds``."""
        task = self._require_task("sleep")
        generation = task.wake_generation
        timer = self.call_later(seconds, lambda: self._wake_task(task, generation))
        try:
            self._switching.out(task)
        finally:
            timer.cancel()

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """The future's result; raises its error, or ``WaitTimeout`` after ``timeout`` seconds (see ``deadline``)."""
        future.awaited = True
        if not future.done:
            task = self._require_task("wait")
            generation = task.wake_generation
            future.on_done(lambda: self._wake_task(task, generation))
            timer = None if timeout is None else self.deadline(timeout, lambda: self._wake_task(task, generation))
            try:
                self._switching.out(task)
            finally:
                if timer is not None:
                    timer.cancel()
        if not future.done:
            raise WaitTimeout(f"not done after {timeout} s")
        return future.result()

    def checkpoint(self, label: str = "") -> None:
        """A point at which another task may run. Without effect in real time and outside of tasks."""
        task = self._switching.current()
        if not self.is_virtual or task is None:
            return
        if self.trace is not None:
            self.trace.append(f"{self._virtual_now:.3f} {task.name} {label}")
        self._enqueue(task)
        self._switching.out(task)

    def current_task(self) -> Task | None:
        """The running task; None on a worker thread or in the hub."""
        return self._switching.current()

    # -- running ------------------------------------------------------------------------------------

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call`` on the scheduler's thread soon. The only thread-safe method."""
        with self._wake:
            self._posted.append(call)
            self._wake.notify_all()

    def run_until(self, goal: Callable[[], bool], *, timeout: float | None = None) -> None:
        """Run until ``goal()``; ``timeout`` is in seconds of the scheduler's clock.

        Raises:
            Stalled: a virtual run has nothing left to do.
            WaitTimeout: ``timeout`` passed first.
            BaseException: a task failed that no other task waits for.
        """
        deadline = None if timeout is None else self._clock() + timeout
        while not goal():
            if self._stopping:
                return
            if deadline is not None and self._clock() >= deadline:
                raise WaitTimeout(f"goal not reached after {timeout} s")
            if not self._step(deadline):
                if goal():
                    return
                raise Stalled("nothing is runnable and no timer is set, but the goal isn't reached")

    def run_until_idle(self) -> None:
        """Virtual time only: run until no task is runnable and no foreground timer is left."""
        if not self.is_virtual:
            raise RuntimeError("run_until_idle needs the virtual clock: real time is never idle")
        while self._step(None):
            pass

    def run_for(self, seconds: float) -> None:
        """Virtual time only: run everything within the next ``seconds``, including background timers."""
        if not self.is_virtual:
            raise RuntimeError("run_for needs the virtual clock")
        end = self.now() + seconds
        while self._run_ready() or self._fire_timers(end):
            pass
        self._virtual_now = max(self._virtual_now, end)
        self._switching.raise_crash()

    def start_thread(self) -> None:
        """Real time only: run on a background thread until ``stop``."""
        self._thread = threading.Thread(target=self._run_forever, name="cqrs-local", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End ``run_until`` and the background thread; waiting tasks are dropped."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    # -- inside -------------------------------------------------------------------------------------

    def _run_forever(self) -> None:
        while not self._stopping:
            try:
                self._step(None)
            except Exception:  # boundary: one failed task must not end the runtime; it is logged with its traceback
                log.exception("a background task failed")

    def _step(self, deadline: float | None) -> bool:
        """Run one iteration. False: a virtual run is idle."""
        progressed = self._run_ready()
        self._switching.raise_crash()
        if progressed:
            return True
        if self.is_virtual:
            return self._fire_timers(deadline)
        self._block(deadline)
        return True

    def _run_ready(self) -> bool:
        began = self._clock()
        while self._posted:
            self._posted.popleft()()
        if not self.is_virtual:
            self._note_lag(self._clock() - began)
            self._fire_due()
        if not self._ready:
            return False
        if self.is_virtual and self.seed is not None and len(self._ready) > 1:
            self._ready.rotate(-self.random.randrange(len(self._ready)))
        task = self._ready.popleft()
        task.queued = False
        if not task.future.done:
            began = self._clock()
            self._switching.resume(task)
            if not self.is_virtual:
                self._note_lag(self._clock() - began)
        return True

    def _fire_due(self) -> None:
        now = self._clock()
        while self._timers.is_due(now):
            with self._wake:
                timer = self._timers.pop()
            if not timer.cancelled:
                timer.call()

    def _fire_timers(self, until: float | None) -> bool:
        """Jump to the next timer. False: there is none that keeps the run alive, or none before ``until``."""
        self._timers.drop_cancelled()
        first = self._timers.next_at
        if first is None or (until is None and not self._timers.keeps_alive()):
            return False
        if until is not None and first > until:
            self._virtual_now = until
            return False
        timer = self._timers.pop()
        self._virtual_now = max(self._virtual_now, timer.at)
        timer.call()
        return True

    def _block(self, deadline: float | None) -> None:
        with self._wake:
            if self._posted or self._ready or self._stopping:
                return
            ends = [at for at in (self._timers.next_at, deadline) if at is not None]
            began = self._clock()
            asked = min([TICK_S, *(max(at - began, 0.0) for at in ends)])
            self._wake.wait(timeout=asked)
            self._note_lag(self._clock() - began - asked)

    def _note_lag(self, seconds: float) -> None:
        if seconds > BEHIND_S:
            self.lag += seconds
            log.info("the local runtime was late by %.1f s; timeouts are extended by as much", seconds)

    def _enqueue(self, task: Task) -> None:
        if not task.queued:
            task.queued = True
            self._ready.append(task)

    def _wake_task(self, task: Task, generation: int) -> None:
        if not task.future.done and task.wake_generation == generation:
            self._enqueue(task)

    def _require_task(self, what: str) -> Task:
        task = self.current_task()
        if task is None:
            raise RuntimeError(f"{what} is only possible inside a task of this scheduler")
        return task
