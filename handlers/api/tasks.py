"""``/tasks``: create, list, show, retry, cancel."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BeforeValidator, Field

from handlers.api.commands import RequestId
from handlers.api.http.identity import Caller
from handlers.api.http.models import DEFAULT_LIMIT, Cursor, Failure, Given, Id, Limit, Shown, failure_of, fitting, whole
from handlers.api.http.problems import Forbidden
from handlers.api.http.routes import OPERATOR, READER, WRITER, Routes, answer
from handlers.api.services import Services
from handlers.core.errors import ValidationError
from handlers.core.values.json_values import json_bytes
from handlers.tasks.keys import TaskKey
from handlers.tasks.model import MAX_CONCURRENCY, MAX_EXPECTED_SECONDS, MAX_ITEMS, Task, TaskItem


class GivenTask(Given):
    """``input``: for a single task. ``items``: the handler runs once for each of them, with bounded concurrency."""

    type: str
    input: Any = None
    items: list[Any] | None = Field(None, max_length=MAX_ITEMS)
    max_concurrency: int | None = Field(None, ge=1, le=MAX_CONCURRENCY)
    on_item_error: Literal["continue", "stop"] = "continue"
    expected_seconds: float | None = Field(
        None, gt=0, le=MAX_EXPECTED_SECONDS, description="Expected seconds per item, if different from the handler's"
    )


class ShownTask(Shown):
    """A task. The counters count its items; they are 0 for a single task."""

    id: str
    type: str
    status: str
    attempt: int
    has_items: bool
    input: Any
    result: Any
    error: Failure | None
    total: int
    succeeded: int
    failed: int
    cancelled: int
    max_concurrency: int | None
    on_item_error: str | None
    is_stopping: bool
    created_at: str
    created_by: str
    updated_at: str


class TaskPage(Shown):
    """Tasks by type, newest first. ``cursor``: pass it in the next request; null on the last page."""

    items: list[ShownTask]
    cursor: str | None


class ShownItem(Shown):
    """One item of a task; ``index`` counts from 0."""

    index: int
    status: str
    attempt: int
    input: Any
    result: Any
    error: Failure | None


class ItemPage(Shown):
    """Items in order. ``cursor``: pass it in the next request; null on the last page."""

    items: list[ShownItem]
    cursor: str | None


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""

    @routes.add(
        "POST", "/tasks", WRITER, "Create a task", answers={202: ShownTask}, may=(409,),
        example={"type": "send-mail", "input": {"to": "somebody"}},
    )  # fmt: skip
    def create_task(task: Annotated[GivenTask, Body()], idempotency_key: RequestId = None) -> Response[ShownTask]:
        context = routes.caller.context(idempotency_key)
        if task.items is None:
            made = services.tasks.create_task(task.type, task.input, context)
        elif "input" in task.model_fields_set:
            raise ValidationError("items", "a list, and an input as well", "either items or input")
        else:
            made = services.tasks.create_step_function_task(
                task.type,
                task.items,
                context,
                max_concurrency=task.max_concurrency,
                on_item_error=task.on_item_error,
                expected_seconds=task.expected_seconds,
            )
        return answer(202, shown_task(made))

    @routes.add("GET", "/tasks", READER, "List the tenant's tasks", answers={200: TaskPage})
    def list_tasks(
        type: Annotated[str | None, Query()] = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Response[TaskPage]:
        after = None if cursor is None else _own(cursor, routes.caller)
        found = services.tasks.list_tasks(routes.caller.context(), type_=type, limit=limit, after=after)
        shown = fitting(found, _size)
        following = shown[-1].id if len(shown) < len(found) or len(found) == limit else None
        return answer(200, TaskPage(items=[shown_task(one) for one in shown], cursor=following))

    @routes.add("GET", "/tasks/<id>", READER, "Get one task with its counters", answers={200: ShownTask}, may=(404,))
    def get_task(id: Id) -> Response[ShownTask]:
        return answer(200, shown_task(services.tasks.get_task(_own(id, routes.caller), routes.caller.context())))

    @routes.add("GET", "/tasks/<id>/items", READER, "List the items of a task", answers={200: ItemPage}, may=(404,))
    def list_task_items(
        id: Id,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Annotated[int, Query(ge=0, description="`cursor` of the previous page"), BeforeValidator(whole)] = 0,
    ) -> Response[ItemPage]:
        items: Iterable[TaskItem] = services.tasks.list_items(_own(id, routes.caller), routes.caller.context())
        found = list(islice((one for one in items if one.index >= cursor), limit + 1))
        shown = fitting(found[:limit], lambda one: len(json_bytes([one.input, one.result])))
        following = str(shown[-1].index + 1) if len(shown) < len(found) else None
        return answer(200, ItemPage(items=[_shown_item(one) for one in shown], cursor=following))

    @routes.add(
        "POST",
        "/tasks/<id>/retry",
        OPERATOR,
        "Retry a task: run what failed again",
        answers={202: ShownTask},
        may=(404, 409),
    )
    def retry_task(id: Id) -> Response[ShownTask]:
        own = _own(id, routes.caller)
        return answer(202, shown_task(services.task_operations.retry_failed_items(own, routes.caller.context())))

    @routes.add(
        "POST", "/tasks/<id>/cancel", OPERATOR, "Cancel a task that has no outcome yet", answers={202: ShownTask},
        may=(404, 409),
    )  # fmt: skip
    def cancel_task(id: Id) -> Response[ShownTask]:
        own = _own(id, routes.caller)
        return answer(202, shown_task(services.task_operations.cancel(own, routes.caller.context())))


def _own(task_id: str, caller: Caller) -> str:
    """The id, if it names the caller's tenant. Raises Forbidden, ValidationError."""
    if TaskKey.parse_id(task_id).tenant_code != caller.tenant:
        raise Forbidden("the task belongs to another tenant")
    return task_id


def _size(task: Task) -> int:
    return len(json_bytes([task.input, task.result]))


def shown_task(task: Task) -> ShownTask:
    """Convert a task to its response model."""
    return ShownTask(
        id=task.id,
        type=task.key.type,
        status=task.status,
        attempt=task.attempt,
        has_items=task.has_items,
        input=task.input,
        result=task.result,
        error=failure_of(task.error),
        total=task.total,
        succeeded=task.succeeded,
        failed=task.failed,
        cancelled=task.cancelled,
        max_concurrency=task.max_concurrency,
        on_item_error=task.on_item_error,
        is_stopping=task.is_stopping,
        created_at=task.created_at,
        created_by=task.created_by,
        updated_at=task.updated_at,
    )


def _shown_item(item: TaskItem) -> ShownItem:
    return ShownItem(
        index=item.index,
        status=item.status,
        attempt=item.attempt,
        input=item.input,
        result=item.result,
        error=failure_of(item.error),
    )
