"""Sample workflow: it waits until a person approves or rejects, or until the time is over."""

from __future__ import annotations

from typing import Any

from handlers.clock import Clock
from handlers.errors import ValidationError
from handlers.keys import approval_partition, approval_sk
from handlers.store.port import TableStore
from handlers.workflows.approvals import EXPIRED, MAX_TEXT_CHARS, Approvals
from handlers.workflows.port import CustomWorkflows
from handlers.workflows.workflow import WorkflowEvent, workflow

NAME = "approval"


@workflow("approval")
class Approval:
    """Input ``{tenantCode, requestId, subject, requestedBy}``; the output is ``{decision}``."""

    def __init__(self, store: TableStore, clock: Clock, workflows: CustomWorkflows) -> None:
        self._approvals = Approvals(store, clock, workflows)

    def ask(self, event: WorkflowEvent) -> None:
        """Store the token; the state then waits. Raises ValidationError naming the field."""
        given = event.context["Execution"]["Input"]
        for field in ("subject", "requestedBy"):
            value = given.get(field)
            if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARS:
                raise ValidationError(field, value, f"text of 1 to {MAX_TEXT_CHARS} characters")
        if event.task_token is None:
            raise ValidationError("taskToken", None, "the token of the wait")
        self._approvals.ask(
            _key(event),
            event.task_token,
            event.context["State"]["RetryCount"],
            execution=event.execution_name,
            subject=given["subject"],
            requestedBy=given["requestedBy"],
        )

    def settle(self, event: WorkflowEvent) -> dict[str, Any]:
        """The time is over: expired, unless a decision was written whose sending was lost."""
        decision = self._approvals.settle(_key(event))
        return {"decision": decision, "expired": decision == EXPIRED}


def _key(event: WorkflowEvent) -> tuple[str, str]:
    given = event.context["Execution"]["Input"]
    return approval_partition(given.get("tenantCode")), approval_sk(NAME, given.get("requestId"))
