"""Workflows of the application, and their requests for approval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cqrs_client.models import Approval, Execution, ListedExecution, Started
from cqrs_client.paging import PAGE, items
from cqrs_client.reading import read
from cqrs_client.runs import Run
from cqrs_client.transport import Transport
from cqrs_client.waiting import until

RUNNING = "RUNNING"
APPROVED, REJECTED = "APPROVED", "REJECTED"


class Workflows:
    """``client.workflows``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def start(self, name: str, id: str, input: Mapping[str, Any] | None = None) -> Started:
        """Start a workflow. The same id and input identify the same execution, so this may be repeated.

        Raises:
            Conflict: the id's execution has a different input.
            ApiError, Unreachable: everything else.
        """
        body = {"id": id, "input": dict(input or {})}
        return read(Started, self._transport.call("POST", "workflows", name, body=body))

    def get(self, name: str, id: str) -> Execution:
        """One execution. Raises NotFound, ApiError, Unreachable."""
        return read(Execution, self._transport.call("GET", "workflows", name, id))

    def list(self, name: str, *, page: int = PAGE) -> Iterator[ListedExecution]:
        """The tenant's executions, newest first; those of EXPRESS workflows are not kept."""
        return items(self._transport, ListedExecution, "workflows", name, page=page)

    def run(self, name: str, id: str) -> Run:
        """The same execution, state by state. Raises NotFound, ApiError, Unreachable."""
        return read(Run, self._transport.call("GET", "workflows", name, id, "run"))

    def wait(self, name: str, id: str, *, timeout: float = 300.0) -> Execution:
        """Wait until the execution has ended. Raises WaitTimeout, ApiError, Unreachable."""
        look = lambda: self.get(name, id)  # noqa: E731 - as in the other modules
        return until(self._transport, look, lambda seen: seen.status != RUNNING, timeout, f"{name} {id}")


class Approvals:
    """``client.approvals``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, workflow: str | None = None, page: int = PAGE) -> Iterator[Approval]:
        """Open approvals, ordered by workflow and request id."""
        return items(self._transport, Approval, "approvals", query={"workflow": workflow}, page=page)

    def approve(self, workflow: str, request_id: str) -> Approval:
        """Approve a request. Raises Conflict: it was decided differently; ApiError, Unreachable."""
        return self._answer(workflow, request_id, {"decision": APPROVED})

    def reject(self, workflow: str, request_id: str, reason: str) -> Approval:
        """Reject a request. Raises the same as ``approve``."""
        return self._answer(workflow, request_id, {"decision": REJECTED, "reason": reason})

    def _answer(self, workflow: str, request_id: str, body: Mapping[str, Any]) -> Approval:
        return read(Approval, self._transport.call("POST", "approvals", workflow, request_id, "answer", body=body))
