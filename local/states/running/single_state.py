"""Runs a single state with a mocked result: the TestState API.

Source: Step Functions API reference, "TestState"; Developer Guide, "Using TestState API to test a state", "Mocking
service integrations". Only the processing of input and output is done: nothing is called, nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.functions.model import InvokeResult
from local.scheduler import Scheduler
from local.states.data.context import StateContext
from local.states.data.scope import Scope
from local.states.definition.model import (
    Branch,
    Definition,
    MapState,
    ParallelState,
    State,
    TaskState,
    WorkState,
)
from local.states.errors import StatesError
from local.states.limits import check_input, check_payload
from local.states.maps.map_runs import MapRuns
from local.states.maps.objects import NoObjects
from local.states.running.executions import Execution, Machine
from local.states.running.history import Trail
from local.states.running.interpreter import Interpreter
from local.states.running.map_state import concurrency, iteration_inputs
from local.states.running.retry import Retries
from local.states.running.task_state import call_of, limits_of
from local.states.running.tokens import TokenRegistry

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
RETRIABLE = "RETRIABLE"
CAUGHT_ERROR = "CAUGHT_ERROR"

ARN = "arn:aws:states:us-east-1:123456789012"


@dataclass(frozen=True)
class Mocked:
    """The mocked outcome of the state's work: a result, or an error with its cause."""

    result: Any = None
    error: str | None = None
    cause: str = ""


@dataclass(frozen=True)
class Tested:
    """The state's outcome. ``output`` is valid unless FAILED or RETRIABLE; ``next`` None: it ends its branch.

    ``parameters``: the evaluated Parameters, for a Map a list of the iterations' inputs; None: it does no work.
    ``delay``: seconds until a retry, as drawn.
    """

    status: str
    output: Any = None
    next: str | None = None
    error: str | None = None
    cause: str | None = None
    parameters: Any = None
    delay: float | None = None


def states_of(branch: Branch) -> Iterator[State]:
    """All states of a machine, including those inside Maps and Parallels."""
    for state in branch.states.values():
        yield state
        if isinstance(state, MapState) and state.processor is not None:
            yield from states_of(state.processor)
        elif isinstance(state, ParallelState):
            for one in state.branches:
                yield from states_of(one)


def visit_state(
    definition: Definition,
    state: State,
    data: Any,
    *,
    scheduler: Scheduler,
    map_runs: MapRuns,
    mocked: Mocked | None = None,
    context: Mapping[str, Any] | None = None,
    retries: int = 0,
) -> Tested:
    """Visit a state once.

    Args:
        data: the state's input.
        mocked: the outcome of its work. Without one the result of a Task, Map or Parallel is None.
        context: the context object; may be partial.
        retries: how often the matching retrier has been used.
    """
    run = _SingleState(definition, scheduler, map_runs, mocked or Mocked(), context or {}, data)
    trail = Trail(run.execution.history, 0, scheduler.now)
    entered = trail.add(f"{state.type}StateEntered", {"name": state.name, "input": data})
    visit = StateContext(run.execution, state.name, scheduler.now(), scheduler.random)
    visit.retry_count = retries
    bare = replace(state, retriers=(), catchers=()) if isinstance(state, WorkState) else state
    try:
        output, following = run.visit(bare, data, visit, trail)
        if output is not data:
            check_payload(output, state.name)
    except StatesError as error:
        failure = error.locate(state.name, entered)
        return run.failed(state, data, failure, retries)
    return Tested(SUCCEEDED, output, following, parameters=run.parameters)


class _SingleState(Interpreter):
    """Runs states without an execution, with given results instead of calls."""

    def __init__(
        self,
        definition: Definition,
        scheduler: Scheduler,
        map_runs: MapRuns,
        mocked: Mocked,
        context: Mapping[str, Any],
        data: Any,
    ) -> None:
        now = scheduler.now()
        machine = Machine(f"{ARN}:stateMachine:tested", "tested", "STANDARD", "", "", definition, now, now)
        execution = Execution(f"{ARN}:execution:tested:tested", "tested", machine, definition, "", data, now)
        tokens = TokenRegistry(scheduler.random)
        super().__init__(scheduler, _NoFunctions(), tokens, execution, map_runs, NoObjects(), _heard)
        self._mocked = mocked
        self._context = context
        self.parameters: Any = None

    def scope(self, data: Any, context: StateContext) -> Scope:
        """The data that the paths of a state can select from: the given context object overrides an execution's."""
        return Scope(data, lambda: {**context.build(), **self._context, **_item_of(context)}, context.random)

    def pause(self, seconds: float, trail: Trail) -> None:
        """Return immediately."""

    def perform(self, state: WorkState, scope: Scope, context: StateContext, trail: Trail) -> Any:
        """The given result. The work's input is evaluated, which may raise errors."""
        if isinstance(state, TaskState):
            _, payload = call_of(state, scope)
            check_input(payload, state.name)
            self.parameters = payload if state.parameters is None else state.parameters(scope)
            limits_of(self, state, scope)
        elif isinstance(state, MapState):
            concurrency(self, state, scope)
            if state.distributed is None:
                self.parameters = iteration_inputs(self, state, scope, context)
        elif isinstance(state, ParallelState):
            self.parameters = scope.input if state.parameters is None else state.parameters(scope)
        if self._mocked.error is not None:
            raise StatesError(self._mocked.error, self._mocked.cause, located=True)
        return self._mocked.result

    def failed(self, state: State, data: Any, failure: StatesError, retries: int) -> Tested:
        """Retry first, then Catch (guide, "Handling errors")."""
        told = {"error": failure.name, "cause": failure.cause, "parameters": self.parameters}
        if isinstance(state, WorkState):
            used = Retries(state.retriers, of_task=isinstance(state, TaskState))
            delays = [used.next_delay(failure.name, self.scheduler.random) for _ in range(retries + 1)]
            if delays[-1] is not None:
                return Tested(RETRIABLE, delay=delays[-1], **told)
            caught = self.caught(state, data, failure)
            if caught is not None:
                return Tested(CAUGHT_ERROR, *caught, **told)
        return Tested(FAILED, **told)


class _NoFunctions:
    """An invoker that must not be called."""

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        """Raises AssertionError."""
        raise AssertionError(f"{function} was called while a single state was tested")


def _heard(_machine: str, _action: str, _resource: str) -> None:
    """Roles aren't checked."""


def _item_of(context: StateContext) -> dict[str, Any]:
    """``$$.Map`` while the inputs of iterations are made."""
    return {} if context.item is None else {"Map": {"Item": {"Index": context.item[0], "Value": context.item[1]}}}
