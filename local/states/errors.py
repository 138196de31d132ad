"""Errors of the state machine runtime: those inside an execution and those that the API returns.

``StatesError`` has an ASL error name, which Retry and Catch match. ``ApiError`` and its
subclasses have the code that the Step Functions API returns (API reference, each action's "Errors").
"""

from __future__ import annotations

from typing import Any

ALL = "States.ALL"
BRANCH_FAILED = "States.BranchFailed"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEEDED_TOLERANCE = "States.ExceedToleratedFailureThreshold"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
ITEM_READER_FAILED = "States.ItemReaderFailed"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"


class StatesError(Exception):
    """A state failed with an ASL error name and a cause in text.

    ``located``: the cause comes from a function or a Fail state and stays as it is. ``closing``: the history's event
    for the failure of the whole Map or Parallel state, once no retry follows; "" for none.
    """

    def __init__(self, name: str, cause: str = "", *, located: bool = False, closing: str = "") -> None:
        super().__init__(f"{name}: {cause}" if cause else name)
        self.name = name
        self.cause = cause
        self.located = located
        self.closing = closing

    def locate(self, state: str, event: int) -> StatesError:
        """Add the state in which an error of the runtime itself happened, once."""
        if not self.located:
            self.located = True
            place = f"An error occurred while executing the state '{state}' (entered at the event id #{event})."
            self.cause = f"{place} {self.cause}"
        return self

    def output(self) -> dict[str, Any]:
        """The error output that a Catch passes on.

        ``Cause`` is always present; it is "" where AWS reports none, as for a timeout.
        """
        return {"Error": self.name, "Cause": self.cause}


class HistoryLimitReached(Exception):
    """The execution would exceed 25,000 history events. No Retry or Catch sees it; the execution fails."""


class ApiError(Exception):
    """The API rejects a call. ``code`` is the error code that a client sees."""

    code = "InternalFailure"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidDefinition(ApiError):
    """The definition isn't valid ASL; the message names the JSON path, the value and what is allowed."""

    code = "InvalidDefinition"


class UnsupportedFeature(InvalidDefinition):
    """The definition uses a feature that this runtime doesn't support. It is rejected rather than ignored."""


class InvalidName(ApiError):
    """The name is too long or has a character that isn't allowed."""

    code = "InvalidName"


class InvalidExecutionInput(ApiError):
    """The input isn't JSON or exceeds 262,144 bytes."""

    code = "InvalidExecutionInput"


class MapRunDoesNotExist(ApiError):
    """No Map Run has this ARN, or it ended so long ago that it was dropped."""

    code = "ResourceNotFound"


class StateMachineDoesNotExist(ApiError):
    """There is no machine with this ARN."""

    code = "StateMachineDoesNotExist"


class StateMachineAlreadyExists(ApiError):
    """A machine with this name and another definition, type or role exists."""

    code = "StateMachineAlreadyExists"


class ExecutionDoesNotExist(ApiError):
    """No execution has this ARN, or it closed so long ago that it was dropped."""

    code = "ExecutionDoesNotExist"


class StateMachineTypeNotSupported(ApiError):
    """An EXPRESS machine doesn't keep its executions (API reference, ListExecutions)."""

    code = "StateMachineTypeNotSupported"


class ExecutionAlreadyExists(ApiError):
    """The name is taken by a closed execution, or by an open one with another input."""

    code = "ExecutionAlreadyExists"


class InvalidToken(ApiError):
    """The text isn't a task token of this runtime."""

    code = "InvalidToken"


class TaskDoesNotExist(ApiError):
    """A well-formed token of an unknown task."""

    code = "TaskDoesNotExist"


class TaskTimedOut(ApiError):
    """The token has expired, or its task is already closed (API reference, SendTaskSuccess)."""

    code = "TaskTimedOut"


class InvalidOutput(ApiError):
    """The answer isn't JSON or exceeds 262,144 bytes."""

    code = "InvalidOutput"
