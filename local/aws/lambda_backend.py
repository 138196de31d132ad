"""Lambda of the local endpoint: moto keeps the declarations, the function host runs the code."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend

from local.aws.model import AwsRequest, AwsResponse, EndpointError
from local.functions.host import FunctionHost
from local.functions.model import (
    ASYNC_PAYLOAD_LIMIT,
    InvokeResult,
    LambdaServiceError,
    NoAnswer,
    RequestTooLarge,
    current_function,
)
from local.scheduler import Scheduler

#: How much longer than a function's timeout its caller waits for a response (seconds).
GRACE_S = 60.0


class LocalLambda(LambdaBackend):  # type: ignore[misc]  # moto has no types that mypy can follow
    """Functions and event source mappings as declarations only."""

    def create_event_source_mapping(self, spec: dict[str, Any]) -> EventSourceMapping:
        """Record the mapping. moto would deliver messages one at a time, during the write; ``local.sources`` delivers
        them as Lambda does.
        """
        function = self._lambdas.get_function_by_name_or_arn_with_qualifier(spec.get("FunctionName", ""))
        source = spec.get("EventSourceArn", "")
        for known in self._event_source_mappings.values():
            # Whatever their filters (API reference, CreateEventSourceMapping, ResourceConflictException).
            if (known.event_source_arn, known.function_arn) == (source, function.function_arn):
                raise LambdaClientError(
                    "ResourceConflictException",
                    f'The event source arn (" {source} ") and function (" {function.function_name} ") provided mapping '
                    f"already exists. Please update or delete the existing mapping with UUID {known.uuid}",
                )
        spec.update(RegionName=self.region_name, AccountId=self.account_id, FunctionArn=function.function_arn)
        mapping = EventSourceMapping(spec)
        self._event_source_mappings[mapping.uuid] = mapping
        return mapping

    def delete_event_source_mapping(self, uuid: str) -> EventSourceMapping | None:
        """Remove the mapping."""
        return self._event_source_mappings.pop(uuid, None)

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Not called by Invoke after ``install_lambda``; moto would start a container here."""
        raise LambdaClientError("ServiceException", "no function host is installed on the local endpoint")

    def send_sns_message(self, function_name: str, *args: Any, **kwargs: Any) -> None:
        """Refuse a topic's delivery to a function."""
        raise EndpointError(f"the local endpoint doesn't deliver from SNS to a function ({function_name})")

    def send_log_event(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a log group's subscription."""
        raise EndpointError("the local endpoint doesn't deliver from CloudWatch Logs to a function")


class LambdaInvoke:
    """The Invoke API.

    RequestResponse runs the function and returns its result. Event returns 202 at once; the function is called later,
    with Lambda's retries, by ``call_async`` (default: ``local.sources.async_calls.AsyncCaller``). DryRun returns 204.
    """

    def __init__(
        self, scheduler: Scheduler, host: FunctionHost, call_async: Callable[[str, Any], None] | None = None
    ) -> None:
        self._scheduler = scheduler
        self._host = host
        self._call_async = call_async or _default_async(scheduler, host)

    def __call__(self, request: AwsRequest) -> AwsResponse:
        """Answer one Invoke request."""
        name = str(request.params["FunctionName"])
        qualifier = dict(parse_qsl(urlsplit(request.url).query)).get("Qualifier")
        if qualifier:
            name += f":{qualifier}"  # only $LATEST exists: the host refuses others
        kind = _text(request.headers.get("X-Amz-Invocation-Type") or request.headers.get("x-amz-invocation-type"))
        body = request.body or b"null"
        try:
            spec = self._host.get(name)
            payload = json.loads(body)
            if kind == "DryRun":
                return AwsResponse(204, {}, b"")
            if kind == "Event":
                if len(body) > ASYNC_PAYLOAD_LIMIT:
                    raise RequestTooLarge(
                        f"{len(body)} byte payload is too large for the Event invocation type "
                        f"(limit {ASYNC_PAYLOAD_LIMIT} bytes)"
                    )
                self._call_async(spec.name, payload)
                return AwsResponse(202, {}, b"")
            result = run_in_task(
                self._scheduler,
                lambda: self._host.invoke(spec.name, payload),
                what=f"function {spec.name}",
                patience=spec.timeout_s + GRACE_S,
            )
        except LambdaServiceError as error:
            return _refused(error.status, error.code, str(error))
        except ValueError as error:
            return _refused(400, "InvalidRequestContentException", f"Could not parse request body into json: {error}")
        headers = {"content-type": "application/json", "x-amz-executed-version": result.executed_version}
        if result.error is not None:
            headers["x-amz-function-error"] = "Unhandled"
            headers["x-amz-log-result"] = base64.b64encode(result.error.message.encode()[-4096:]).decode()
            return AwsResponse(200, headers, json.dumps(result.error.payload()).encode())
        return AwsResponse(200, headers, json.dumps(result.payload).encode())


def run_in_task(
    scheduler: Scheduler, call: Callable[[], InvokeResult], *, what: str, patience: float, beside: bool = False
) -> InvokeResult:
    """Make a blocking call: in the current task, or in a new task for a thread outside the scheduler.

    ``beside``: the call doesn't count towards the limit of concurrent calls.

    Raises:
        NoAnswer: neither a result nor a timeout within ``patience`` seconds; names ``what`` was called.
        RuntimeError: called in virtual time outside of a task, where it would never return.
    """
    if scheduler.current_task() is not None:
        return call()
    if scheduler.is_virtual:
        raise RuntimeError("in virtual time a function can be invoked only inside a task: spawn one")
    done = threading.Event()
    outcome: list[InvokeResult | BaseException] = []

    nested = current_function.get() is not None  # its caller occupies a worker thread and must not wait for another

    def run() -> None:
        try:
            with scheduler.one_worker_more() if beside else nullcontext(), scheduler.worker(at_once=nested or beside):
                outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - boundary: passed to the waiting thread
            outcome.append(error)
        finally:
            done.set()

    def start() -> None:
        scheduler.spawn(run, name="invoke")

    scheduler.post(start)
    if not done.wait(patience):
        raise NoAnswer(f"{what} gave no answer within {patience:.0f} s: the local runtime is stuck or was stopped")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _default_async(scheduler: Scheduler, host: FunctionHost) -> Callable[[str, Any], None]:
    from local.sources.async_calls import AsyncCaller  # imported here, since local.sources imports this package

    return AsyncCaller(scheduler, host).call


def _refused(status: int, code: str, message: str) -> AwsResponse:
    body = json.dumps({"Type": "User" if status < 500 else "Service", "Message": message})
    return AwsResponse(status, {"content-type": "application/json", "x-amzn-errortype": code}, body.encode())


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
