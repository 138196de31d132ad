"""Map and Parallel: concurrent branches, each in its own task. Distributed mode: see ``map_run``.

Source: Developer Guide, "Map workflow state", "Using Map state in Inline mode", "Parallel workflow state".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from local.scheduler import Future, Scheduler, Task
from local.states.data.context import StateContext
from local.states.data.path_values import integer_at, value_at
from local.states.data.scope import Scope
from local.states.definition.model import MapState, ParallelState
from local.states.errors import RUNTIME, HistoryLimitReached, StatesError
from local.states.limits import INLINE_MAP_CONCURRENCY, check_input, check_payload
from local.states.maps.map_run import run_distributed_map
from local.states.running.history import Trail

if TYPE_CHECKING:
    from local.states.running.interpreter import Interpreter


def run_map(run: Interpreter, state: MapState, scope: Scope, context: StateContext, trail: Trail) -> Any:
    """Run the item processor for every item and return the outputs in the order of the items.

    Raises:
        StatesError: an iteration failed; its error is the Map's, and the other iterations are stopped.
    """
    wanted = concurrency(run, state, scope)
    if state.distributed is not None:
        given = None if state.distributed.reader is not None else _items(state, scope)
        return run_distributed_map(run, state, scope, context, trail, given, wanted)
    inputs = iteration_inputs(run, state, scope, context)
    limit = min(wanted or INLINE_MAP_CONCURRENCY, INLINE_MAP_CONCURRENCY)
    processor = state.processor
    assert processor is not None
    trail.add("MapStateStarted", {"length": len(inputs)})

    def iterate(index: int) -> Any:
        details = {"name": state.name, "index": index}
        line = trail.fork(index)
        line.add("MapIterationStarted", details)
        try:
            output = run.run_branch(processor, inputs[index], line)
        except StatesError:
            line.add("MapIterationFailed", details)
            raise
        line.add("MapIterationSucceeded", details)
        return output

    try:
        outputs = side_by_side(run.scheduler, iterate, len(inputs), limit, f"{run.execution.name}/{state.name}")
        check_payload(outputs, state.name)
    except StatesError as error:
        error.closing = "MapStateFailed"
        raise
    trail.add("MapStateSucceeded")
    return outputs


def run_parallel(run: Interpreter, state: ParallelState, scope: Scope, trail: Trail) -> list[Any]:
    """Run all branches with the same input and return their outputs in order. Raises the same as ``run_map``."""
    data = scope.input if state.parameters is None else state.parameters(scope)
    check_input(data, state.name)
    trail.add("ParallelStateStarted")
    count = len(state.branches)

    def branch(index: int) -> Any:
        return run.run_branch(state.branches[index], data, trail.fork(index))

    try:
        outputs = side_by_side(run.scheduler, branch, count, count, f"{run.execution.name}/{state.name}")
        check_payload(outputs, state.name)
    except StatesError as error:
        error.closing = "ParallelStateFailed"
        raise
    trail.add("ParallelStateSucceeded")
    return outputs


def side_by_side(scheduler: Scheduler, work: Callable[[int], Any], count: int, limit: int, name: str) -> list[Any]:
    """Call ``work`` with 0..count-1 in order, at most ``limit`` at once, and return the results in the same order.

    The first failure ends the others, as does the end of the calling task.
    """
    results: list[Any] = [None] * count
    if not count:
        return results
    done: Future[None] = Future()
    rest = count
    numbers: Iterator[int] = iter(range(count))

    def worker() -> None:
        nonlocal rest
        for number in numbers:
            try:
                results[number] = work(number)
            except (StatesError, HistoryLimitReached) as error:
                done.set_exception(error)
                return
            rest -= 1
            if rest == 0:
                done.set_result(None)

    workers: list[Task] = [scheduler.spawn(worker, name=f"{name}#{n}") for n in range(min(count, limit))]
    try:
        scheduler.wait(done)
    except BaseException:
        for task in workers:
            scheduler.kill(task)
        raise
    return results


def iteration_inputs(run: Interpreter, state: MapState, scope: Scope, context: StateContext) -> list[Any]:
    """The inputs of a Map's iterations. Raises StatesError: there are no items at the path."""
    items = _items(state, scope)
    return items if state.parameters is None else _select(run, state, scope, context, items)


def _items(state: MapState, scope: Scope) -> list[Any]:
    items = value_at(state.items_path, scope)
    if not isinstance(items, list):
        raise StatesError(RUNTIME, f'Reference path "{state.items_path.text}" must point to array.')
    return items


def _select(run: Interpreter, state: MapState, scope: Scope, context: StateContext, items: list[Any]) -> list[Any]:
    """The input of each iteration from ItemSelector, in which the item is ``$$.Map.Item``."""
    assert state.parameters is not None
    inputs = []
    for index, value in enumerate(items):
        context.item = (index, value)
        inputs.append(state.parameters(run.scope(scope.input, context)))
    context.item = None
    return inputs


def concurrency(run: Interpreter, state: MapState, scope: Scope) -> int:
    """MaxConcurrency; 0 means as many as the mode allows."""
    if state.max_concurrency_path is not None:
        return integer_at(state.max_concurrency_path, scope, "MaxConcurrencyPath", least=0)
    return state.max_concurrency
