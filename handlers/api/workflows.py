"""``/approvals``: decisions by people. ``/workflows``: the application's workflows, started for the caller's tenant."""

from __future__ import annotations

import base64
import json
from itertools import islice
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import Field

from handlers.api.http.identity import Caller
from handlers.api.http.models import DEFAULT_LIMIT, Cursor, Given, Limit, Part, Shown
from handlers.api.http.problems import Forbidden
from handlers.api.http.routes import READER, WRITER, Routes, answer
from handlers.api.runs import Run, shown_run
from handlers.api.services import Services
from handlers.core.clock import iso
from handlers.core.errors import NotFound, ValidationError
from handlers.state_machines.checks import execution_name
from handlers.state_machines.port import WorkflowExecution
from handlers.workflows.approvals import APPROVED, MAX_TEXT_CHARS, Approval
from handlers.workflows.workflow import reason_of

MAX_ID_CHARS = 200
TENANT, REQUESTED_BY, REQUEST_ID = "tenantCode", "requestedBy", "requestId"


class ShownApproval(Shown):
    """A decision that a workflow waits for. ``delivered`` is false if no execution was waiting for the answer."""

    workflow: str
    request_id: str
    status: str
    subject: str
    requested_by: str
    requested_at: str
    decided_by: str | None
    decided_at: str | None
    reason: str | None
    delivered: bool


class ApprovalPage(Shown):
    """Open approvals by workflow and request id. ``cursor``: pass it in the next request; null on the last page."""

    items: list[ShownApproval]
    cursor: str | None


class GivenAnswer(Given):
    """``reason`` is required for a rejection."""

    decision: Literal["APPROVED", "REJECTED"]
    reason: str | None = Field(None, max_length=MAX_TEXT_CHARS)


class GivenStart(Given):
    """``id``: chosen by the caller; one id starts one execution. ``tenantCode``, ``requestId`` and ``requestedBy`` of
    this request are added to ``input``.
    """

    id: str = Field(min_length=1, max_length=MAX_ID_CHARS)
    input: dict[str, Any] = Field(default_factory=dict)


class Started(Shown):
    """The execution that was started under an id."""

    workflow: str
    id: str
    execution_arn: str


class ListedExecution(Started):
    """An execution without its data."""

    status: str
    started_at: str
    stopped_at: str | None


class ShownExecution(ListedExecution):
    """An execution of a workflow."""

    input: Any
    output: Any
    error: str | None
    cause: str | None


class ExecutionList(Shown):
    """Executions, newest first. ``cursor``: pass it in the next request; null on the last page."""

    items: list[ListedExecution]
    cursor: str | None


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""

    @routes.add("GET", "/approvals", READER, "List open approvals", answers={200: ApprovalPage})
    def list_approvals(
        workflow: Annotated[str | None, Query()] = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[ApprovalPage]:
        waiting = services.approvals.list_open(routes.caller.tenant, workflow=workflow, after=_after(cursor))
        found = list(islice(waiting, limit + 1))
        shown = found[:limit]
        following = _cursor(shown[-1]) if len(found) > limit else None
        return answer(200, ApprovalPage(items=[shown_approval(one) for one in shown], cursor=following))

    @routes.add(
        "POST", "/approvals/<workflow>/<id>/answer", WRITER, "Approve or reject", answers={200: ShownApproval},
        may=(404, 409), example={"decision": APPROVED},
    )  # fmt: skip
    def answer_approval(workflow: Part, id: Part, given: Annotated[GivenAnswer, Body()]) -> Response[ShownApproval]:
        context = routes.caller.context()
        if given.decision == APPROVED:
            done = services.approvals.approve(workflow, id, context)
        else:
            done = services.approvals.reject(workflow, id, context, given.reason or "")
        return answer(200, shown_approval(done))

    @routes.add(
        "POST", "/workflows/<name>", WRITER, "Start a workflow", answers={202: Started}, may=(409,),
        example={"id": "2026-01", "input": {"numbers": [1, 2, 3]}},
    )  # fmt: skip
    def start_workflow(name: Part, given: Annotated[GivenStart, Body()]) -> Response[Started]:
        caller = routes.caller
        if given.input.get(TENANT, caller.tenant) != caller.tenant:
            raise Forbidden(f"input.{TENANT}: not allowed; the tenant is the caller's")
        own = {**given.input, TENANT: caller.tenant, REQUESTED_BY: caller.user}
        arn = services.workflows.start(name, {REQUEST_ID: given.id, **own}, scoped(caller.tenant, given.id))
        return answer(202, Started(workflow=name, id=given.id, execution_arn=arn))

    @routes.add(
        "GET", "/workflows/<name>", READER, "List the tenant's executions of a workflow", answers={200: ExecutionList}
    )
    def list_executions(name: Part, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response[ExecutionList]:
        tenant = routes.caller.tenant
        found = services.workflows.executions(name, scoped(tenant, ""), limit=limit, page=cursor)
        shown = [
            ListedExecution(
                workflow=name,
                id=id_,
                execution_arn=one.arn,
                status=one.status,
                started_at=iso(one.started),
                stopped_at=None if one.stopped is None else iso(one.stopped),
            )
            for one in found.items
            if (id_ := _id_of(one, tenant)) is not None
        ]
        return answer(200, ExecutionList(items=shown, cursor=found.next_page))

    @routes.add("GET", "/workflows/<name>/<id>", READER, "Get one execution", answers={200: ShownExecution}, may=(404,))
    def get_execution(name: Part, id: Part) -> Response[ShownExecution]:
        return answer(200, _shown(name, id, _execution(services, name, id, routes.caller)))

    @routes.add(
        "GET",
        "/workflows/<name>/<id>/run",
        READER,
        "Show one execution, state by state",
        answers={200: Run},
        may=(404,),
    )
    def get_run_of_workflow(name: Part, id: Part) -> Response[Run]:
        found = _execution(services, name, id, routes.caller)
        return answer(200, shown_run(name, services.histories.of(found.arn)))


def _execution(services: Services, name: str, id_: str, caller: Caller) -> WorkflowExecution:
    """The execution of an id. Raises NotFound: there is none, or it belongs to another tenant."""
    found = services.workflows.execution(name, scoped(caller.tenant, id_))
    if not isinstance(found.given, dict) or found.given.get(TENANT) != caller.tenant:
        raise NotFound(f"{name} {id_}: there is no such execution")
    return found


def _id_of(found: WorkflowExecution, tenant: str) -> str | None:
    """The id under which the tenant started it; None if it was started otherwise, or its input has a different id."""
    given = found.given if isinstance(found.given, dict) else {}
    id_ = given.get(REQUEST_ID)
    if given.get(TENANT) != tenant or not isinstance(id_, str) or not 0 < len(id_) <= MAX_ID_CHARS:
        return None
    return id_ if found.arn.endswith(f":{execution_name(scoped(tenant, id_))}") else None


def scoped(tenant: str, id_: str) -> str:
    """The tenant's id for an execution. Unique across tenants, since no tenant's code contains a '#'."""
    return f"{tenant}#{id_}"


def _after(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) != 2 or not all(isinstance(one, str) for one in found):
        raise ValidationError("cursor", cursor, "the cursor of an earlier page")
    return found[0], found[1]


def _cursor(approval: Approval) -> str:
    return base64.urlsafe_b64encode(json.dumps([approval.workflow, approval.request_id]).encode()).decode()


def shown_approval(approval: Approval) -> ShownApproval:
    """Convert an approval to its response model."""
    return ShownApproval(**{name: getattr(approval, name) for name in ShownApproval.model_fields})


def _shown(name: str, id_: str, found: WorkflowExecution) -> ShownExecution:
    # The cause of a Lambda error is JSON with a stack trace; only its message is shown.
    reason = {} if found.error is None else reason_of({"Error": found.error, "Cause": found.cause or ""})
    return ShownExecution(
        workflow=name,
        id=id_,
        execution_arn=found.arn,
        status=found.status,
        started_at=iso(found.started),
        stopped_at=None if found.stopped is None else iso(found.stopped),
        input=found.given,
        output=found.output,
        error=reason.get("error"),
        cause=reason.get("cause"),
    )
