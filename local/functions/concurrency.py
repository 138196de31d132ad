"""Replaces the functions' threads by tasks of the virtual clock, whose seed decides the order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from local.functions.model import SimulatedCrash
from local.scheduler import Scheduler, Task, WaitTimeout

Work = tuple[str, Callable[[], None]]


class Tasks:
    """Implements ``handlers.core.concurrency.Concurrency``, structurally, since functions have separate modules."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def run_all(self, works: Sequence[Work], at_once: int) -> None:
        """See Concurrency. A simulated crash in one task ends the others as well."""
        waiting = deque(works)

        def take_turns() -> None:
            while waiting:
                _, work = waiting.popleft()
                work()

        tasks = [self._spawn(f"apply-{number}", take_turns) for number in range(min(at_once, len(works)))]
        try:
            for task in tasks:
                self._scheduler.wait(task.future)
        except SimulatedCrash:
            for task in tasks:
                self._scheduler.kill(task)
            raise

    def run_within(self, works: Sequence[Work], seconds: float) -> list[bool]:
        """See Concurrency."""
        tasks = [self._spawn(name, work) for name, work in works]
        end = self._scheduler.now() + seconds
        return [self._is_in_time(task, end) for task in tasks]

    def _is_in_time(self, task: Task, end: float) -> bool:
        try:
            self._scheduler.wait(task.future, timeout=max(end - self._scheduler.now(), 0.0))
        except WaitTimeout:
            return False
        return True

    def _spawn(self, name: str, work: Callable[[], None]) -> Task:
        task = self._scheduler.spawn(work, name=name)
        task.future.awaited = True  # a late or killed task isn't an unhandled error
        return task


def collaborators(scheduler: Scheduler) -> dict[str, object]:
    """Replacements for the functions' collaborators: the clock, and in virtual time also pauses and threads."""
    virtual = {"sleep": scheduler.sleep, "concurrency": Tasks(scheduler)}
    return {"clock": scheduler, **(virtual if scheduler.is_virtual else {})}
