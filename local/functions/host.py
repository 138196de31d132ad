"""Runs functions as Lambda does, with cold starts, timeouts, crashes, size limits and reserved concurrency."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import traceback
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from handlers.core.log import LOGGER_NAME
from local.functions.archive_modules import ArchiveModules, unmounted
from local.functions.context import make_context
from local.functions.environment import function_environment, runtime_environment
from local.functions.instance import Handler, InitFailed, start_instance
from local.functions.model import (
    ANSWER_TOO_LARGE,
    EXITED,
    MARSHAL_FAILED,
    PAYLOAD_LIMIT,
    TIMED_OUT,
    FunctionError,
    FunctionNotFound,
    FunctionSpec,
    InvokeResult,
    RequestTooLarge,
    SimulatedCrash,
    TooManyRequests,
    current_function,
)
from local.functions.packages import Importable
from local.json_bytes import from_json, json_bytes
from local.scheduler import Future, Scheduler, Task, TaskKilled, WaitTimeout

#: A child of the functions' logger, so that start errors are logged where functions log.
log = logging.getLogger(f"{LOGGER_NAME}.start")

#: A hook around each call: ``(function name, payload, proceed)``. ``proceed(payload)`` makes the call and may be called
#: again (a duplicate), later (``scheduler.sleep``) or not at all; raising SimulatedCrash counts as a
#: crash of the function before its first line.
Interceptor = Callable[[str, Any, Callable[[Any], InvokeResult]], InvokeResult]


class FunctionHost:
    """The functions of the program. Implements ``FunctionInvoker``."""

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        create_overrides: Mapping[str, Any] | None = None,
        kill_timed_out: bool = False,
        importable: Collection[str] = (),
    ) -> None:
        """``create_overrides`` are keyword arguments for every module's ``create``, such as a clock. ``importable``:
        what functions may import in addition to their specifications, for handlers in tests.

        By default, a call that timed out continues as a zombie, which is the harder case: Lambda may still have sent
        its last requests. With ``kill_timed_out`` (virtual time only) it ends at its next AWS call or wait.
        """
        self.interceptors: list[Interceptor] = []
        self._scheduler = scheduler
        self._create_overrides = dict(create_overrides or {})
        self._kill_timed_out = kill_timed_out
        self._importable = frozenset(importable)
        self._specs: dict[str, FunctionSpec] = {}
        self._archives: dict[tuple[Path, Importable], ArchiveModules] = {}
        self._unstarted: dict[str, str] = {}
        self._starters: dict[str, Callable[[], Handler]] = {}
        self._instances: dict[str, Handler] = {}
        self._generations: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        #: Guards the cold starts of an archive: creating clients isn't thread-safe in botocore.
        self._starting: defaultdict[Path, threading.RLock] = defaultdict(threading.RLock)
        self._request_numbers = itertools.count(1)

    # -- registry -----------------------------------------------------------------------------------

    def register(self, spec: FunctionSpec, *, start: Callable[[], Handler] | None = None) -> None:
        """Add a function; its code is loaded by its first call.

        ``start`` creates the handler at each cold start instead of the archive, for simulations with their own ports.
        """
        if spec.name in self._specs:
            raise ValueError(f"function {spec.name!r} is registered already; use update")
        self._specs[spec.name] = spec
        if start is not None:
            self._starters[spec.name] = start

    def update(self, spec: FunctionSpec) -> None:
        """Replace a function's specification; its next call is a cold start."""
        self.get(spec.name)
        self._specs[spec.name] = spec
        self._drop_instance(spec.name)

    def unregister(self, name: str) -> None:
        """Remove a function."""
        self.get(name)
        del self._specs[name]
        self._starters.pop(name, None)
        self._drop_instance(name)

    def close(self) -> None:
        """Drop the functions' modules; running calls continue."""
        for modules in self._archives.values():
            modules.close()
        self._archives.clear()
        self._instances.clear()

    def get(self, function: str) -> FunctionSpec:
        """The function of this name, ARN, or either with ``:$LATEST``.

        Raises:
            FunctionNotFound: it doesn't exist.
        """
        name = function_name(function)
        spec = self._specs.get(name)
        if spec is None:
            raise FunctionNotFound(
                f"Function not found: {function} (known: {', '.join(sorted(self._specs)) or 'none'})"
            )
        return spec

    @property
    def names(self) -> list[str]:
        """The functions' names, sorted."""
        return sorted(self._specs)

    def load(self, function: str, module: str) -> ModuleType:
        """A module of the function's archive, which may differ from this process's module of that name.

        Raises:
            FunctionNotFound: the function doesn't exist.
            ModuleNotFoundError: its archive has no such module. Also whatever the module's code raises.
        """
        spec = self.get(function)
        with self._starting[spec.archive_dir]:
            return self._modules(spec).load(module)

    # -- calls --------------------------------------------------------------------------------------

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        """Run ``function`` with ``payload`` and wait for the outcome; see ``FunctionInvoker``."""
        spec = self.get(function)
        call: Callable[[Any], InvokeResult] = lambda body: self._invoke(spec, body)  # noqa: E731 - wrapped below
        for interceptor in reversed(self.interceptors):
            call = _wrap(interceptor, spec.name, call)
        try:
            return call(payload)
        except SimulatedCrash as crash:
            self._drop_instance(spec.name)
            return self._exited(self._request_id(), str(crash) or "exit status 137")

    def _invoke(self, spec: FunctionSpec, payload: Any) -> InvokeResult:
        body = json_bytes(payload)
        if len(body) > PAYLOAD_LIMIT:
            raise RequestTooLarge(
                f"{len(body)} byte payload is too large for the RequestResponse invocation type "
                f"(limit {PAYLOAD_LIMIT} bytes)"
            )
        limit = spec.reserved_concurrency
        if limit is not None and self._running[spec.name] >= limit:
            raise TooManyRequests(f"Rate exceeded: {spec.name} has reserved concurrency {limit}")
        request_id = self._request_id()
        generation = self._generations[spec.name]
        self._running[spec.name] += 1
        try:
            with self._scheduler.worker():
                future, task = self._start(spec, body, request_id, generation)
            return self._outcome(spec, request_id, generation, future, task)
        finally:
            self._running[spec.name] -= 1

    def _outcome(
        self, spec: FunctionSpec, request_id: str, generation: int, future: Future[InvokeResult], task: Task | None
    ) -> InvokeResult:
        try:
            return self._scheduler.wait(future, timeout=spec.timeout_s)
        except WaitTimeout:
            self._drop_instance(spec.name, generation)
            self._scheduler.abandon(future)
            if task is not None and self._kill_timed_out:
                self._scheduler.kill(task)
            message = f"RequestId: {request_id} Error: Task timed out after {spec.timeout_s:.2f} seconds"
            return InvokeResult(None, FunctionError(TIMED_OUT, message, request_id=request_id), request_id)
        except TaskKilled as killed:
            if not (future.done and future.error is killed):
                raise  # the caller is being killed, not the function
            self._drop_instance(spec.name, generation)
            return self._exited(request_id, "exit status 137")

    def _start(
        self, spec: FunctionSpec, body: bytes, request_id: str, generation: int
    ) -> tuple[Future[InvokeResult], Task | None]:
        if self._scheduler.is_virtual:
            task = self._scheduler.spawn(self._run, spec, body, request_id, generation, name=spec.name)
            return task.future, task
        return self._scheduler.execute(self._run, spec, body, request_id, generation, name=spec.name), None

    def _run(self, spec: FunctionSpec, body: bytes, request_id: str, generation: int) -> InvokeResult:
        """The call in the function's own thread or task."""
        current_function.set(spec.name)
        function_environment.set(runtime_environment(spec))
        try:
            handler = self._instance(spec)
            answer = handler(from_json(body), make_context(spec, request_id, self._scheduler.now))
        except InitFailed as failed:
            error = failed.error
            logged, self._unstarted[spec.name] = self._unstarted.get(spec.name), error.message
            where = None if logged == error.message else failed.__cause__  # traceback once: calls are retried
            log.error("can't start: %s: %s", error.error_type, error.message, exc_info=where)
            error = FunctionError(error.error_type, error.message, error.stack, request_id)
            return InvokeResult(None, error, request_id)
        except (SystemExit, SimulatedCrash) as crash:
            self._drop_instance(spec.name, generation)
            return self._exited(request_id, _exit_reason(crash))
        except Exception as error:  # noqa: BLE001 - boundary: Lambda reports any exception of the function
            stack = tuple(traceback.format_list(traceback.extract_tb(error.__traceback__)[1:]))
            message = unmounted(str(error))
            return InvokeResult(None, FunctionError(type(error).__name__, message, stack, request_id), request_id)
        return _answered(answer, request_id)

    def _instance(self, spec: FunctionSpec) -> Handler:
        """The function's handler, created by a cold start if there is none."""
        with self._starting[spec.archive_dir]:
            handler = self._instances.get(spec.name)
            if handler is None and spec.name in self._starters:
                handler = self._instances[spec.name] = self._starters[spec.name]()
            elif handler is None:
                handler = self._instances[spec.name] = start_instance(spec, self._modules(spec), self._create_overrides)
            return handler

    def _modules(self, spec: FunctionSpec) -> ArchiveModules:
        key = (spec.archive_dir, spec.importable)
        modules = self._archives.get(key)
        if modules is None:
            modules = self._archives[key] = ArchiveModules(spec.archive_dir, spec.importable.also(self._importable))
        return modules

    def _drop_instance(self, name: str, generation: int | None = None) -> None:
        """Make the next call a cold start. A zombie of an older instance doesn't drop the current one."""
        if generation is None or generation == self._generations[name]:
            self._generations[name] += 1
            self._instances.pop(name, None)

    def _exited(self, request_id: str, reason: str) -> InvokeResult:
        message = f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
        return InvokeResult(None, FunctionError(EXITED, message, request_id=request_id), request_id)

    def _request_id(self) -> str:
        if self._scheduler.is_virtual:  # the same in every run with the same seed
            return str(uuid.uuid5(uuid.NAMESPACE_OID, str(next(self._request_numbers))))
        return str(uuid.uuid4())


def function_name(function: str) -> str:
    """The plain name in a name, an ARN, or either with a qualifier (only ``:$LATEST`` is supported)."""
    name = function.split(":function:", 1)[1] if ":function:" in function else function
    return name.removesuffix(":$LATEST")


def _wrap(interceptor: Interceptor, name: str, call: Callable[[Any], InvokeResult]) -> Callable[[Any], InvokeResult]:
    return lambda payload: interceptor(name, payload, call)


def _exit_reason(crash: BaseException) -> str:
    if isinstance(crash, SystemExit):
        code = crash.code
        return f"exit status {code if isinstance(code, int) else 0 if code is None else 1}"
    return str(crash) or "exit status 137"


def _answered(answer: Any, request_id: str) -> InvokeResult:
    try:
        body = json.dumps(answer, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        return InvokeResult(None, FunctionError(MARSHAL_FAILED, message, request_id=request_id), request_id)
    if len(body) > PAYLOAD_LIMIT:
        message = f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
        return InvokeResult(None, FunctionError(ANSWER_TOO_LARGE, message, request_id=request_id), request_id)
    return InvokeResult(from_json(body), None, request_id)
