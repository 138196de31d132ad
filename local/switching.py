"""Switching between tasks: each is a greenlet, which yields to the hub and is resumed by it."""

from __future__ import annotations

from typing import Any

from greenlet import getcurrent, greenlet

from local.futures import Task, TaskKilled


class Switching:
    """Runs one task at a time. ``crashes``: tasks that failed without another waiting for them, with their errors."""

    def __init__(self) -> None:
        self.crashes: list[tuple[str, BaseException]] = []
        self._hub: greenlet | None = None
        self._current: Task | None = None

    def current(self) -> Task | None:
        """The running task; None on a worker thread or in the hub."""
        task = self._current
        return task if task is not None and getcurrent() is task.green else None

    def resume(self, task: Task) -> None:
        """Run a task until it yields or ends."""
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

    def out(self, task: Task) -> None:
        """Yield until the task is resumed. Raises the exception that was thrown into it meanwhile."""
        hub = self._hub
        if hub is None:
            raise RuntimeError("the scheduler is not running")
        hub.switch()
        task.wake_generation += 1
        if task.pending is not None:
            error, task.pending = task.pending, None
            raise error

    def raise_crash(self) -> None:
        """Raise the error of a task that failed without another task waiting for it."""
        if self.crashes:
            name, error = self.crashes.pop(0)
            error.add_note(f"in the background task {name!r}")
            raise error

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
        except BaseException as error:  # noqa: BLE001 - boundary: kept for the waiting caller, else raised by the run loop
            waited_for = task.future.awaited
            task.future.set_exception(error)
            if not waited_for:
                self.crashes.append((task.name, error))
        else:
            task.future.set_result(value)
