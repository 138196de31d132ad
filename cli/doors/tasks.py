"""``Tasks`` by the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cli.doors.by_api import Api
from cli.doors.failures import error_of
from cqrs_client import models
from cqrs_client.tasks import Tasks
from handlers.tasks.keys import TaskKey
from handlers.tasks.model import Task, TaskItem


class ApiTasks:
    """See ``cli.doors.port.Tasks``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def latest(self, tenant: str, type_: str | None, limit: int) -> list[Task]:
        """See ``Tasks``."""
        found = self._api.of(tenant).tasks.list(type=type_, page=limit)
        return [_task(one) for one in islice(found, limit)]

    def task(self, task_id: str) -> Task:
        """See ``Tasks``."""
        return _task(self._of(task_id).get(task_id))

    def items(self, task_id: str) -> Iterator[TaskItem]:
        """See ``Tasks``."""
        key = TaskKey.parse_id(task_id)
        for one in self._of(task_id).items(task_id):
            yield TaskItem(key.item(one.index), one.status, one.attempt, one.input, one.result, error_of(one.error))

    def retry(self, task_id: str) -> Task:
        """See ``Tasks``."""
        return _task(self._of(task_id).retry(task_id))

    def cancel(self, task_id: str) -> Task:
        """See ``Tasks``."""
        return _task(self._of(task_id).cancel(task_id))

    def _of(self, task_id: str) -> Tasks:
        return self._api.of(TaskKey.parse_id(task_id).tenant_code).tasks


def _task(one: models.Task) -> Task:
    return Task(
        key=TaskKey.parse_id(one.id),
        status=one.status,
        attempt=one.attempt,
        created_at=one.created_at,
        created_by=one.created_by,
        updated_at=one.updated_at,
        input=one.input,
        result=one.result,
        error=error_of(one.error),
        total=one.total,
        succeeded=one.succeeded,
        failed=one.failed,
        cancelled=one.cancelled,
        max_concurrency=one.max_concurrency,
        on_item_error=one.on_item_error,
        is_stopping=one.is_stopping,
    )
