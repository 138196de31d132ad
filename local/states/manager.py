"""State machines and executions: the Step Functions API of the local runtime, without HTTP.

Methods may be called from any thread and never wait: changes to tasks are posted to the scheduler.
Source: API reference, each action; quotas from the Developer Guide, "Step Functions service quotas".
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from local.functions.model import FunctionInvoker
from local.partitions import partition_of
from local.scheduler import Scheduler
from local.states.definition.model import EXPRESS, STANDARD
from local.states.errors import (
    RUNTIME,
    TIMEOUT,
    ExecutionDoesNotExist,
    HistoryLimitReached,
    StatesError,
)
from local.states.limits import EXPRESS_SECONDS, HISTORY_EVENTS
from local.states.machines import MachineRegistry, check_name
from local.states.maps.map_runs import MapRuns
from local.states.maps.objects import NoObjects, Objects
from local.states.running.executions import (
    ABORTED,
    FAILED,
    RUNNING,
    SUCCEEDED,
    TIMED_OUT,
    Execution,
    KeptExecutions,
    Machine,
)
from local.states.running.history import Event
from local.states.running.interpreter import Interpreter, OnAccess
from local.states.running.tokens import TokenRegistry
from local.states.starts import parse_input, same_execution
from local.states.task_answers import TaskAnswers

#: Closed executions that keep their history (about 45 KB for a command).
KEEP_HISTORIES = 2_000
#: Closed executions that can still be described. Of older ones only the name is kept, as it remains taken.
KEEP_CLOSED = 20_000

_EVENTS = {
    SUCCEEDED: "ExecutionSucceeded",
    FAILED: "ExecutionFailed",
    ABORTED: "ExecutionAborted",
    TIMED_OUT: "ExecutionTimedOut",
}

StatusListener = Callable[[Execution], None]
#: Called before an execution is started, with machine ARN and name; raises an ``ApiError`` to reject it.
StartGate = Callable[[str, str], None]


class ExecutionManager(MachineRegistry, TaskAnswers):
    """Creates machines, and runs and describes executions.

    Args:
        scheduler: every execution is one of its tasks.
        invoker: runs the functions.
        region, account_id: for ARNs.
        keep_histories: how many closed executions keep their history.
        keep_closed: how many closed executions can still be described.
        before_start: may reject a start, for example by throttling.
        objects: S3 for Distributed Maps; None: not available.
        on_access: called with each action that a machine's role must allow, except S3.

    ``keep``: stores executions on disk, once it is set.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        invoker: FunctionInvoker,
        *,
        region: str,
        account_id: str,
        keep_histories: int = KEEP_HISTORIES,
        keep_closed: int = KEEP_CLOSED,
        before_start: StartGate | None = None,
        objects: Objects | None = None,
        on_access: OnAccess | None = None,
    ) -> None:
        super().__init__(scheduler, region, account_id)
        self.before_start = before_start
        self.tokens = TokenRegistry(scheduler.random)
        self.map_runs = MapRuns(self._uuid, scheduler.now, self._begin_child, self._stop_child, self._drop)
        self.keep: KeptExecutions | None = None
        self._objects = objects or NoObjects()
        self._on_access = on_access or (lambda machine, action, resource: None)
        self._invoker = invoker
        self._keep_histories = keep_histories
        self._keep_closed = keep_closed
        self._executions: dict[str, Execution] = {}
        #: machine ARN -> taken names; None: closed and dropped
        self._names: dict[str, dict[str, Execution | None]] = {}
        self._closed: deque[Execution] = deque()
        self._with_history: deque[Execution] = deque()
        self._listeners: list[StatusListener] = []

    # -- executions -----------------------------------------------------------------------------------

    def start_execution(self, arn: str, name: str | None = None, input_text: str = "{}") -> Execution:
        """Start an execution, or return the running one of this name and input (STANDARD).

        EXPRESS is not idempotent: a name may be reused.

        Raises:
            StateMachineDoesNotExist, InvalidName, InvalidExecutionInput
            ExecutionAlreadyExists: the name is taken by a closed execution or one with another input.
        """
        machine = self.describe_state_machine(arn)
        name = self._uuid() if name is None else name
        check_name(name)
        data = parse_input(input_text)
        if self.before_start:
            self.before_start(arn, name)
        with self._lock:
            if machine.type == EXPRESS:
                execution_arn = self._execution_arn(machine, name, "express") + f":{self._uuid()}"
            else:
                execution_arn = self._execution_arn(machine, name, "execution")
                names = self._names.setdefault(arn, {})
                if name in names:
                    return same_execution(names[name], input_text, execution_arn)
            execution = Execution(
                execution_arn, name, machine, machine.definition, input_text, data, self.scheduler.now()
            )
            self._executions[execution_arn] = execution
            if machine.type == STANDARD:
                names[name] = execution
            if self.keep is not None:
                self.keep.begun(execution)
        self.scheduler.post(lambda: self._spawn(execution))
        return execution

    def describe_execution(self, arn: str) -> Execution:
        """An execution by ARN. Raises ``ExecutionDoesNotExist``."""
        with self._lock:
            execution = self._executions.get(arn)
        if execution is None:
            raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'")
        return execution

    def list_executions(self, machine_arn: str, status: str | None = None) -> list[Execution]:
        """Executions of a machine, newest first. Raises ``StateMachineDoesNotExist``."""
        self.describe_state_machine(machine_arn)
        with self._lock:
            found = [e for e in self._executions.values() if e.machine.arn == machine_arn]
        return [e for e in reversed(found) if status is None or e.status == status]

    def history(self, arn: str) -> list[Event]:
        """The events so far, oldest first. Raises ``ExecutionDoesNotExist``."""
        return list(self.describe_execution(arn).history.events)

    def stop_execution(self, arn: str, error: str | None = None, cause: str | None = None) -> Execution:
        """End an execution as ABORTED. A running function continues; its answer is discarded.

        An execution that has ended stays as it is. Raises ``ExecutionDoesNotExist``.
        """
        execution = self.describe_execution(arn)
        self._finish(execution, ABORTED, error=error, cause=cause)
        return execution

    def on_status_change(self, listener: StatusListener) -> None:
        """Call ``listener`` on the scheduler's thread whenever an execution ends, except children of Map Runs."""
        self._listeners.append(listener)

    # -- inside ---------------------------------------------------------------------------------------

    def _spawn(self, execution: Execution) -> None:
        if execution.status != RUNNING:
            return  # stopped before it began
        limits = [execution.definition.timeout, EXPRESS_SECONDS if execution.machine.type == EXPRESS else None]
        seconds = min((limit for limit in limits if limit is not None), default=None)
        if seconds is not None:
            seconds -= execution.steps.elapsed(execution.started, self.scheduler.now())
            execution.timer = self.scheduler.deadline(
                seconds, lambda: self._finish(execution, TIMED_OUT, error=TIMEOUT), execution.held
            )
        execution.task = self.scheduler.spawn(self._run, execution, name=execution.name)

    def _run(self, execution: Execution) -> None:
        interpreter = Interpreter(
            self.scheduler, self._invoker, self.tokens, execution, self.map_runs, self._objects, self._on_access
        )
        try:
            output = interpreter.run()
        except StatesError as error:
            self._finish(execution, FAILED, error=error.name or None, cause=error.cause or None)
        except HistoryLimitReached:
            # the guide says that the execution fails, not with which error
            cause = f"The execution reached the maximum number of history events ({HISTORY_EVENTS})."
            self._finish(execution, FAILED, error=RUNTIME, cause=cause)
        except Exception as error:
            # a bug in the runtime or in a test's invoker: the execution must not hang; the run loop reports the error
            self._finish(execution, FAILED, error=RUNTIME, cause=f"{type(error).__name__}: {error}")
            raise
        else:
            self._finish(execution, SUCCEEDED, output=output)

    def _finish(
        self,
        execution: Execution,
        status: str,
        *,
        output: Any = None,
        error: str | None = None,
        cause: str | None = None,
    ) -> None:
        details = {"output": output} if status == SUCCEEDED else {"error": error, "cause": cause}
        with self._lock:
            if execution.status != RUNNING:
                return
            execution.status = status
            execution.stopped = self.scheduler.now()
            execution.output, execution.error, execution.cause = output, error, cause
            execution.history.close(_EVENTS[status], execution.stopped, details)
            if execution.timer is not None:
                execution.timer.cancel()
                execution.timer = None
            if self.keep is not None and execution.map_run is None:
                self.keep.ended(execution)
            self._retire(execution)
        self.scheduler.post(lambda: self._ended(execution))

    def _ended(self, execution: Execution) -> None:
        if execution.task is not None:
            if execution.status in (ABORTED, TIMED_OUT):
                self.scheduler.kill(execution.task)
            execution.task = None
        if execution.on_end is not None:
            execution.on_end(execution)
            return
        for listener in self._listeners:
            listener(execution)
        if self.keep is not None:
            self.keep.reported(execution)

    def reopen(self, execution: Execution, *, reported: bool) -> None:
        """Restore an execution of an earlier process, before the scheduler runs, oldest first: a running one continues,
        an ended one is reported if it was not.
        """
        with self._lock:
            self._executions[execution.arn] = execution
            if execution.machine.type == STANDARD:
                self._names.setdefault(execution.machine.arn, {})[execution.name] = execution
            if execution.status != RUNNING:
                execution.history.closed = True
                self._retire(execution)
        if execution.status == RUNNING:
            self.scheduler.post(lambda: self._spawn(execution))
        elif not reported:
            self.scheduler.post(lambda: self._ended(execution))

    def take_name(self, machine: Machine, name: str) -> None:
        """Reserve the name of an earlier execution that can no longer be described."""
        self._names.setdefault(machine.arn, {})[name] = None

    def _begin_child(self, child: Execution) -> None:
        with self._lock:
            self._executions[child.arn] = child
        if child.status == RUNNING:
            self._spawn(child)

    def _stop_child(self, child: Execution) -> None:
        self._finish(child, ABORTED)

    def _drop(self, child: Execution) -> None:
        with self._lock:
            del self._executions[child.arn]

    def _retire(self, execution: Execution) -> None:
        execution.context = {}
        if execution.map_run is not None:
            return  # its Map Run decides how long it is kept
        self._with_history.append(execution)
        if len(self._with_history) > self._keep_histories:
            self._with_history.popleft().history.drop()
        self._closed.append(execution)
        if len(self._closed) > self._keep_closed:
            oldest = self._closed.popleft()
            del self._executions[oldest.arn]
            if oldest.machine.type == STANDARD:
                self.take_name(oldest.machine, oldest.name)
            if self.keep is not None:
                self.keep.dropped(oldest)

    def _execution_arn(self, machine: Machine, name: str, kind: str) -> str:
        return f"arn:{partition_of(self.region)}:states:{self.region}:{self.account_id}:{kind}:{machine.name}:{name}"

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.scheduler.random.getrandbits(128), version=4))
