"""AWS in this process: counts and locks all boto3 calls, injects faults, and uses the scheduler's clock.

While an endpoint runs, calls of boto3's clients come here (``direct``) and are answered from moto's backends in this
process; nothing leaves the machine. moto isn't thread-safe, so one lock guards it (32 threads without it lost a third
of their updates).
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

import boto3
from moto.core.model_instances import reset_model_data
from moto.dynamodb.models.table import Table

from local import journal
from local.aws import services
from local.aws.access import UsedPermissions, access_of
from local.aws.address import serve_at
from local.aws.bounds import quick_keys, rarer_collections, remembered_methods, untracked_models
from local.aws.clients import spared_clients
from local.aws.clock import clock_of
from local.aws.direct.process import calls_of_this_process
from local.aws.environment import clean_environment
from local.aws.http import HttpServer
from local.aws.lambda_backend import LambdaInvoke, LocalLambda
from local.aws.model import (
    ACCOUNT_ID,
    AwsCall,
    AwsRequest,
    AwsResponse,
    EndpointStopped,
    Faults,
    OperationHandler,
)
from local.aws.moto_queues import LocalSqs
from local.aws.operations import READS, refusal
from local.aws.queues import ReceiveMessage
from local.aws.tables import requests
from local.aws.tables.dynamodb import LocalDynamoDB
from local.aws.topics import LocalSns
from local.functions.host import FunctionHost
from local.functions.model import current_function
from local.scheduler import Scheduler

_BACKENDS = {"dynamodb": LocalDynamoDB, "lambda": LocalLambda, "sns": LocalSns, "sqs": LocalSqs}

#: Whether the current call is part of a deployment.
_deploying: ContextVar[bool] = ContextVar("cqrs_deploying", default=False)


class AwsEndpoint:
    """AWS in this process. Only one can run at a time; its state is initially empty and is dropped by ``stop``.

    Args:
        scheduler: provides the clock, and the task switch before every call; None: real time, no tasks (unit tests).
        region: the default region of clients made while it runs.
        faults: see ``Faults``; can be set later.
    """

    account_id = ACCOUNT_ID

    def __init__(
        self, scheduler: Scheduler | None = None, *, region: str = "us-east-1", faults: Faults | None = None
    ) -> None:
        self.scheduler = scheduler
        self.region = region
        self.faults = faults
        #: Guards everything that touches moto's backends. Must not be held while waiting or calling functions.
        self.lock = threading.RLock()
        #: Calls by (caller, service, operation); the caller is a function's name, or None.
        self.calls: Counter[tuple[str | None, str, str]] = Counter()
        self._used = UsedPermissions()
        self._listeners: list[Callable[[AwsCall], None]] = []
        #: called in the journal's transaction after each S3 call that moto answered
        self.keep_objects: Callable[[journal.Journal, AwsRequest], None] | None = None
        self._handlers: dict[tuple[str, str], OperationHandler] = {}
        self._exit: ExitStack | None = None
        #: names of the rules that the program declared; None: it isn't deployed yet
        self._declared_rules: frozenset[str] | None = None

    # -- life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Answer the process's boto3 calls, which don't use the user's settings (``clean_environment``)."""
        with ExitStack() as stack:
            stack.enter_context(calls_of_this_process(self))
            stack.enter_context(clock_of(self.scheduler))
            stack.enter_context(clean_environment(self.region))
            stack.enter_context(spared_clients())
            stack.enter_context(untracked_models())
            stack.enter_context(remembered_methods())
            stack.enter_context(quick_keys())
            stack.enter_context(rarer_collections())
            session, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, None
            stack.callback(setattr, boto3, "DEFAULT_SESSION", session)
            services.load_services()
            services.drop_backends()
            reset_model_data()
            for service, backend in _BACKENDS.items():
                backends = services.backends(service)
                stack.callback(setattr, backends, "backend", backends.backend)
                backends.backend = backend
            stack.callback(services.drop_backends)
            self.replace("sqs", "ReceiveMessage", ReceiveMessage(self))
            self._exit = stack.pop_all()

    def stop(self) -> None:
        """Drop all state and restore the process. Later calls fail. Does nothing if it isn't running."""
        if self._exit is None:
            return
        with self.lock:
            serve_at(None)
            self._declared_rules = None
            self._exit.close()
            self._exit = None

    def __enter__(self) -> AwsEndpoint:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- set-up -------------------------------------------------------------------------------------

    def on_call(self, callback: Callable[[AwsCall], None]) -> None:
        """Call ``callback`` after each call that took effect, on the caller's thread, without the lock."""
        self._listeners.append(callback)

    def replace(self, service: str, operation: str, handler: OperationHandler) -> None:
        """Let ``handler`` answer an operation in place of moto.

        It runs without the lock, so that it may wait and make calls; it takes ``endpoint.lock`` to access moto's
        backends.
        """
        self._handlers[(services.service_name(service), operation)] = handler

    def install_lambda(self, host: FunctionHost, *, call_async: Callable[[str, Any], None] | None = None) -> None:
        """Let Lambda's Invoke run the functions of ``host``; see ``LambdaInvoke``."""
        if self.scheduler is None:
            raise RuntimeError("install_lambda needs an endpoint with a scheduler")
        self.replace("lambda", "Invoke", LambdaInvoke(self.scheduler, host, call_async))

    def bind_http(self, port: int, host: str = "127.0.0.1") -> HttpServer:
        """Bind a port on a loopback address; ``start`` of the result serves this endpoint there. Port 0: any free one.

        Raises:
            PortInUse: the port is taken.
            EndpointError: ``host`` is not a loopback address.
        """
        server = HttpServer(self, host, port)
        serve_at(server.url)
        return server

    def serve_http(self, port: int, host: str = "127.0.0.1") -> HttpServer:
        """``bind_http`` and start, on daemon threads. Raises the same errors."""
        server = self.bind_http(port, host)
        server.start()
        return server

    def seal(self) -> None:
        """Call when the program is deployed: from then on its declarations can't be changed; see ``operations``."""
        with self.lock:
            rules = services.backend("events", self.region).event_buses["default"].rules
            self._declared_rules = frozenset(rules)

    @contextmanager
    def deploying(self) -> Iterator[None]:
        """Inside, this thread may change declarations of a sealed endpoint."""
        token = _deploying.set(True)
        try:
            yield
        finally:
            _deploying.reset(token)
            self.seal()

    # -- calls --------------------------------------------------------------------------------------

    def handle(self, request: AwsRequest) -> AwsResponse:
        """Answer one request, in the order: task switch, fault, effect, count, fault, listeners.

        Raises:
            BaseException: raised by ``faults``.
        """
        reason = self._refusal(request)
        if reason is not None:
            return services.error_response(request.service, "UnsupportedOperation", reason, headers=request.headers)
        scheduler = self.scheduler
        if scheduler is not None:
            scheduler.checkpoint(f"{request.service}.{request.operation}")
        access = access_of(request)
        call = AwsCall(
            service=request.service,
            operation=request.operation,
            caller=current_function.get(),
            at=time.time() if scheduler is None else scheduler.now(),
            resource=access[0][1] if access else "*",
            access=access,
            params=request.params,
        )
        faults = self.faults
        code = faults.before(call) if faults is not None else None
        if code is not None:
            message = f"{code} injected before {call.label}"
            return services.error_response(request.service, code, message, headers=request.headers)
        handler = self._handlers.get((request.service, request.operation))
        if handler is not None:
            response = handler(request)
            with self.lock:
                self._count(call)
        else:
            with self.lock:
                response = self.call_moto(request)
                self._count(call)
        if faults is not None:
            faults.after(call)
        for listener in self._listeners:
            listener(call)
        return response

    def _refusal(self, request: AwsRequest) -> str | None:
        rules = None if _deploying.get() else self._declared_rules
        params = request.params
        reason = refusal(request.service, request.operation, params, deployed=rules is not None)
        if reason is None and request.service == "events" and rules and params.get("EventBusName") in (None, "default"):
            name = params.get("Rule") or params.get("Name")
            if name in rules and not request.operation.startswith(READS):
                why = f"rule {name!r} is declared by the program; change it there"
                return f"events {request.operation} is refused: {why}"
        return reason

    def call_moto(self, request: AwsRequest) -> AwsResponse:
        """moto's response (for DynamoDB with our changes); the lock must be held."""
        if self._exit is None:
            raise EndpointStopped(f"{request.service}.{request.operation} after the local endpoint was stopped")
        kept = journal.active()
        if kept is None:
            return self._call_moto(request)
        with kept.together():
            response = self._call_moto(request)
            if request.service == "s3" and self.keep_objects is not None:
                self.keep_objects(kept, request)
        return response

    def _call_moto(self, request: AwsRequest) -> AwsResponse:
        if request.service == "dynamodb":
            return requests.handle(request, services.backend("dynamodb", request.region))
        return services.call_moto(request)

    # -- reading ------------------------------------------------------------------------------------

    @property
    def tables(self) -> dict[str, Table]:
        """moto's tables of the endpoint's region by name; hold the lock."""
        tables: dict[str, Table] = services.backend("dynamodb", self.region).tables
        return tables

    def calls_by_function(self) -> dict[str, dict[str, set[str]]]:
        """The permissions that each function has used: {function: {action: {resource ARN}}}.

        State machines are included, by name, with the calls of their tasks and Distributed Maps.
        """
        with self.lock:
            return self._used.by_caller()

    def note_access(self, caller: str, action: str, resource: str) -> None:
        """Record an action of a state machine that isn't a call to this endpoint."""
        with self.lock:
            self._used.note(caller, action, resource)

    def _count(self, call: AwsCall) -> None:
        self.calls[(call.caller, call.service, call.operation)] += 1
        if call.caller is not None:
            for action, resource in call.access:
                self._used.note(call.caller, action, resource)
