"""The two states of a workflow that waits for a person: one asks, the other evaluates how the wait ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.core.errors import ValidationError
from handlers.workflows.approvals import BROKEN, MAX_TEXT_CHARS, Approvals
from handlers.workflows.keys import approval_partition, approval_sk
from handlers.workflows.workflow import WorkflowEvent, reason_of

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.state_machines.port import CustomWorkflows
    from handlers.store.port import TableStore

TIMEOUT = "States.Timeout"
SHOWN = ("subject", "requestedBy")


class ApprovalStates:
    """Implements the methods for these states. The execution's input has ``tenantCode``, ``requestId``, ``subject`` and
    ``requestedBy``, and anything else that your other states need.

    ``workflow``: the name in the decorator, which identifies it in answers.
    """

    def __init__(self, workflow: str, store: TableStore, clock: Clock, workflows: CustomWorkflows) -> None:
        self._workflow = workflow
        self._approvals = Approvals(store, clock, workflows)

    def ask(self, event: WorkflowEvent) -> None:
        """Store the token; the state then waits. Raises ValidationError naming the field."""
        shown = _shown(event)
        if event.task_token is None:
            raise ValidationError("taskToken", None, "the token of the wait")
        self._approvals.ask(
            self._key(event),
            event.task_token,
            event.context["State"]["RetryCount"],
            execution=event.execution_name,
            **shown,
        )

    def settle(self, event: WorkflowEvent) -> dict[str, Any]:
        """Close the row after the wait ended by an answer, the timeout or an error; returns the row's ``{decision}``.

        Whatever ended the wait, the row decides: an answer is written there before it is sent. A broken wait also has
        ``{error, cause}``.
        """
        error = event.input.get("error") if isinstance(event.input, dict) else None
        try:
            key, shown = self._key(event), _shown(event)
        except ValidationError:
            return _broken(error)  # with invalid input, no approval was requested
        decision = self._approvals.settle(
            key, execution=event.execution_name, expired=(error or {}).get("Error") == TIMEOUT, **shown
        )
        return _broken(error) if decision == BROKEN else {"decision": decision}

    def _key(self, event: WorkflowEvent) -> tuple[str, str]:
        given = _given(event)
        return approval_partition(given.get("tenantCode")), approval_sk(self._workflow, given.get("requestId"))


def _shown(event: WorkflowEvent) -> dict[str, str]:
    given = _given(event)
    for field in SHOWN:
        value = given.get(field)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARS:
            raise ValidationError(field, value, f"text of 1 to {MAX_TEXT_CHARS} characters")
    return {field: given[field] for field in SHOWN}


def _broken(error: Any) -> dict[str, Any]:
    if error is None:
        error = {"Error": "NotDecided", "Cause": "the token was answered without a decision"}
    return {"decision": BROKEN, **reason_of(error)}


def _given(event: WorkflowEvent) -> Any:
    given = event.context["Execution"]["Input"]
    if not isinstance(given, dict):
        raise ValidationError("input", given, "an object of tenantCode, requestId, subject, requestedBy")
    return given
