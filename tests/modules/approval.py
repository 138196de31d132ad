"""Sample workflow: it waits until a person approves or rejects, or until the time is over."""

from __future__ import annotations

from typing import Any

from handlers import (
    APPROVAL_BROKEN,
    MAX_APPROVAL_TEXT_CHARS,
    Approvals,
    Clock,
    CustomWorkflows,
    TableStore,
    ValidationError,
    WorkflowEvent,
    approval_partition,
    approval_sk,
    reason_of,
    workflow,
)

NAME = "approval"
TIMEOUT = "States.Timeout"


@workflow("approval")
class Approval:
    """Input ``{tenantCode, requestId, subject, requestedBy}``; the output is ``{decision}``."""

    def __init__(self, store: TableStore, clock: Clock, workflows: CustomWorkflows) -> None:
        self._approvals = Approvals(store, clock, workflows)

    def ask(self, event: WorkflowEvent) -> None:
        """Store the token; the state then waits. Raises ValidationError naming the field."""
        shown = _shown(event)
        if event.task_token is None:
            raise ValidationError("taskToken", None, "the token of the wait")
        self._approvals.ask(
            _key(event),
            event.task_token,
            event.context["State"]["RetryCount"],
            execution=event.execution_name,
            **shown,
        )

    def settle(self, event: WorkflowEvent) -> dict[str, Any]:
        """The wait is over, by an answer, the timeout or an error: ``{decision}`` of the row, which is closed by this.

        Whatever ended the wait, the row decides: an answer is written there before it is sent. ``{error, cause}`` are
        what a wait that broke ended with.
        """
        error = event.input.get("error") if isinstance(event.input, dict) else None
        try:
            key, shown = _key(event), _shown(event)
        except ValidationError:
            return _broken(error)  # such an input was refused before anything was asked
        decision = self._approvals.settle(
            key, execution=event.execution_name, expired=(error or {}).get("Error") == TIMEOUT, **shown
        )
        return _broken(error) if decision == APPROVAL_BROKEN else {"decision": decision}


def _shown(event: WorkflowEvent) -> dict[str, str]:
    given = _given(event)
    for field in ("subject", "requestedBy"):
        value = given.get(field)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_APPROVAL_TEXT_CHARS:
            raise ValidationError(field, value, f"text of 1 to {MAX_APPROVAL_TEXT_CHARS} characters")
    return {"subject": given["subject"], "requestedBy": given["requestedBy"]}


def _broken(error: Any) -> dict[str, Any]:
    if error is None:
        error = {"Error": "NotDecided", "Cause": "the token was answered without a decision"}
    return {"decision": APPROVAL_BROKEN, **reason_of(error)}


def _key(event: WorkflowEvent) -> tuple[str, str]:
    given = _given(event)
    return approval_partition(given.get("tenantCode")), approval_sk(NAME, given.get("requestId"))


def _given(event: WorkflowEvent) -> Any:
    given = event.context["Execution"]["Input"]
    if not isinstance(given, dict):
        raise ValidationError("input", given, "an object of tenantCode, requestId, subject, requestedBy")
    return given
