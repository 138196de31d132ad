"""The sweeper of tasks: finds tasks that a lost message or a crash left open, and heals them.

It decides on consistent reads and writes conditionally, so it may run at any time, twice, or concurrently with a run
that it takes for dead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.rows import RESTART
from handlers.core.clock import Clock, seconds_of
from handlers.core.error_text import error_of
from handlers.core.errors import NotRunning
from handlers.store.conditions import absent, equals
from handlers.store.open_rows import Sweep, SweepReport
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore
from handlers.tasks import status
from handlers.tasks.finalize import Finalizer
from handlers.tasks.keys import TaskKey
from handlers.tasks.repository import TaskRepository
from handlers.tasks.stream import QUEUE_GRACE_SECONDS, TaskQueue
from handlers.tasks.writes import of_attempt

if TYPE_CHECKING:
    from handlers.topics.port import Topic

#: Messages sent again for one attempt; given up four days after the first (``QUEUE_GRACE_SECONDS``).
MAX_RESTARTS = 5


class TaskSweeper:
    """Checks every due task."""

    def __init__(self, store: TableStore, clock: Clock, queue: TaskQueue, topic: Topic) -> None:
        """``topic``: the main topic, for the messages of ``queue``."""
        self._store = store
        self._clock = clock
        self._queue = queue
        self._topic = topic
        self._rows = TaskRepository(store)
        self._finalize = Finalizer(store, clock)
        self.sweep = Sweep(store, TASKS, clock, self._heal)

    def _heal(self, found: Item, report: SweepReport) -> str:
        key, now = TaskKey.parse(found["pk"], found["sk"]), self._clock.now()
        row = self._rows.task(key)
        if row is None or "dueAt" not in row or row["dueAt"] > now:
            return "moved on"  # the index lags behind the table
        report.oldest_seconds = max(report.oldest_seconds, now - seconds_of(row["updatedAt"]))
        if row["status"] == status.PROCESSING:
            return self._end(key, row, "its run showed no activity")
        if row["kind"] == status.BATCH and "stopping" in row:
            return self._end(key, row, "cancelled before it began")
        return self._send_again(key, row)

    def _end(self, key: TaskKey, row: Item, why: str) -> str:
        self._finalize(key, row["attempt"], error_of(NotRunning.__name__, why))
        return "ended"

    def _send_again(self, key: TaskKey, row: Item) -> str:
        known = row.get(RESTART, 0)
        if known >= MAX_RESTARTS:
            return self._end(key, row, f"not started after {known} more messages")
        same = equals(RESTART, known) if known else absent(RESTART)
        due_at = int(self._clock.now()) + QUEUE_GRACE_SECONDS * 2 ** (known + 1)
        change = Change(set={RESTART: known + 1, "dueAt": due_at})
        guard = of_attempt(row["attempt"]) & equals("status", row["status"]) & same
        try:
            row = self._store.update(TASKS, key.pk, key.sk, change, guard)
        except ConditionFailed:
            return "moved on"
        message = self._queue.message_for(row)
        if message is None:
            return "moved on"
        self._topic.publish(message.message, message.attributes)
        return "sent again"
