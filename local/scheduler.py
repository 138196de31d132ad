"""One scheduler for the whole local runtime: cooperative tasks over a real or a virtual clock.

Everything that waits in the embedded AWS (a Wait state, a retry back-off, a poll timeout, a queue's
visibility) waits here. Tasks are greenlets, so code reads top to bottom and still gives way at each
``sleep``, ``wait`` and ``checkpoint``.

* ``Scheduler.real()`` is for people: time passes by itself, functions run on worker threads.
* ``Scheduler.virtual(seed=...)`` is for tests: one thread, time jumps to the next timer when nothing
  can run, and the seed decides which of the runnable tasks goes first. The same seed gives the same
  trace, so a race that was found once can be replayed.
"""

from __future__ import annotations

import contextvars
import heapq
import itertools
import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

log = logging.getLogger("cqrs.local.scheduler")

T = TypeVar("T")
R = TypeVar("R")

#: Virtual runs start here, so that traces don't depend on the day they were made.
VIRTUAL_EPOCH = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
WORKER_THREADS = 32


class WaitTimeout(Exception):
    """``Scheduler.wait`` gave up before the future was done."""


class Stalled(Exception):
    """A virtual run can't go on: nothing is runnable and no timer is set, but the goal isn't reached."""


class TaskKilled(BaseException):
    """Thrown into a task that is killed. Not an ``Exception``: no handler's ``except`` may swallow it."""


class Future(Generic[T]):
    """A value that arrives later. Completed on the scheduler's thread only (see ``Scheduler.post``)."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._value: T | None = None
        self._error: BaseException | None = None
        self.done = False
        self.awaited = False

    def set_result(self, value: T) -> None:
        """Complete with ``value``. The first completion wins; later ones are ignored."""
        self._complete(value, None)

    def set_exception(self, error: BaseException) -> None:
        """Complete with an error, which ``result`` raises."""
        self._complete(None, error)

    def result(self) -> T:
        """The value, or raises the error. Only when ``done``."""
        if not self.done:
            raise RuntimeError("future is not done")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    @property
    def error(self) -> BaseException | None:
        """The error it was completed with, if any."""
        return self._error

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once done (at once if it is)."""
        if self.done:
            callback()
        else:
            self._callbacks.append(callback)

    def _complete(self, value: T | None, error: BaseException | None) -> None:
        if self.done:
            return
        self.done, self._value, self._error = True, value, error
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


@dataclass(eq=False)
class Task:
    """A running piece of work. ``future`` ends with its result or error."""

    name: str
    future: Future[Any]
    green: greenlet | None = None
    start: Callable[[], Any] | None = None
    context: contextvars.Context | None = None
    pending: BaseException | None = None
    queued: bool = False
    wake_generation: int = 0


@dataclass(order=True)
class Timer:
    """A call planned for ``at`` (epoch seconds). Background timers don't keep a virtual run alive."""

    at: float
    order: int
    call: Callable[[], None] = field(compare=False)
    background: bool = field(compare=False, default=False)
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        """Forget the call and what it holds; harmless if it already ran. The timer itself waits until it is due."""
        self.cancelled = True
        self.call = _nothing


def _nothing() -> None:
    """What a cancelled timer would call."""


class Scheduler:
    """Runs tasks one at a time on one thread; see the module's text for the two modes."""

    def __init__(self, *, virtual: bool, seed: int | None, start: float | None = None) -> None:
        self.is_virtual = virtual
        self.seed = seed
        self.random = random.Random(seed)
        self.trace: list[str] | None = None
        self._virtual_now = VIRTUAL_EPOCH if start is None else start
        self._ready: deque[Task] = deque()
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._hub: greenlet | None = None
        self._current: Task | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._crashes: list[tuple[str, BaseException]] = []
        self._pool: _WorkerPool | None = None

    @classmethod
    def real(cls) -> Scheduler:
        """Wall-clock time, functions on threads."""
        return cls(virtual=False, seed=None)

    @classmethod
    def virtual(cls, seed: int | None = None, *, start: float | None = None) -> Scheduler:
        """Virtual time on the calling thread. Without a seed, runnable tasks go first come first served."""
        return cls(virtual=True, seed=seed, start=start)

    # -- time ---------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since 1970, virtual or real."""
        return self._virtual_now if self.is_virtual else time.time()

    def call_later(self, delay: float, call: Callable[[], None], *, background: bool = False) -> Timer:
        """Call ``call`` on the scheduler's thread after ``delay`` seconds (it must not wait itself)."""
        timer = Timer(self.now() + max(delay, 0.0), next(self._order), call, background)
        with self._wake:
            heapq.heappush(self._timers, timer)
            self._wake.notify_all()
        return timer

    # -- tasks --------------------------------------------------------------------------------------

    def spawn(self, fn: Callable[..., Any], *args: Any, name: str = "", **kwargs: Any) -> Task:
        """Start ``fn`` as a task. Call it on the scheduler's thread; from others, ``post`` it."""
        task = Task(name or getattr(fn, "__name__", "task"), Future())
        task.start = lambda: fn(*args, **kwargs)
        task.context = contextvars.copy_context()
        self._enqueue(task)
        return task

    def execute(self, fn: Callable[..., R], *args: Any, name: str = "") -> Future[R]:
        """Run code that may block (a Lambda function): a worker thread in real time, a task in virtual time."""
        if self.is_virtual:
            return self.spawn(fn, *args, name=name).future
        future: Future[R] = Future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                value = context.run(fn, *args)
            except BaseException as error:  # noqa: BLE001 - boundary: the caller of the future gets whatever happened
                failure = error
                self.post(lambda: future.set_exception(failure))
            else:
                self.post(lambda: future.set_result(value))

        if self._pool is None:
            self._pool = _WorkerPool(WORKER_THREADS)
        self._pool.submit(work)
        return future

    def kill(self, task: Task) -> None:
        """Throw ``TaskKilled`` into ``task`` at the point where it waits."""
        if task.future.done:
            return
        task.pending = TaskKilled()
        self._enqueue(task)

    def sleep(self, seconds: float) -> None:
        """Give way for ``seconds``."""
        task = self._require_task("sleep")
        generation = task.wake_generation
        timer = self.call_later(seconds, lambda: self._wake_task(task, generation))
        try:
            self._switch_out(task)
        finally:
            timer.cancel()

    def wait(self, future: Future[T], timeout: float | None = None) -> T:
        """The future's result; raises its error, or ``WaitTimeout`` after ``timeout`` seconds."""
        future.awaited = True
        if not future.done:
            task = self._require_task("wait")
            generation = task.wake_generation
            future.on_done(lambda: self._wake_task(task, generation))
            timer = None if timeout is None else self.call_later(timeout, lambda: self._wake_task(task, generation))
            try:
                self._switch_out(task)
            finally:
                if timer is not None:
                    timer.cancel()
        if not future.done:
            raise WaitTimeout(f"not done after {timeout} s")
        return future.result()

    def checkpoint(self, label: str = "") -> None:
        """A point where another task may go first. Without effect in real time and outside of tasks."""
        task = self._current
        if not self.is_virtual or task is None or getcurrent() is not task.green:
            return
        if self.trace is not None:
            self.trace.append(f"{self._virtual_now:.3f} {task.name} {label}")
        self._enqueue(task)
        self._switch_out(task)

    def current_task(self) -> Task | None:
        """The task that runs now, or None on a worker thread or in the hub."""
        task = self._current
        return task if task is not None and getcurrent() is task.green else None

    # -- running ------------------------------------------------------------------------------------

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call`` on the scheduler's thread soon. The only method that is safe from any thread."""
        with self._wake:
            self._posted.append(call)
            self._wake.notify_all()

    def run_until(self, goal: Callable[[], bool], *, timeout: float | None = None) -> None:
        """Run until ``goal()``; ``timeout`` in the scheduler's own seconds.

        Raises:
            Stalled: a virtual run has nothing left to do.
            WaitTimeout: ``timeout`` passed first.
            BaseException: a task failed and nobody waited for it.
        """
        deadline = None if timeout is None else self.now() + timeout
        while not goal():
            if self._stopping:
                return
            if deadline is not None and self.now() >= deadline:
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
        """Virtual time only: run what falls within the next ``seconds``, background timers included."""
        if not self.is_virtual:
            raise RuntimeError("run_for needs the virtual clock")
        end = self.now() + seconds
        while self._run_ready() or self._fire_timers(end):
            pass
        self._virtual_now = max(self._virtual_now, end)
        self._raise_crash()

    def start_thread(self) -> None:
        """Real time: run on a background thread until ``stop``."""
        self._thread = threading.Thread(target=self._run_forever, name="cqrs-local", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End ``run_until`` and the background thread; tasks that still wait are dropped."""
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
            except Exception:  # boundary: one broken task must not end the runtime; it is logged with its trace
                log.exception("a background task failed")

    def _step(self, deadline: float | None) -> bool:
        """Run one round. False: a virtual run is idle."""
        progressed = self._run_ready()
        self._raise_crash()
        if progressed:
            return True
        if self.is_virtual:
            return self._fire_timers(deadline)
        self._block(deadline)
        return True

    def _run_ready(self) -> bool:
        while self._posted:
            self._posted.popleft()()
        if not self.is_virtual:
            self._fire_due()
        if not self._ready:
            return False
        if self.is_virtual and self.seed is not None and len(self._ready) > 1:
            self._ready.rotate(-self.random.randrange(len(self._ready)))
        task = self._ready.popleft()
        task.queued = False
        if not task.future.done:
            self._resume(task)
        return True

    def _fire_due(self) -> None:
        now = time.time()
        while self._timers and (self._timers[0].cancelled or self._timers[0].at <= now):
            with self._wake:
                timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.call()

    def _fire_timers(self, until: float | None) -> bool:
        """Jump to the next timer. False: none that keeps the run alive (or none before ``until``)."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        bounded = until is not None
        if not bounded and not any(not (t.background or t.cancelled) for t in self._timers):
            return False
        if until is not None and self._timers[0].at > until:
            self._virtual_now = until
            return False
        timer = heapq.heappop(self._timers)
        self._virtual_now = max(self._virtual_now, timer.at)
        timer.call()
        return True

    def _block(self, deadline: float | None) -> None:
        with self._wake:
            if self._posted or self._ready or self._stopping:
                return
            due = self._timers[0].at if self._timers else None
            ends = [at for at in (due, deadline) if at is not None]
            self._wake.wait(timeout=max(min(ends) - time.time(), 0.0) if ends else 0.5)

    def _enqueue(self, task: Task) -> None:
        if not task.queued:
            task.queued = True
            self._ready.append(task)

    def _wake_task(self, task: Task, generation: int) -> None:
        if not task.future.done and task.wake_generation == generation:
            self._enqueue(task)

    def _switch_out(self, task: Task) -> None:
        hub = self._hub
        if hub is None:
            raise RuntimeError("the scheduler is not running")
        hub.switch()
        task.wake_generation += 1
        if task.pending is not None:
            error, task.pending = task.pending, None
            raise error

    def _resume(self, task: Task) -> None:
        self._hub = getcurrent()
        if task.green is None:
            task.green = greenlet(self._body, parent=self._hub)
            task.green.gr_context = task.context
            arguments: tuple[Any, ...] = (task,)
        else:
            task.green.parent = self._hub
            arguments = ()
        previous, self._current = self._current, task
        try:
            task.green.switch(*arguments)
        finally:
            self._current = previous

    def _body(self, task: Task) -> None:
        start = task.start
        assert start is not None
        try:
            if task.pending is not None:
                error, task.pending = task.pending, None
                raise error
            value = start()
        except TaskKilled as error:
            task.future.awaited = True
            task.future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - boundary: kept for whoever waits, else raised by the run loop
            waited_for = task.future.awaited
            task.future.set_exception(error)
            if not waited_for:
                self._crashes.append((task.name, error))
        else:
            task.future.set_result(value)

    def _raise_crash(self) -> None:
        if self._crashes:
            name, error = self._crashes.pop(0)
            error.add_note(f"in the background task {name!r}")
            raise error

    def _require_task(self, what: str) -> Task:
        task = self.current_task()
        if task is None:
            raise RuntimeError(f"{what} is only possible inside a task of this scheduler")
        return task


class _WorkerPool:
    """Daemon threads: unlike an executor's, they never keep the process alive when a function hangs."""

    def __init__(self, size: int) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._run, name=f"cqrs-worker-{number}", daemon=True).start()

    def submit(self, job: Callable[[], None]) -> None:
        """Run ``job`` on the next free thread."""
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            self._jobs.get()()
