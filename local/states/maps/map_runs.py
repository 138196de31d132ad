"""Map Runs: the runs of Distributed Maps, their progress, and their child executions.

Source: API reference, DescribeMapRun and ListMapRuns; ARNs from the Developer Guide, "Viewing a Distributed Map Run
execution".
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from local.states.definition.model import EXPRESS, Definition, MapState
from local.states.errors import MapRunDoesNotExist
from local.states.maps.item_batcher import ChildInput
from local.states.running.executions import FAILED, RUNNING, TIMED_OUT, Execution, Machine
from local.states.running.steps import NO_STEPS, Steps

#: Number of ended Map Runs that can still be described.
KEEP_MAP_RUNS = 1_000
#: Number of ended children, of all Map Runs, that can still be described.
KEEP_CHILDREN = 1_000


@dataclass(eq=False)
class MapRun:
    """One run of a Distributed Map. Times in epoch seconds; ``machine`` is the one reported for its children.

    ``items`` and ``executions`` count by status (``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT``, ``ABORTED``).
    """

    arn: str
    execution_arn: str
    machine: Machine
    started: float
    max_concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None
    steps: Steps = NO_STEPS
    status: str = RUNNING
    stopped: float | None = None
    #: the number of results that a ResultWriter has written
    executions_written: int = 0
    items_written: int = 0
    items: Counter[str] = field(default_factory=Counter)
    executions: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition(":")[2]

    @property
    def failed_items(self) -> int:
        """Items of children that failed or timed out."""
        return self.items[FAILED] + self.items[TIMED_OUT]

    def count(self, before: str | None, after: str, items: int) -> None:
        """Count a child with this many items whose status changed; None: it is new."""
        for counter, number in ((self.executions, 1), (self.items, items)):
            if before is not None:
                counter[before] -= number
            counter[after] += number

    def end(self, status: str, now: float) -> None:
        """End the Map Run. Without effect if it has ended."""
        if self.status == RUNNING:
            self.status, self.stopped = status, now


class MapRuns:
    """All Map Runs of a manager. ``begin``, ``start`` and ``abort`` must be called on the scheduler's thread.

    Args:
        new_id: returns a UUID from the scheduler's random source.
        now: the scheduler's clock.
        launch: starts an execution and, when it has ended, calls its ``on_end``.
        stop: ends an execution as ABORTED.
        drop: forgets a closed execution.
    """

    def __init__(
        self,
        new_id: Callable[[], str],
        now: Callable[[], float],
        launch: Callable[[Execution], None],
        stop: Callable[[Execution], None],
        drop: Callable[[Execution], None],
    ) -> None:
        self._new_id = new_id
        self._now = now
        self._launch = launch
        self._stop = stop
        self._drop = drop
        self._lock = threading.Lock()
        self._runs: dict[str, MapRun] = {}
        self._open: dict[str, dict[str, Execution]] = {}
        self._closed: deque[Execution] = deque()

    def begin(
        self,
        parent: Execution,
        state: MapState,
        concurrency: int,
        count: int | None,
        percentage: float | None,
        steps: Steps,
    ) -> MapRun:
        """Begin a Map Run of an execution, or resume the one that was running when the process ended.

        Args:
            steps: those of the state, below which its children have theirs.
        """
        distributed, machine = state.distributed, parent.machine
        assert distributed is not None
        assert state.processor is not None
        label, now = distributed.label, self._now()
        arn = f"{machine.arn.replace(':stateMachine:', ':mapRun:')}/{label}:{steps.once('id', self._new_id)}"
        child = Machine(
            f"{machine.arn}/{label}",
            f"{machine.name}/{label}",
            distributed.execution_type,
            machine.role_arn,
            machine.text,
            Definition(state.processor),
            now,
            now,
        )
        map_run = MapRun(arn, parent.arn, child, now, concurrency, count, percentage, steps)
        with self._lock:
            self._runs[arn] = map_run
            self._open[arn] = {}
            closed = [one for one, run in self._runs.items() if run.status != RUNNING]
            for one in closed[:-KEEP_MAP_RUNS]:
                del self._runs[one]
        return map_run

    def start(self, map_run: MapRun, number: int, given: ChildInput, on_end: Callable[[Execution], None]) -> Execution:
        """Start the child execution with this number; ``on_end`` is called on the scheduler's thread.

        A child that ended before the process did is returned in its final status, and ``on_end`` isn't called.
        """
        steps = map_run.steps
        machine, name = map_run.machine, steps.once(f"{number} name", self._new_id)
        kind = "express" if machine.type == EXPRESS else "execution"
        arn = f"{machine.arn.replace(':stateMachine:', f':{kind}:')}:{name}"
        if machine.type == EXPRESS:
            arn = f"{arn}:{steps.once(f'{number} run', self._new_id)}"
        child = Execution(arn, name, machine, machine.definition, given.text, given.data, self._now())

        child.map_run, child.items, child.steps = map_run.arn, given.items, steps.below(str(number))
        before = steps.seen(f"{number} end")
        if before is not None:
            child.status, child.stopped, child.output, child.error, child.cause = before
            map_run.count(None, child.status, given.items)
            self._launch(child)
            self._retire(map_run, child)
            return child

        def ended(execution: Execution) -> None:
            end = [execution.status, execution.stopped, execution.output, execution.error, execution.cause]
            steps.note(f"{number} end", end)
            child.steps.forget()
            map_run.count(RUNNING, execution.status, given.items)
            self._retire(map_run, execution)
            on_end(execution)

        child.on_end = ended
        map_run.count(None, RUNNING, given.items)
        with self._lock:
            self._open[map_run.arn][arn] = child
        self._launch(child)
        return child

    def abort(self, child: Execution) -> None:
        """Stop a child immediately, as ABORTED."""
        self._stop(child)

    def end(self, map_run: MapRun, status: str) -> None:
        """End a Map Run as SUCCEEDED, FAILED or ABORTED."""
        map_run.end(status, self._now())

    def describe(self, arn: str) -> MapRun:
        """A Map Run by ARN. Raises ``MapRunDoesNotExist``."""
        with self._lock:
            map_run = self._runs.get(arn)
        if map_run is None:
            raise MapRunDoesNotExist(f"Resource not found: '{arn}'")
        return map_run

    def of_execution(self, arn: str) -> list[MapRun]:
        """The Map Runs that an execution started, newest first."""
        with self._lock:
            return [one for one in reversed(self._runs.values()) if one.execution_arn == arn]

    def children(self, arn: str) -> list[Execution]:
        """The children of a Map Run that can be described, newest first. Raises ``MapRunDoesNotExist``."""
        self.describe(arn)
        with self._lock:
            ended = [one for one in self._closed if one.map_run == arn]
            return [*reversed(self._open.get(arn, {}).values()), *reversed(ended)]

    def _retire(self, map_run: MapRun, child: Execution) -> None:
        with self._lock:
            self._open[map_run.arn].pop(child.arn, None)
            self._closed.append(child)
            oldest = self._closed.popleft() if len(self._closed) > KEEP_CHILDREN else None
        if oldest is not None:
            self._drop(oldest)
