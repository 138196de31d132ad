"""The Task state: one attempt to run a function, with timeout, heartbeat and task token.

Source: Developer Guide, "Task workflow state", "Invoke an AWS Lambda function with Step Functions", "Wait for a
callback with task token".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.deadlines import Deadline
from local.functions.model import InvokeResult, LambdaServiceError
from local.scheduler import Future
from local.states.data.context import StateContext
from local.states.data.path_values import integer_at
from local.states.data.scope import Scope
from local.states.definition.model import TaskState
from local.states.errors import HEARTBEAT_TIMEOUT, RUNTIME, TIMEOUT, StatesError
from local.states.limits import check_input, check_payload, dumps
from local.states.running.history import Trail
from local.states.running.steps import noted
from local.states.running.tokens import Answer
from local.workers import HeldTime

if TYPE_CHECKING:
    from local.states.running.interpreter import Interpreter

#: The error name of a function that failed without one (guide, "Handling errors").
UNKNOWN = "Lambda.Unknown"


def run_task(run: Interpreter, state: TaskState, scope: Scope, context: StateContext, trail: Trail) -> Any:
    """Make one attempt and return its result before ResultSelector.

    Raises:
        StatesError: the task failed, timed out or its input or result is too large.
    """
    attempt = _Attempt(run, state, trail)
    try:
        if state.wait_for_token:
            context.token = attempt.wait_for_token()
        function, payload = call_of(state, scope)
        check_input(payload, state.name)
        attempt.start(function, payload, *limits_of(run, state, scope))
        result = run.scheduler.wait(attempt.outcome)
        check_payload(result, state.function or "lambda")
    except StatesError as error:
        attempt.record_failure(error)
        raise
    finally:
        context.token = None
        attempt.close()
    attempt.record("Succeeded", output=result)
    return result


def call_of(state: TaskState, scope: Scope) -> tuple[str, Any]:
    """The function and its input."""
    if state.function is not None:
        # called by its ARN, the function gets the effective input itself
        return state.function, scope.input if state.parameters is None else state.parameters(scope)
    assert state.parameters is not None
    parameters = state.parameters(scope)
    function = parameters["FunctionName"]
    if not isinstance(function, str) or not function:
        raise StatesError(RUNTIME, f"FunctionName must be a non-empty string, not {function!r}")
    # a function's input without Payload is not documented; {} chosen because Lambda passes that for an empty body
    return function, parameters.get("Payload", {})


def limits_of(run: Interpreter, state: TaskState, scope: Scope) -> tuple[float | None, float | None]:
    """TimeoutSeconds and HeartbeatSeconds of this attempt. Without a timeout the task has 99,999,999 s."""
    timeout, heartbeat = state.timeout, state.heartbeat
    if state.timeout_path is not None:
        timeout = integer_at(state.timeout_path, scope, "TimeoutSecondsPath")
    if state.heartbeat_path is not None:
        heartbeat = integer_at(state.heartbeat_path, scope, "HeartbeatSecondsPath")
    return timeout, heartbeat


class _Attempt:
    """A call in progress. The first of these ends it: the result, the token's answer, a timeout, the end of the state.
    An accepted answer always takes precedence, as its sender got a success.

    The function runs in its own task. If the attempt ends first, the function continues and its result is discarded.
    """

    def __init__(self, run: Interpreter, state: TaskState, trail: Trail) -> None:
        self._run = run
        self._state = state
        self._trail = trail
        self._timeout: Deadline | None = None
        self._heartbeat: Deadline | None = None
        #: the time before the function was called, during which this machine had no thread for it
        self._held = HeldTime()
        self._heartbeat_seconds: float | None = None
        self._scheduled = False
        self._steps, self._place = run.execution.steps, trail.place
        #: for an attempt that began before the process ended: whether its function was called, and since when it waits
        self._handed_over = False
        self._elapsed = 0.0
        self.outcome: Future[Any] = Future()
        self.token: str | None = None

    def wait_for_token(self) -> str:
        """Issue a token, or use the one that this attempt had before the process ended."""
        now = self._run.scheduler.now()
        begun = self._steps.once(f"{self._place} token", lambda: [self._run.tokens.new(), now])
        self.token, self._elapsed = begun[0], self._steps.elapsed(begun[1], now)
        self._handed_over = self._steps.seen(f"{self._place} handed over") is not None
        self._run.tokens.issue(self, self.token)
        return self.token

    def accepted(self, answer: Answer) -> None:
        """Store the token's answer before its sender gets a response."""
        if answer.error is None:
            self._steps.note(self._place, {"result": answer.output})
        else:
            self._steps.note(self._place, noted(StatesError(answer.error, answer.cause, located=True)))

    def start(self, function: str, payload: Any, timeout: float | None, heartbeat: float | None) -> None:
        """Call the function."""
        scheduler = self._run.scheduler
        self._record_start(function, payload, timeout, heartbeat)
        if timeout is not None:
            left = timeout - self._elapsed
            self._timeout = scheduler.deadline(left, lambda: self._fail(TIMEOUT), self._held)
        self._heartbeat_seconds = heartbeat
        self.beat()
        if self._handed_over:
            return
        name = f"{self._run.execution.name}/{self._state.name}"
        scheduler.spawn(self._invoke, function, payload, name=name)

    def answered(self, answer: Answer) -> None:
        """The token was answered, perhaps while the function still runs."""
        if answer.error is None:
            self.outcome.set_result(answer.output)
        else:
            self.outcome.set_exception(StatesError(answer.error, answer.cause, located=True))

    def beat(self) -> None:
        """A heartbeat: its timer restarts. TimeoutSeconds is not affected (API reference, SendTaskHeartbeat)."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        if self._heartbeat_seconds is not None and not self.outcome.done:
            seconds = self._heartbeat_seconds
            self._heartbeat = self._run.scheduler.deadline(seconds, lambda: self._fail(HEARTBEAT_TIMEOUT), self._held)

    def close(self) -> None:
        """The attempt is over."""
        for timer in (self._timeout, self._heartbeat):
            if timer is not None:
                timer.cancel()
        if self.token is not None:
            self._run.tokens.close(self.token)
        self.outcome.awaited = True
        self.outcome.set_result(None)  # without effect if it is done; a late answer finds the token closed

    def _invoke(self, function: str, payload: Any) -> None:
        try:
            execution = self._run.execution
            self._run.note_access("lambda:InvokeFunction", self._arn(function))
            with self._run.scheduler.worker(execution.started, self._held, execution.held):
                if self.outcome.done and not self._run.scheduler.is_virtual:
                    return  # the attempt ended while there was no thread for it: the function never ran
                result = self._run.invoker.invoke(function, payload)
            if not self.outcome.done:
                self._returned(result)
        except LambdaServiceError as error:
            self._fail(error.error_name, str(error))
        except Exception as error:  # boundary: the error is passed to the task that waits for the outcome
            if self.outcome.done:
                raise  # nothing waits for the outcome any longer: let the scheduler report the error
            self.outcome.set_exception(error)

    def _arn(self, function: str) -> str:
        if function.startswith("arn:"):
            return function
        _, partition, _, region, account, *_ = self._run.execution.machine.arn.split(":")
        return f"arn:{partition}:lambda:{region}:{account}:function:{function}"

    def _returned(self, result: InvokeResult) -> None:
        if result.error is not None:
            name = result.error.error_type or UNKNOWN
            self._fail(name, dumps(result.error.payload()))
        elif self.token is not None:
            # the function's own result only means that it got the token
            self.record("Submitted", output=_response(result))
            self._steps.note(f"{self._place} handed over", True)
        else:
            self.outcome.set_result(result.payload if self._state.function is not None else _response(result))

    def _fail(self, name: str, cause: str = "") -> None:
        """Fail the task, unless its token was answered before. AWS gives no cause for a timeout, so it is ""."""
        if self.token is None or self._run.tokens.close(self.token):
            self.outcome.set_exception(StatesError(name, cause, located=True))

    # -- history --------------------------------------------------------------------------------------

    def _record_start(self, function: str, payload: Any, timeout: float | None, heartbeat: float | None) -> None:
        self._scheduled = True
        if self._state.function is not None:
            details = {"resource": function, "input": payload, "timeoutInSeconds": timeout}
            self._trail.add("LambdaFunctionScheduled", details)
            self._trail.add("LambdaFunctionStarted")
            return
        region = self._run.execution.machine.arn.split(":")[3]
        self._trail.add(
            "TaskScheduled",
            {
                **self._resource(),
                "region": region,
                "parameters": {"FunctionName": function, "Payload": payload},
                "timeoutInSeconds": timeout,
                "heartbeatInSeconds": heartbeat,
            },
        )
        self._trail.add("TaskStarted", self._resource())

    def _resource(self) -> dict[str, Any]:
        return {"resourceType": "lambda", "resource": self._state.resource.rpartition("lambda:")[2]}

    def record(self, what: str, **details: Any) -> None:
        """Add ``TaskSucceeded`` or similar, under the name for the type of resource."""
        if self._state.function is not None:
            self._trail.add(f"LambdaFunction{what}", details)
        else:
            self._trail.add(f"Task{what}", {**self._resource(), **details})

    def record_failure(self, error: StatesError) -> None:
        """Add the event of a failed attempt; a task that wasn't scheduled has none."""
        if self._scheduled:
            what = "TimedOut" if error.name in (TIMEOUT, HEARTBEAT_TIMEOUT) else "Failed"
            self.record(what, error=error.name, cause=error.cause or None)


def _response(result: InvokeResult) -> dict[str, Any]:
    """The result of lambda:invoke: the Invoke response with its Payload parsed."""
    headers = {"X-Amz-Executed-Version": [result.executed_version], "x-amzn-RequestId": [result.request_id]}
    return {
        "ExecutedVersion": result.executed_version,
        "Payload": result.payload,
        "SdkHttpMetadata": {
            "AllHttpHeaders": headers,
            "HttpHeaders": {name: values[0] for name, values in headers.items()},
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": {"RequestId": result.request_id},
        "StatusCode": 200,
    }
