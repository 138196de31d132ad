"""The test kit for one workflow: runs a definition with its handler class, in virtual time, without AWS.

    test = WorkflowTest(ThreeSteps())
    result = test.run({"numbers": [1, 2, 3]})
    assert result.visited == ["initialize", "process", "finalize"]

Waits, retries and timeouts take no real time. See ``docs/workflows.md``.
"""

from __future__ import annotations

import importlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.state_machines.checks import check_input, execution_name
from handlers.workflows.states import CustomStates
from handlers.workflows.workflow import WorkflowEvent, mark_of, state_methods
from infra.definitions import json_files
from infra.definitions.checks import TASK_TOKEN, DefinitionError, tasks_of
from infra.definitions.custom_workflows import FUNCTION, check_workflow, complete
from infra.definitions.workflow_sources import SUFFIX
from local.functions.model import FunctionError, InvokeResult
from local.scheduler import Scheduler
from local.states.errors import TaskTimedOut
from local.states.manager import ExecutionManager
from local.states.running.history import visited_states

REGION = "us-east-1"
ACCOUNT = "123456789012"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:workflow"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/workflow"


@dataclass(frozen=True)
class WorkflowResult:
    """The outcome of an execution. ``seconds``: the virtual time that it took; ``calls``: the methods called, in order.

    ``error`` and ``cause`` are None for one that SUCCEEDED, ``output`` for the others.
    """

    status: str
    output: Any
    error: str | None
    cause: str | None
    visited: list[str]
    calls: list[str]
    seconds: float


@dataclass(frozen=True)
class _Answer:
    """The answer for a token. ``fail``: error and cause."""

    after: float
    output: Any = None
    fail: tuple[str, str] | None = None


class WorkflowTest:
    """Runs one workflow. Each ``run`` is a new execution, in the same virtual time.

    Args:
        handler: an instance of the class with ``@workflow``, created with the collaborators of your test.
        definition: instead of ``<name>.asl.json`` next to the class's module.
        scheduler: the virtual clock, if collaborators need it, too.

    Raises:
        DefinitionError: deployment would reject the definition; the message has one line per problem.
    """

    def __init__(
        self, handler: object, *, definition: Mapping[str, Any] | None = None, scheduler: Scheduler | None = None
    ) -> None:
        declared = mark_of(type(handler))
        self.scheduler = scheduler if scheduler is not None else Scheduler.virtual(0)
        self.name = declared.name
        if definition is None:
            definition = _beside(type(handler), declared.name)
        completed = complete(definition)
        check_workflow(declared.name, declared.kind, completed, state_methods(type(handler)))
        #: name of a Lambda state -> whether it waits for a token
        self._lambda_states = {state: str(one["Resource"]).endswith(TASK_TOKEN) for state, one in tasks_of(completed)}
        self._states = CustomStates({declared.name: handler}, self.scheduler)
        self._errors: dict[str, deque[tuple[str, str]]] = {}
        self._answers: dict[str, deque[_Answer]] = {}
        self._beats: dict[str, tuple[float, int]] = {}
        self._calls: list[str] = []
        self._runs = 0
        self.tokens: list[str] = []
        self.manager = ExecutionManager(self.scheduler, self, region=REGION, account_id=ACCOUNT)
        text = json.dumps(completed).replace(FUNCTION, FUNCTION_ARN)
        self._machine = self.manager.create_state_machine(declared.name, text, ROLE_ARN, declared.kind)

    # -- what happens ------------------------------------------------------------------------------------

    def fail(self, state: str, error: str, cause: str = "", *, times: int = 1) -> None:
        """Make the next calls of a state fail with an error of this name, before its method runs.

        This and the following methods raise ValueError if the definition has no such state.
        """
        self._check_state(state)
        self._errors.setdefault(state, deque()).extend([(error, cause)] * times)

    def answer(self, state: str, output: Any, *, after: float = 1.0) -> None:
        """Answer the state's next token with ``output``, after ``after`` seconds."""
        self._check_token_state(state)
        self._answers.setdefault(state, deque()).append(_Answer(after, output))

    def reject(self, state: str, error: str, cause: str = "", *, after: float = 1.0) -> None:
        """Fail the state's next token."""
        self._check_token_state(state)
        self._answers.setdefault(state, deque()).append(_Answer(after, fail=(error, cause)))

    def beat(self, state: str, *, every: float, times: int) -> None:
        """Send heartbeats for the state's tokens."""
        self._check_token_state(state)
        self._beats[state] = (every, times)

    def run(self, given: Mapping[str, Any]) -> WorkflowResult:
        """Start an execution and run it to its end."""
        begin, first = self.scheduler.now(), len(self._calls)
        self._runs += 1
        name = execution_name(f"test {self._runs}")
        execution = self.manager.start_execution(self._machine, name, check_input(given))
        self.scheduler.run_until_idle()
        return WorkflowResult(
            status=execution.status,
            output=execution.output,
            error=execution.error,
            cause=execution.cause,
            visited=visited_states(execution.history.events),
            calls=self._calls[first:],
            seconds=(execution.stopped or begin) - begin,
        )

    # -- FunctionInvoker -----------------------------------------------------------------------------------

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        """Call the method, as the states function does."""
        event = WorkflowEvent.parse(json.loads(json.dumps(payload)))
        self._calls.append(event.state)
        request_id = f"request-{len(self._calls)}"
        if self._errors.get(event.state):
            error, cause = self._errors[event.state].popleft()
            return InvokeResult(None, FunctionError(error, cause), request_id)
        try:
            answer = self._states(self.name, event)
        except Exception as error:  # noqa: BLE001 - boundary: a function's error is the state's outcome
            return InvokeResult(None, FunctionError(type(error).__name__, str(error)), request_id)
        if event.task_token is not None:
            self._wait(event.state, event.task_token)
        return InvokeResult(json.loads(json.dumps(answer)), None, request_id)

    def _check_state(self, state: str) -> None:
        if state not in self._lambda_states:
            raise ValueError(f"{self.name}: no Lambda state {state!r}; there are {', '.join(self._lambda_states)}")

    def _check_token_state(self, state: str) -> None:
        self._check_state(state)
        if not self._lambda_states[state]:
            raise ValueError(f"{self.name}: state {state!r} waits for no token")

    def _wait(self, state: str, token: str) -> None:
        self.tokens.append(token)
        every, times = self._beats.get(state, (0.0, 0))
        for number in range(1, times + 1):
            self._later(every * number, lambda: self.manager.send_task_heartbeat(token))
        if not self._answers.get(state):
            return
        answer = self._answers[state].popleft()
        if answer.fail is None:
            self._later(answer.after, lambda: self.manager.send_task_success(token, json.dumps(answer.output)))
        else:
            error, cause = answer.fail
            self._later(answer.after, lambda: self.manager.send_task_failure(token, error, cause))

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        def unless_over() -> None:
            try:
                call()
            except TaskTimedOut:
                return  # the wait had ended, which a real sender would get as an error

        self.scheduler.call_later(seconds, unless_over)


def _beside(cls: type, name: str) -> dict[str, Any]:
    """The definition next to the module of a class."""
    file = importlib.import_module(cls.__module__).__file__
    if file is None:
        raise ValueError(f"{cls.__module__} is no file; give the definition")
    path = Path(file).with_name(f"{name}{SUFFIX}")
    if not path.is_file():
        raise DefinitionError(name, [f"the definition {path} is missing"])
    definition: dict[str, Any] = json_files.read(path)
    return definition
