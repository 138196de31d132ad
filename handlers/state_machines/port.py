"""The ports to a state machine service: the pipeline's and the application's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from handlers.core.light_dataclasses import dataclass


class StateMachines(Protocol):
    """Executions and their task tokens. Methods raise ``TransientError`` when a later try may work."""

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution. False: one of that name exists already, which is success too.

        The name and the payload must be pure functions of what is started, so that a repeated
        delivery starts nothing twice. After an error it may have been started all the same; only a
        ``TransientThrottle`` that is ``refused`` says that it was not.
        """
        ...

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """Answer a task token. False: the token is used, timed out or gone, so nothing waits for it."""
        ...


@dataclass(frozen=True)
class WorkflowExecution:
    """One execution. ``status``: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; times in seconds since 1970.

    ``output`` once it has succeeded; ``error`` and ``cause`` where there are any.
    """

    arn: str
    status: str
    started: float
    given: Any
    stopped: float | None = None
    output: Any = None
    error: str | None = None
    cause: str | None = None


@dataclass(frozen=True)
class ExecutionPage:
    """Executions, the newest first. ``next_page`` goes into the next call; None at the end."""

    items: list[WorkflowExecution]
    next_page: str | None


class CustomWorkflows(Protocol):
    """The application's workflows by name. Methods raise ``TransientError`` when a later try may work.

    Token errors are told apart as far as AWS does: ``TokenInvalid`` (not a token), ``TokenExpired`` (answered,
    timed out, or its execution has ended), ``TokenUnknown``; all are ``TokenGone``.
    """

    def start(self, name: str, given: Mapping[str, Any], id_: str) -> str:
        """Start a workflow; the ARN of its execution.

        ``id_`` is the caller's: the same id starts one execution and gives the same ARN, also when that one has ended
        (AWS remembers names for 90 days after the end). An EXPRESS workflow has no such memory: each call starts one.

        Raises:
            ValidationError: the workflow is unknown, or input or id are not allowed; nothing was sent.
            RequestConflict: the id was used with other input.
        """
        ...

    def resume(self, token: str, output: Any) -> None:
        """Let the state that waits go on with ``output``. Raises ValidationError, TokenGone."""
        ...

    def fail(self, token: str, error: str, cause: str = "") -> None:
        """Let the state that waits fail; its Retry and Catch decide. Raises ValidationError, TokenGone."""
        ...

    def heartbeat(self, token: str) -> None:
        """Tell that the work goes on, before HeartbeatSeconds are over. Raises ValidationError, TokenGone."""
        ...


class ShownWorkflows(CustomWorkflows, Protocol):
    """The same, with access to their executions."""

    def execution(self, name: str, id_: str) -> WorkflowExecution:
        """The execution that ``start`` gave for this id.

        Raises:
            ValidationError: the workflow is unknown, or the id is not allowed.
            NotFound: there is none (any more), or the workflow is EXPRESS, which remembers none.
        """
        ...

    def executions(self, name: str, prefix: str, *, limit: int, page: str | None = None) -> ExecutionPage:
        """Those whose ids begin with ``prefix``, and others whose ids look alike, of the next ``limit`` executions.

        So a page may have fewer, or none. Of an EXPRESS workflow there are none.

        Raises:
            ValidationError: the workflow is unknown, or ``page`` is none.
        """
        ...
