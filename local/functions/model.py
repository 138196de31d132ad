"""Lambda functions in the local runtime: specification, result and errors.

Error types are the names that Lambda reports and that a state machine's Retry and Catch match
(Step Functions Developer Guide, "Handling errors in Step Functions workflows"; Lambda Developer Guide,
"Understanding function failures"): the class name of the function's exception, or one of the constants below.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from local.functions.packages import NOTHING_ELSE, Importable

TIMED_OUT = "Sandbox.Timedout"
EXITED = "Runtime.ExitError"
IMPORT_FAILED = "Runtime.ImportModuleError"
HANDLER_NOT_FOUND = "Runtime.HandlerNotFound"
MARSHAL_FAILED = "Runtime.MarshalError"
ANSWER_TOO_LARGE = "Function.ResponseSizeTooLarge"

#: Request and response of a synchronous call, in bytes of JSON: 6 MB (Lambda Developer Guide, "Lambda quotas").
PAYLOAD_LIMIT = 6 * 1024 * 1024
#: Request of an asynchronous call: 1 MB (Lambda Developer Guide, "Lambda quotas").
ASYNC_PAYLOAD_LIMIT = 1024 * 1024

#: Name of the running function, under which AWS calls are counted; None outside of functions.
current_function: ContextVar[str | None] = ContextVar("current_function", default=None)


class SimulatedCrash(BaseException):
    """The process of a function dies at this point (raised by a test's fault plan).

    Not an ``Exception``, so that neither botocore nor the function's own ``except`` can catch it: the rest of the
    function doesn't run, as after a power cut. The host reports it as an exit.
    """


class LambdaServiceError(Exception):
    """The Lambda service refused a call before any code ran.

    ``error_name`` is the error in a state machine, ``code`` that of the API, ``status`` its HTTP status.
    """

    error_name = "Lambda.ServiceException"
    code = "ServiceException"
    status = 500


class FunctionNotFound(LambdaServiceError):
    """No function has this name or ARN."""

    error_name = "Lambda.ResourceNotFoundException"
    code = "ResourceNotFoundException"
    status = 404


class TooManyRequests(LambdaServiceError):
    """All of the function's reserved concurrency is in use."""

    error_name = "Lambda.TooManyRequestsException"
    code = "TooManyRequestsException"
    status = 429


class RequestTooLarge(LambdaServiceError):
    """The request exceeds 6 MB (1 MB for an asynchronous call)."""

    error_name = "Lambda.RequestEntityTooLargeException"
    code = "RequestEntityTooLargeException"
    status = 413


class NoAnswer(LambdaServiceError):
    """The runtime itself didn't answer: neither a result nor a timeout of the function."""


@dataclass(frozen=True)
class FunctionSpec:
    """A deployed function: where its code is, what it may use, and how it is called."""

    name: str
    arn: str
    #: dotted path, ``handlers.entrypoints.events.handler``
    handler: str
    #: the unpacked archive, the only source of its code
    archive_dir: Path
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 3.0
    memory_mb: int = 128
    #: None: unlimited; 0: the function can't be called
    reserved_concurrency: int | None = None
    role_arn: str = ""
    #: what its code may import in addition to the archive and the runtime
    importable: Importable = NOTHING_ELSE


@dataclass(frozen=True)
class FunctionError:
    """What Lambda reports for an unhandled error."""

    error_type: str
    message: str
    #: as Python's ``traceback.format_list`` prints it, one frame a line
    stack: tuple[str, ...] = ()
    request_id: str | None = None

    def payload(self) -> dict[str, Any]:
        """The error as the Invoke API returns it.

        Shape: ``{"errorMessage", "errorType", "requestId"?, "stackTrace"}`` (Lambda Developer Guide,
        "Lambda function errors in Python"). A platform error has no stack trace.
        """
        answer: dict[str, Any] = {"errorMessage": self.message, "errorType": self.error_type}
        if self.request_id is not None:
            answer["requestId"] = self.request_id
        answer["stackTrace"] = list(self.stack)
        return answer


@dataclass(frozen=True)
class InvokeResult:
    """The outcome of one call. ``payload`` is the parsed JSON result, None if ``error`` is set."""

    payload: Any
    error: FunctionError | None
    request_id: str
    executed_version: str = "$LATEST"


class FunctionInvoker(Protocol):
    """Runs functions by name."""

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        """Run ``function`` (name or ARN) with ``payload`` and wait until it returns, times out or crashes.

        Called inside a scheduler task.

        Raises:
            FunctionNotFound: the function doesn't exist.
            TooManyRequests: its reserved concurrency is in use.
            RequestTooLarge: ``payload`` exceeds 6 MB.
        """
        ...
