"""Runs one execution, state by state, inside a scheduler task.

Values are never modified in place: a state's output may be shared with the history and the context
object. Source: Developer Guide, "Processing input and output in Step Functions".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from local.functions.model import FunctionInvoker
from local.scheduler import Scheduler
from local.states.data.context import StateContext
from local.states.data.path_values import value_at, wait_seconds_at
from local.states.data.paths import Path
from local.states.data.scope import Scope
from local.states.data.timestamps import parse_timestamp
from local.states.definition.model import (
    Branch,
    ChoiceState,
    FailState,
    MapState,
    ParallelState,
    PassState,
    State,
    SucceedState,
    TaskState,
    WaitState,
    WorkState,
)
from local.states.errors import NO_CHOICE_MATCHED, RUNTIME, StatesError
from local.states.limits import MAX_WAIT_SECONDS, check_payload, plain
from local.states.maps.map_runs import MapRuns
from local.states.maps.objects import Objects
from local.states.running.executions import Execution
from local.states.running.history import Trail
from local.states.running.map_state import run_map, run_parallel
from local.states.running.retry import Retries, find_catcher
from local.states.running.steps import noted, result_of
from local.states.running.task_state import run_task
from local.states.running.tokens import TokenRegistry

#: Called with each access: machine name, IAM action, resource ARN.
OnAccess = Callable[[str, str, str], None]
#: A state's output and the next state; None ends the branch.
Outcome = tuple[Any, str | None]


class Interpreter:
    """Runs the states of one execution."""

    def __init__(
        self,
        scheduler: Scheduler,
        invoker: FunctionInvoker,
        tokens: TokenRegistry,
        execution: Execution,
        map_runs: MapRuns,
        objects: Objects,
        on_access: OnAccess,
    ) -> None:
        self.scheduler = scheduler
        self.invoker = invoker
        self.tokens = tokens
        self.execution = execution
        self.map_runs = map_runs
        self.objects = objects
        self._on_access = on_access
        self._handlers: Mapping[type[State], Callable[..., Outcome]] = {
            PassState: self._pass,
            SucceedState: self._succeed,
            FailState: self._fail,
            ChoiceState: self._choice,
            WaitState: self._wait,
            TaskState: self._work,
            MapState: self._work,
            ParallelState: self._work,
        }

    @property
    def account_id(self) -> str:
        """The machine's account."""
        return self.execution.machine.arn.split(":")[4]

    def note_access(self, action: str, resource: str) -> None:
        """Report an access that the machine's role must allow, also for children of a Distributed Map."""
        self._on_access(self.execution.machine.name.partition("/")[0], action, resource)

    def run(self) -> Any:
        """Run the execution and return its output.

        Raises:
            StatesError: the execution failed.
            HistoryLimitReached: it has too many events.
        """
        execution = self.execution
        trail = Trail(execution.history, 0, self.scheduler.now)
        trail.add("ExecutionStarted", {"input": execution.input, "roleArn": execution.machine.role_arn})
        return self.run_branch(execution.definition.branch, execution.input, trail)

    def run_branch(self, branch: Branch, data: Any, trail: Trail) -> Any:
        """Run the states of a branch and return the output of the last one. Raises the same as ``run``."""
        name: str | None = branch.start_at
        while name is not None:
            state = branch.states[name]
            place = trail.next_place()
            entered_at = self.execution.steps.once(place, self.scheduler.now)
            entered = trail.add(f"{state.type}StateEntered", {"name": name, "input": data}, entered_at)
            context = StateContext(self.execution, name, entered_at, self._chance(place))
            try:
                output, following = self.visit(state, data, context, trail)
                if output is not data:
                    check_payload(output, name)
            except StatesError as error:
                raise error.locate(name, entered) from error.__cause__
            trail.add(f"{state.type}StateExited", {"name": name, "output": output})
            data, name = output, following
        return data

    def visit(self, state: State, data: Any, context: StateContext, trail: Trail) -> Outcome:
        """Run one state. Raises StatesError: it failed, and no Catch of it matches."""
        return self._handlers[type(state)](state, data, context, trail)

    def scope(self, data: Any, context: StateContext) -> Scope:
        """The data that the paths of a state can select from."""
        return Scope(data, context.build, context.random)

    def _chance(self, place: str) -> Random:
        """A random number that is the same whenever a stored execution reaches the place."""
        kept = self.execution.steps.are_kept
        return Random(f"{self.execution.arn} {place}") if kept else self.scheduler.random

    # -- the kinds of states --------------------------------------------------------------------------

    def _pass(self, state: PassState, raw: Any, context: StateContext, trail: Trail) -> Outcome:
        scope = self._effective(state, raw, context)
        result = scope.input
        if state.parameters is not None:
            result = state.parameters(scope)
        if state.has_result:
            result = state.result
        return self._finish(state, raw, result, state.result_path, context)

    def _succeed(self, state: SucceedState, raw: Any, context: StateContext, trail: Trail) -> Outcome:
        return self._select(state.output_path, self._effective(state, raw, context)), None

    def _fail(self, state: FailState, raw: Any, context: StateContext, trail: Trail) -> Outcome:
        scope = self.scope(raw, context)
        texts = []
        for field, template in (("ErrorPath", state.error), ("CausePath", state.cause)):
            value = "" if template is None else template(scope)
            if not isinstance(value, str):
                raise StatesError(RUNTIME, f"The {field} must give a string, not {value!r}")
            texts.append(value)
        raise StatesError(texts[0], texts[1], located=True)

    def _choice(self, state: ChoiceState, raw: Any, context: StateContext, trail: Trail) -> Outcome:
        scope = self._effective(state, raw, context)
        target = next((name for rule, name in state.rules if rule(scope)), state.default)
        if target is None:
            raise StatesError(NO_CHOICE_MATCHED, "Failed to transition out of the state: no choice rule matched")
        return self._select(state.output_path, scope), target

    def _wait(self, state: WaitState, raw: Any, context: StateContext, trail: Trail) -> Outcome:
        scope = self._effective(state, raw, context)
        now = self.scheduler.now()
        if state.timestamp is not None:
            delay = state.timestamp - now
        elif state.timestamp_path is not None:
            until = parse_timestamp(value := value_at(state.timestamp_path, scope))
            if until is None:
                what = "a valid ISO-8601 extended offset date-time format string"
                shown = f"{state.timestamp_path.text} == {plain(value)}"
                raise StatesError(RUNTIME, f"The TimestampPath parameter does not reference {what}: {shown}")
            delay = until - now
        elif state.seconds_path is not None:
            delay = wait_seconds_at(state.seconds_path, scope)
        else:
            delay = state.seconds or 0.0
        if delay > MAX_WAIT_SECONDS:
            raise StatesError(RUNTIME, "Wait state delay is too long.")
        if delay > 0:
            self.pause(delay, trail)
        return self._select(state.output_path, scope), state.next

    def pause(self, seconds: float, trail: Trail) -> None:
        """Wait, or wait for the remaining time."""
        steps, place, now = self.execution.steps, trail.next_place(), self.scheduler.now()
        until = steps.seen(place)
        if until is None:
            steps.note(place, now + seconds)
            self.scheduler.sleep(seconds)
        elif until > now:
            self.scheduler.sleep(until - now)

    def _work(self, state: WorkState, raw: Any, context: StateContext, trail: Trail) -> Outcome:
        """Task, Map and Parallel: Retry first, then Catch (guide, "Handling errors")."""
        of_task = isinstance(state, TaskState)
        retries: Retries | None = None
        entered = trail.last
        while True:
            try:
                scope = self._effective(state, raw, context)
                result = self._once(state, scope, context, trail)
                if state.result_selector is not None:
                    result = state.result_selector(self.scope(result, context))
                return self._finish(state, raw, result, state.result_path, context)
            except StatesError as error:
                failure = error.locate(state.name, entered)
            if retries is None:
                retries = Retries(state.retriers, of_task=of_task)
            delay = retries.next_delay(failure.name, self.scheduler.random)
            if delay is None:
                break
            self.pause(delay, trail)
            context.retry_count += 1
        if failure.closing:
            trail.add(failure.closing)
            failure.closing = ""
        caught = self.caught(state, raw, failure)
        if caught is None:
            raise failure
        return caught

    def caught(self, state: WorkState, raw: Any, failure: StatesError) -> Outcome | None:
        """The result of Catch for a failure; None: no catcher matches."""
        catcher = find_catcher(state.catchers, failure.name, of_task=isinstance(state, TaskState))
        if catcher is None:
            return None
        # the error output is put into the raw input (ASL specification, "Fallback states"); OutputPath isn't applied
        output = raw if catcher.result_path is None else catcher.result_path.put(raw, failure.output())
        return output, catcher.next

    def _once(self, state: WorkState, scope: Scope, context: StateContext, trail: Trail) -> Any:
        """One attempt, or its outcome if it ended before the process did."""
        steps, place = self.execution.steps, trail.next_place()
        seen = steps.seen(place)
        if seen is not None:
            return result_of(seen)
        try:
            result = self.perform(state, scope, context, trail)
        except StatesError as error:
            steps.note(place, noted(error))
            raise
        steps.note(place, {"result": result})
        return result

    def perform(self, state: WorkState, scope: Scope, context: StateContext, trail: Trail) -> Any:
        """Do the work of a state and return its result before ResultSelector. Raises StatesError: it failed."""
        if isinstance(state, TaskState):
            return run_task(self, state, scope, context, trail)
        if isinstance(state, MapState):
            return run_map(self, state, scope, context, trail)
        assert isinstance(state, ParallelState)
        return run_parallel(self, state, scope, trail)

    # -- input and output -----------------------------------------------------------------------------

    def _effective(self, state: State, raw: Any, context: StateContext) -> Scope:
        """The scope after InputPath."""
        scope = self.scope(raw, context)
        if state.input_path is not None and not state.input_path.steps and not state.input_path.context:
            return scope
        return self.scope(self._select(state.input_path, scope), context)

    def _finish(self, state: State, raw: Any, result: Any, result_path: Path | None, context: StateContext) -> Outcome:
        """ResultPath and OutputPath."""
        output = raw if result_path is None else result_path.put(raw, result)
        return self._select(state.output_path, self.scope(output, context)), state.next

    def _select(self, path: Path | None, scope: Scope) -> Any:
        """The data selected by InputPath or OutputPath; null selects an empty object."""
        return {} if path is None else value_at(path, scope)
