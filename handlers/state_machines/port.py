"""The ports to a state machine service: the pipeline's and the application's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from handlers.core.light_dataclasses import dataclass


class StateMachines(Protocol):
    """Executions and their task tokens. Methods raise ``TransientError`` if a retry may work."""

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """Start an execution. False: one with that name already exists, which also counts as success.

        The name and the payload must be pure functions of what is started, so that a redelivery starts nothing
        twice. After an error it may have been started nevertheless; only a ``TransientThrottle`` that is
        ``refused`` means that it was not.
        """
        ...

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """Complete a task token. False: the token is used, timed out or gone, so nothing waits for it."""
        ...


@dataclass(frozen=True)
class WorkflowExecution:
    """One execution. ``status``: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED; times in seconds since 1970.

    ``output``: once it has succeeded; ``error`` and ``cause``: if there are any.
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
    """Executions, newest first. ``next_page``: pass it to the next call; None on the last page."""

    items: list[WorkflowExecution]
    next_page: str | None


class CustomWorkflows(Protocol):
    """The application's workflows by name. Methods raise ``TransientError`` if a retry may work.

    Token errors are distinguished as far as AWS does: ``TokenInvalid`` (not a token), ``TokenExpired`` (completed,
    timed out, or its execution has ended), ``TokenUnknown``; all are ``TokenGone``.
    """

    def start(self, name: str, given: Mapping[str, Any], id_: str) -> str:
        """Start a workflow; returns the ARN of its execution.

        ``id_``: chosen by the caller: one id starts one execution and returns the same ARN, even after its end (AWS
        keeps names for 90 days after the end). This doesn't hold for EXPRESS workflows: each call starts an execution.

        Raises:
            ValidationError: the workflow is unknown, or the input or id is invalid; nothing was sent.
            RequestConflict: the id was used with different input.
        """
        ...

    def resume(self, token: str, output: Any) -> None:
        """Resume the waiting state with ``output``. Raises ValidationError, TokenGone."""
        ...

    def fail(self, token: str, error: str, cause: str = "") -> None:
        """Fail the waiting state; its Retry and Catch apply. Raises ValidationError, TokenGone."""
        ...

    def heartbeat(self, token: str) -> None:
        """Report progress, before HeartbeatSeconds have elapsed. Raises ValidationError, TokenGone."""
        ...


class ShownWorkflows(CustomWorkflows, Protocol):
    """Also gives access to executions."""

    def execution(self, name: str, id_: str) -> WorkflowExecution:
        """The execution that ``start`` created for this id.

        Raises:
            ValidationError: the workflow is unknown, or the id is invalid.
            NotFound: it doesn't exist or has expired, or the workflow is EXPRESS, which keeps none.
        """
        ...

    def executions(self, name: str, prefix: str, *, limit: int, page: str | None = None) -> ExecutionPage:
        """From the next ``limit`` executions, those whose ids start with ``prefix``, and others with similar ids.

        So a page may have fewer, or none. EXPRESS workflows have none.

        Raises:
            ValidationError: the workflow is unknown, or ``page`` is invalid.
        """
        ...
