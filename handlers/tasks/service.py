"""Creating and reading tasks: the service for application code and the API."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from handlers.commands.publishing.requests import REMEMBERED_DAYS
from handlers.core.clock import Clock, iso
from handlers.core.context import InvokeContext, caller
from handlers.core.errors import NotFound, RequestConflict, ValidationError
from handlers.core.expiry import SECONDS_PER_DAY, is_expired
from handlers.core.keys import partition, request_sk
from handlers.core.values.arguments import seconds, whole_number
from handlers.core.values.json_values import check_json, json_bytes
from handlers.core.values.ulids import ULID_RANDOM_BYTES, ulid
from handlers.store.conditions import absent, at_most
from handlers.store.port import TASKS, ConditionFailed, Item, Put, TableStore, TransactionFailed
from handlers.tasks import status
from handlers.tasks.handlers import TaskType, one_of_types
from handlers.tasks.keys import BATCH_KIND, TASK_KIND, TaskKey, task_type_prefix
from handlers.tasks.model import (
    CONTINUE,
    MAX_EXPECTED_SECONDS,
    MAX_INPUT_BYTES,
    Task,
    TaskItem,
    TaskLimits,
    check_items,
    check_on_item_error,
)
from handlers.tasks.repository import TaskRepository
from handlers.tasks.writes import START_GRACE_SECONDS, indexed, item_row, task_row

#: Items written in one transaction: at most 100, and far below 4 MB (API reference, TransactWriteItems).
ITEMS_PER_WRITE = 50
MAX_LISTED = 100


class TaskService:
    """Tasks of the callers' tenants. ``types`` are the known task types (``task_types`` of the handler modules)."""

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        types: Mapping[str, TaskType],
        limits: TaskLimits | None = None,
        *,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._store = store
        self._clock = clock
        self._types = types
        self._limits = limits or TaskLimits()
        self._random_bytes = random_bytes
        self._rows = TaskRepository(store)

    def create_task(self, type_: str, given: Any, context: InvokeContext) -> Task:
        """Accept a task; the stream queues it.

        The same ``request_id`` with the same content returns the first task again.

        Raises:
            ValidationError: the type is unknown, or the input isn't JSON or is too large; nothing is written.
            RequestConflict: the request id was used with different content.
        """
        self._type(type_)
        context = caller(context).checked()
        given = check_json("input", given, MAX_INPUT_BYTES)
        key, created_at = self._key(TASK_KIND, type_, [given], context)
        open_ = indexed(key, self._clock.now() + START_GRACE_SECONDS)
        row = task_row(key, status.TASK, context, created_at, status=status.CREATED, input=given, **open_)
        return Task.from_row(self._put_if_absent(row))

    def create_step_function_task(
        self,
        type_: str,
        items: Sequence[Any],
        context: InvokeContext,
        *,
        max_concurrency: int | None = None,
        on_item_error: str = CONTINUE,
        expected_seconds: float | None = None,
    ) -> Task:
        """Accept a task that runs its handler for each item of a list, with bounded concurrency.

        The items are written before the task, each once, so that a repeated or interrupted call resets none.

        Args:
            max_concurrency: concurrent items; default: the stack's ``taskMaxConcurrency``.
            on_item_error: ``continue`` runs all items, ``stop`` starts none after the first failure.
            expected_seconds: per item, if it differs from the handler's.

        Raises:
            ValidationError, RequestConflict: as for ``create_task``; also for a list that is too long for one
            execution or its timeout.
        """
        known = self._type(type_)
        context = caller(context).checked()
        given = check_items(items)
        concurrency = self._limits.concurrency(max_concurrency)
        check_on_item_error(on_item_error)
        seconds_each = known.expected_seconds
        if expected_seconds is not None:
            seconds_each = seconds("expectedSeconds", expected_seconds, MAX_EXPECTED_SECONDS)
        self._limits.check_time(len(given), seconds_each, concurrency)
        content = [given, concurrency, on_item_error]
        key, created_at = self._key(BATCH_KIND, type_, content, context)
        known_row = self._rows.task(key) if context.request_id is not None else None
        if known_row is not None:
            return Task.from_row(known_row)
        self._write_items(key, given, created_at)
        row = task_row(
            key,
            status.BATCH,
            context,
            created_at,
            status=status.CREATED if given else status.COMPLETED,
            maxConcurrency=concurrency,
            onItemError=on_item_error,
            total=len(given),
            succeeded=0,
            failed=0,
            cancelled=0,
            **(indexed(key, self._clock.now() + START_GRACE_SECONDS) if given else {}),
        )
        return Task.from_row(self._put_if_absent(row))

    def get_task(self, task_id: str, context: InvokeContext) -> Task:
        """A task of the caller's tenant. Raises NotFound, and ValidationError: the id is invalid."""
        return Task.from_row(self._row(task_id, context))

    def list_items(self, task_id: str, context: InvokeContext) -> Iterator[TaskItem]:
        """The items of a task in order. Raises the same as ``get_task``."""
        key = TaskKey.parse_id(self._row(task_id, context)["id"])
        return map(TaskItem.from_row, self._rows.items(key))

    def list_tasks(
        self, context: InvokeContext, *, type_: str | None = None, limit: int = 20, after: str | None = None
    ) -> list[Task]:
        """The tenant's tasks of a type, newest first; without a type, grouped by type.

        ``after``: the id of the last one of the previous page. Raises ValidationError: an invalid limit, type or id.
        """
        limit = whole_number("limit", limit, 1, MAX_LISTED)
        tenant_code = caller(context).tenant_code
        behind = None if after is None else TaskKey.parse_id(after).sk
        prefix = "" if type_ is None else task_type_prefix(type_)
        partitions = (partition(kind, tenant_code) for kind in (TASK_KIND, BATCH_KIND))
        rows = [row for pk in partitions for row in self._rows.latest(pk, prefix, limit, behind)]
        rows.sort(key=lambda row: str(row["sk"]), reverse=True)
        return [Task.from_row(row) for row in rows[:limit]]

    # -- inside -------------------------------------------------------------------------------------

    def _type(self, type_: str) -> TaskType:
        known = self._types.get(type_) if isinstance(type_, str) else None
        if known is None:
            raise ValidationError("taskType", type_, one_of_types(self._types))
        return known

    def _row(self, task_id: str, context: InvokeContext) -> Item:
        key = TaskKey.parse_id(task_id)
        row = self._rows.task(key) if key.tenant_code == caller(context).tenant_code else None
        if row is None:
            raise NotFound(f"{task_id}: there is no such task")
        return row

    def _key(self, kind: str, type_: str, content: list[Any], context: InvokeContext) -> tuple[TaskKey, str]:
        """The key and creation time of the new task, or those of the first try of a repeated request."""
        now = self._clock.now()
        key = TaskKey(kind, context.tenant_code, type_, ulid(int(now * 1000), self._random_bytes(ULID_RANDOM_BYTES)))
        if context.request_id is None:
            return key, iso(now)
        entry: Item = {
            "pk": partition(TASK_KIND, context.tenant_code),
            "sk": request_sk(context.request_id),
            "requestId": context.request_id,
            "taskId": key.id,
            "contentHash": hashlib.sha256(json_bytes([kind, type_, *content])).hexdigest(),
            "createdAt": iso(now),
            "ttl": int(now) + REMEMBERED_DAYS * SECONDS_PER_DAY,
        }
        try:
            self._store.put(TASKS, entry, absent("pk") | at_most("ttl", int(now)))
        except ConditionFailed as found:
            first = found.item
            if first is None or is_expired(first, now):
                raise
            if first["contentHash"] != entry["contentHash"]:
                raise RequestConflict(
                    f"requestId {context.request_id!r} was used for {first['taskId']} with different content; "
                    "use a new id"
                ) from None
            return TaskKey.parse_id(first["taskId"]), first["createdAt"]
        return key, iso(now)

    def _write_items(self, key: TaskKey, items: list[Any], created_at: str) -> None:
        for begin in range(0, len(items), ITEMS_PER_WRITE):
            part = items[begin : begin + ITEMS_PER_WRITE]
            writes = [
                Put(TASKS, item_row(key, index, value, created_at), absent("pk"))
                for index, value in enumerate(part, start=begin)
            ]
            while writes:
                try:
                    self._store.transact(writes)
                except TransactionFailed as there:  # written by an earlier or a concurrent try: unchanged
                    writes = [write for index, write in enumerate(writes) if index not in there.failed]
                else:
                    break

    def _put_if_absent(self, row: Item) -> Item:
        try:
            self._store.put(TASKS, row, absent("pk"))
        except ConditionFailed as found:
            if found.item is None:
                raise
            return found.item
        return row
