"""Consumes the stream of tasks and items: queues tasks, sends status events and alarms.

All of this is derived from stored rows, so no step depends on a topic, and a crash between a write and its message
loses nothing. Delivery is at least once: the queue's consumer claims tasks, and subscribers detect duplicates by (id,
attempt, status).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract import options
from contract.messages import ACTION, ITEM_STATUS, TASK_EXECUTE, TASK_STATUS
from contract.rows import RESTART
from handlers.core.errors import NotRunning
from handlers.core.keys import row_id
from handlers.core.log import log_step
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore
from handlers.store.values import item_from_dynamo
from handlers.tasks import status
from handlers.tasks.keys import TaskItemKey, TaskKey
from handlers.tasks.model import ITEMS_FAILED
from handlers.tasks.writes import becomes, of_attempt
from handlers.topics.alarms import send_alarm
from handlers.topics.port import Notice, Topic

if TYPE_CHECKING:
    from handlers.core.clock import Clock

#: The sweeper sends the message of a queued task again after this time, which is longer than all its deliveries; then
#: after twice the time, and so on, since a full queue isn't a failure.
QUEUE_GRACE_SECONDS = 5_400

_READ = ("pk", "sk", "kind", "type", "status", "attempt", "requestId", "error", "updatedAt")
_COUNTERS = ("total", "succeeded", "failed", "cancelled")
#: Failures that another alarm reports: those of the items, or that of a task whose execution died.
_SILENT = {status.BATCH: ITEMS_FAILED, status.ITEM: NotRunning.__name__}


class TaskQueue:
    """Puts tasks into the task queue, through the main topic."""

    def __init__(self, store: TableStore, clock: Clock, table: str) -> None:
        """``table``: the table's name in messages."""
        self._store = store
        self._clock = clock
        self._table = table

    def message_for(self, row: Item) -> Notice | None:
        """Write QUEUED before anything is sent, and return the message; None if the task has progressed further."""
        now = self._clock.now()
        queued = becomes(status.QUEUED, now, dueAt=int(now) + QUEUE_GRACE_SECONDS * 2 ** row.get(RESTART, 0))
        guard = of_attempt(row["attempt"]) & status.may_become(row["kind"], status.QUEUED)
        try:
            self._store.update(TASKS, row["pk"], row["sk"], Change(set=queued), guard)
        except ConditionFailed as error:
            found = error.item
            if found is None or (found["status"], found["attempt"]) != (status.QUEUED, row["attempt"]):
                return None
            # Perhaps QUEUED by a delivery that crashed before its message was sent: the consumer detects duplicates.
        return self.message(row)

    def message(self, row: Item) -> Notice:
        """The message by which a consumer processes a task."""
        content = {"taskType": row["type"], "attempt": row["attempt"]}
        return Notice(_envelope(TASK_EXECUTE, self._table, row, content), {ACTION: TASK_EXECUTE})


class TaskStream:
    """The consumer of the tasks table's stream."""

    def __init__(self, queue: TaskQueue, topic: Topic, alarms: Topic, table: str, which: str) -> None:
        """``topic``: the main topic; ``which``: status events to send, one of ``options.STATUS_EVENTS``."""
        self._queue = queue
        self._topic = topic
        self._alarms = alarms
        self._table = table
        self._which = which

    def on_stream_records(self, records: Sequence[Mapping[str, Any]]) -> dict[int, Exception]:
        """Process a batch. Returns the records that have to be redelivered: index to the error."""
        failed: dict[int, Exception] = {}
        notices: list[tuple[int, Notice]] = []
        for index, record in enumerate(records):
            try:
                notices += [(index, notice) for notice in self._of(record)]
            except Exception as error:  # noqa: BLE001 - boundary: one record; the error is returned
                failed[index] = error
        refused = self._topic.publish_many([notice for _, notice in notices]) if notices else {}
        failed.update({notices[position][0]: error for position, error in refused.items()})
        log_step("task records", level=logging.INFO, sent=len(notices) - len(refused), unsent=len(failed))
        return failed

    def _of(self, record: Mapping[str, Any]) -> list[Notice]:
        """The messages of one record; its alarm is sent at once."""
        change = record.get("dynamodb", {})
        new, old = change.get("NewImage"), change.get("OldImage")
        if new is None or "kind" not in new or "status" not in new:
            return []
        row = item_from_dynamo({name: new[name] for name in (*_READ, *_COUNTERS) if name in new})
        before = item_from_dynamo({name: old[name] for name in ("status", "attempt") if name in old}) if old else {}
        if (before.get("status"), before.get("attempt")) == (row["status"], row["attempt"]):
            return []
        notices = []
        if row["kind"] in status.QUEUED_KINDS and row["status"] == status.CREATED:
            message = self._queue.message_for(row)
            notices = [message] if message is not None else []
        if self._is_notified(row["status"]):
            notices.append(self._status_event(row))
        if row["status"] == status.FAILED:
            self._alarm(row)
        return notices

    def _is_notified(self, new: str) -> bool:
        """Acceptance is neither an outcome nor progress, so it isn't reported."""
        if self._which == options.ALL:
            return new != status.CREATED
        return self._which == options.TERMINAL and new in status.TERMINAL

    def _status_event(self, row: Item) -> Notice:
        action = ITEM_STATUS if row["kind"] == status.ITEM else TASK_STATUS
        content = {"taskType": row["type"], "status": row["status"], "attempt": row["attempt"]}
        if row["kind"] == status.ITEM:
            key = TaskItemKey.parse(row["pk"], row["sk"])
            content.update(taskId=key.task.id, index=key.index)
        if row["status"] == status.FAILED:
            content["error"] = {name: row["error"][name] for name in ("type", "message")}
        content.update({name: row[name] for name in (*_COUNTERS, "requestId", "updatedAt") if name in row})
        return Notice(_envelope(action, self._table, row, content), {ACTION: action})

    def _alarm(self, row: Item) -> None:
        error = row["error"]["type"]
        if error == _SILENT.get(row["kind"]):
            return
        is_item = row["kind"] == status.ITEM
        key = TaskItemKey.parse(row["pk"], row["sk"]) if is_item else TaskKey.parse(row["pk"], row["sk"])
        text = f"{'an item of task' if is_item else 'task'} {row['type']} failed: {error}"
        send_alarm(self._alarms, self._table, key, row["attempt"], text, "")


def _envelope(action: str, table: str, row: Item, content: dict[str, Any]) -> dict[str, Any]:
    key = TaskKey.parse(row["pk"], row["sk"]) if row["kind"] != status.ITEM else None
    tenant = (key or TaskItemKey.parse(row["pk"], row["sk"]).task).tenant_code
    return {
        "id": row_id(row["pk"], row["sk"]),
        "action": action,
        "table": table,
        "pk": row["pk"],
        "sk": row["sk"],
        "tenantCode": tenant,
        "content": content,
    }
