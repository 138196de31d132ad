"""The Map state in Distributed mode: concurrent child executions, started as workers become free.

Source: Developer Guide, "Using Map state in Distributed mode", "Setting failure thresholds for Distributed Map states".
Not modelled: AWS's rate of starting children (1,000 per second for EXPRESS, 100 for STANDARD), redrive, and the list of
children that have not been started (PENDING).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from local.scheduler import Future
from local.states.data.context import StateContext
from local.states.data.path_values import integer_at, number_at
from local.states.data.scope import Scope
from local.states.definition.model import MapState, Tolerance
from local.states.errors import EXCEEDED_TOLERANCE, RUNTIME, StatesError
from local.states.limits import DISTRIBUTED_MAP_CONCURRENCY
from local.states.maps.item_batcher import ChildInput, child_inputs
from local.states.maps.item_reader import most_items, read_items
from local.states.maps.map_results import OutputArray, Results, ResultWriter
from local.states.maps.map_runs import MapRun
from local.states.running.executions import ABORTED, FAILED, RUNNING, SUCCEEDED, Execution
from local.states.running.history import Trail

if TYPE_CHECKING:
    from local.states.running.interpreter import Interpreter


def run_distributed_map(
    run: Interpreter,
    state: MapState,
    scope: Scope,
    context: StateContext,
    trail: Trail,
    given: list[Any] | None,
    concurrency: int,
) -> Any:
    """Run the item processor as child executions; returns their outputs, or where the ResultWriter put them.

    Args:
        given: the items, if there is no ItemReader.
        concurrency: MaxConcurrency, 0 for as many as possible.

    Raises:
        StatesError: the Map Run failed; the children still running are aborted.
    """
    distributed = state.distributed
    assert distributed is not None
    trail.add("MapStateStarted", {"length": 0 if given is None else len(given)})
    count, percentage = _tolerated(run, distributed.tolerance, scope)
    most = 0 if distributed.reader is None else most_items(run, distributed.reader, scope)
    steps = run.execution.steps.below(trail.place)
    map_run = run.map_runs.begin(run.execution, state, concurrency, count, percentage, steps)
    trail.add("MapRunStarted", {"mapRunArn": map_run.arn})
    run.note_access("states:StartExecution", run.execution.machine.arn)
    try:
        results: Results = OutputArray(state.name)
        if distributed.writer is not None:
            results = ResultWriter(run, map_run, distributed.writer(scope))
        items = iter(given or ()) if distributed.reader is None else read_items(run, distributed.reader, scope, most)
        inputs = child_inputs(run, state, scope, context, items)
        limit = min(concurrency or DISTRIBUTED_MAP_CONCURRENCY, DISTRIBUTED_MAP_CONCURRENCY)
        result = _Children(run, map_run, results, limit).run(inputs)
    except StatesError as error:
        run.map_runs.end(map_run, FAILED)
        trail.add("MapRunFailed", {"error": error.name, "cause": error.cause})
        error.closing = "MapStateFailed"
        raise
    except BaseException:
        run.map_runs.end(map_run, ABORTED)
        trail.add("MapRunAborted")
        raise
    finally:
        context.item = None
    run.map_runs.end(map_run, SUCCEEDED)
    trail.add("MapRunSucceeded")
    trail.add("MapStateSucceeded")
    return result


class _Children:
    """Starts children while there are inputs and free workers, and handles their ends."""

    def __init__(self, run: Interpreter, map_run: MapRun, results: Results, limit: int) -> None:
        self._run = run
        self._map_run = map_run
        self._results = results
        self._limit = limit
        self._running: dict[int, Execution] = {}
        self._ended: deque[tuple[int, Execution]] = deque()
        self._changed: Future[None] = Future()

    def run(self, inputs: Iterator[ChildInput]) -> Any:
        """The Map's result. Raises the same as ``run_distributed_map``."""
        number = 0
        try:
            while True:
                while len(self._running) >= self._limit:
                    self._wait()
                given = next(inputs, None)
                self._collect(all_known=given is None)
                if given is None:
                    break
                on_end = self._on_end(number)
                child = self._running[number] = self._run.map_runs.start(self._map_run, number, given, on_end)
                if child.status != RUNNING:  # it ended before the process did
                    on_end(child)
                number += 1
            while self._running:
                self._wait(all_known=True)
        except BaseException as error:
            aborted = self._stop()
            if isinstance(error, StatesError) and error.name == EXCEEDED_TOLERANCE:
                self._results.abandon(aborted)
            raise
        return self._results.finish()

    def _on_end(self, number: int) -> Callable[[Execution], None]:
        def ended(child: Execution) -> None:
            if self._running.pop(number, None) is not None:
                self._ended.append((number, child))
                self._changed.set_result(None)

        return ended

    def _wait(self, *, all_known: bool = False) -> None:
        if not self._ended:
            self._changed = Future()
            self._run.scheduler.wait(self._changed)
        self._collect(all_known=all_known)

    def _collect(self, *, all_known: bool) -> None:
        while self._ended:
            self._results.add(*self._ended.popleft())
        if _exceeded(self._map_run, all_known=all_known):
            raise StatesError(
                EXCEEDED_TOLERANCE, "The specified tolerated failure threshold was exceeded", located=True
            )

    def _stop(self) -> list[tuple[int, Execution]]:
        """Stop the running children. A running function continues; its result is discarded."""
        running, self._running = self._running, {}
        for child in running.values():
            self._run.map_runs.abort(child)
        return list(running.items())


def _exceeded(map_run: MapRun, *, all_known: bool) -> bool:
    """Whether too many items failed. A percentage is of all items, so it is checked once all are known; 0 at once."""
    failed, total = map_run.failed_items, map_run.items.total()
    count, percentage = map_run.tolerated_count, map_run.tolerated_percentage
    if count is None and percentage is None:
        return failed > 0
    if count is not None and failed > count:
        return True
    if percentage is None:
        return False
    return failed > 0 if percentage == 0 else all_known and failed * 100 > percentage * total


def _tolerated(run: Interpreter, tolerance: Tolerance, scope: Scope) -> tuple[int | None, float | None]:
    count, percentage = tolerance.count, tolerance.percentage
    if tolerance.count_path is not None:
        count = integer_at(tolerance.count_path, scope, "ToleratedFailureCountPath", least=None)
        if count < 0:
            raise StatesError(RUNTIME, "ToleratedFailureCount cannot be negative.")
    if tolerance.percentage_path is not None:
        percentage = number_at(tolerance.percentage_path, scope, "ToleratedFailurePercentagePath")
        if not 0 <= percentage <= 100:
            raise StatesError(RUNTIME, "ToleratedFailurePercentage must be between 0 and 100.")
    return count, percentage
