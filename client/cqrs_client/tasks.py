"""Tasks: jobs of the application, single or with items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cqrs_client.models import CANCELLED, COMPLETED, FAILED, Task, TaskItem
from cqrs_client.paging import PAGE, items
from cqrs_client.reading import read
from cqrs_client.transport import Transport
from cqrs_client.waiting import until


class Tasks:
    """``client.tasks``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        type: str,
        input: Any = None,
        *,
        items: Sequence[Any] | None = None,
        max_concurrency: int | None = None,
        on_item_error: str | None = None,
        expected_seconds: float | None = None,
        idempotency_key: str | None = None,
    ) -> Task:
        """Create a task with one ``input``, or one whose handler runs once for each of ``items``.

        Args:
            on_item_error: ``continue`` or ``stop``.
            expected_seconds: per item, if it differs from the handler's.

        Raises:
            ApiError, Unreachable.
        """
        body: dict[str, Any] = {"type": type}
        if items is None:
            body["input"] = input
        else:
            more = {
                "items": list(items),
                "maxConcurrency": max_concurrency,
                "onItemError": on_item_error,
                "expectedSeconds": expected_seconds,
            }
            body |= {key: value for key, value in more.items() if value is not None}
        return read(Task, self._transport.call("POST", "tasks", body=body, idempotency_key=idempotency_key))

    def get(self, id: str) -> Task:
        """Get one task with its counters. Raises NotFound, ApiError, Unreachable."""
        return read(Task, self._transport.call("GET", "tasks", id))

    def list(self, *, type: str | None = None, page: int = PAGE) -> Iterator[Task]:
        """The tenant's tasks by type, newest first."""
        return items(self._transport, Task, "tasks", query={"type": type}, page=page)

    def items(self, id: str, *, page: int = PAGE) -> Iterator[TaskItem]:
        """All items of a task in order."""
        return items(self._transport, TaskItem, "tasks", id, "items", page=page)

    def wait(self, id: str, *, timeout: float = 300.0) -> Task:
        """Wait until the task is COMPLETED, FAILED or CANCELLED. Raises WaitTimeout, ApiError, Unreachable."""
        over = (COMPLETED, FAILED, CANCELLED)
        return until(self._transport, lambda: self.get(id), lambda seen: seen.status in over, timeout, f"task {id}")

    def retry(self, id: str) -> Task:
        """Retry a task: run the failed parts again."""
        return read(Task, self._transport.call("POST", "tasks", id, "retry"))

    def cancel(self, id: str) -> Task:
        """Cancel a task that has no outcome yet."""
        return read(Task, self._transport.call("POST", "tasks", id, "cancel"))
