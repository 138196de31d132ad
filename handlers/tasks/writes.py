"""The rows of new tasks, and changes to them that several modules make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.core.clock import iso
from handlers.core.keys import open_shard
from handlers.store.conditions import Condition, Path, equals
from handlers.tasks import status

if TYPE_CHECKING:
    from handlers.core.context import InvokeContext
    from handlers.store.port import Item
    from handlers.tasks.keys import TaskKey

#: Seconds after which the sweeper checks a new task; normally the stream queues it far sooner.
START_GRACE_SECONDS = 300
INDEX_MARKS = ("openShard", "dueAt")
LEASE_MARKS = ("leaseId", "leaseUntil")
#: Removed with a task's outcome.
WORK_MARKS = (*INDEX_MARKS, *LEASE_MARKS)


def task_row(key: TaskKey, kind: str, context: InvokeContext, created_at: str, **fields: Any) -> Item:
    """A new task, without its keys in the ``open`` index. Absent fields are omitted."""
    row = {
        "pk": key.pk,
        "sk": key.sk,
        "id": key.id,
        "kind": kind,
        "type": key.type,
        "tenantCode": key.tenant_code,
        "attempt": 1,
        "createdAt": created_at,
        "createdBy": context.user_id,
        "createdIp": context.source_ip,
        "updatedAt": created_at,
        "requestId": context.request_id,
        **fields,
    }
    return {name: value for name, value in row.items() if value is not None}


def item_row(key: TaskKey, index: int, value: Any, created_at: str) -> Item:
    """A new item."""
    item = key.item(index)
    return {
        "pk": item.pk,
        "sk": item.sk,
        "id": str(item),
        "kind": status.ITEM,
        "type": key.type,
        "tenantCode": key.tenant_code,
        "status": status.CREATED,
        "attempt": 1,
        "input": value,
        "createdAt": created_at,
        "updatedAt": created_at,
    }


def indexed(key: TaskKey, due_at: float) -> dict[str, Any]:
    """The keys in the ``open`` index."""
    return {"openShard": open_shard(key.pk, key.sk), "dueAt": int(due_at)}


def becomes(new: str, now: float, **fields: Any) -> dict[Path, Any]:
    """The fields of a status change."""
    changed: dict[Path, Any] = {"status": new, "updatedAt": iso(now)}
    changed.update(fields)
    return changed


def of_attempt(attempt: int) -> Condition:
    """The row is still at the writer's attempt."""
    return equals("attempt", attempt)
