"""Sample workflow: waits until a person approves or rejects, or until a timeout."""

from __future__ import annotations

from typing import Any

from handlers import ApprovalStates, Clock, CustomWorkflows, TableStore, WorkflowEvent, workflow


@workflow("approval")
class Approval:
    """Input ``{tenantCode, requestId, subject, requestedBy}``; the output is ``{decision}``."""

    def __init__(self, store: TableStore, clock: Clock, workflows: CustomWorkflows) -> None:
        self._states = ApprovalStates("approval", store, clock, workflows)

    def ask(self, event: WorkflowEvent) -> None:
        """Create the approval request; the state then waits. Raises ValidationError naming the field."""
        self._states.ask(event)

    def settle(self, event: WorkflowEvent) -> dict[str, Any]:
        """Return ``{decision}``, however the wait ended."""
        return self._states.settle(event)
