"""Processes one item in the task state machine: claim, handler, outcome."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.commands.failure import Failure
from handlers.consumers.failure_policy import Consumer, Outcome, outcome_of
from handlers.core.context import restored_context
from handlers.core.error_text import error_of
from handlers.core.errors import TransientConflict
from handlers.core.log import log_step
from handlers.core.values.json_values import check_json
from handlers.store.conditions import absent, equals
from handlers.store.port import (
    TASKS,
    Change,
    Check,
    ConditionFailed,
    Item,
    TableStore,
    TransactionFailed,
    Update,
)
from handlers.tasks import status
from handlers.tasks.handlers import TaskCall, TaskHandlers
from handlers.tasks.model import MAX_ITEM_BYTES, STOP, STOPPED_BY_ERROR
from handlers.tasks.repository import TaskRepository
from handlers.tasks.writes import becomes, of_attempt

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.tasks.keys import TaskItemKey

_COUNTER = {status.COMPLETED: "succeeded", status.FAILED: "failed", status.CANCELLED: "cancelled"}
#: Retries, besides those of the store, when other items change the task's counters at the same moment, and the longest
#: waits between them: far more than 40 concurrent items need (decision record 0063).
SETTLE_ROUNDS = 12
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 6.0

ItemOutcome = dict[str, str]
DROPPED: ItemOutcome = {"result": "dropped"}


class ItemRunner:
    """The ``iterator`` and its failure path. Repeated and late calls change nothing."""

    def __init__(
        self, store: TableStore, clock: Clock, handlers: TaskHandlers, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._store = store
        self._sleep = sleep
        self._clock = clock
        self._handlers = handlers
        self._rows = TaskRepository(store)

    def run(self, key: TaskItemKey, attempt: int) -> ItemOutcome:
        """Process one item. Its failure is its own outcome, not the execution's.

        Raises:
            TransientError: of the handler or a write, including other retriable errors; the state machine retries.
        """
        task, item = self._open(key, attempt)
        if task is None or item is None:
            return DROPPED
        if "stopping" in task and item["status"] == status.CREATED:
            return self._settle(key, task, status.CANCELLED, {})
        if not self._claim(key, task):
            return self._settle_stopped(key, attempt)
        call = TaskCall(str(key), attempt, key.index, restored_context(task, task.get("requestId")))
        try:
            result = check_json("result", self._handlers.run(task["type"], item["input"], call), MAX_ITEM_BYTES)
        except Exception as error:
            if outcome_of(error, Consumer.STATE) is Outcome.RETRIED:
                raise
            log_step("item failed", level=logging.ERROR, error=error, pk=key.pk, sk=key.sk, attempt=attempt)
            failure = Failure.from_exception(error)
            return self._settle(key, task, status.FAILED, {"error": error_of(failure.type, failure.message)})
        return self._settle(key, task, status.COMPLETED, {"result": result})

    def record_failure(self, key: TaskItemKey, attempt: int, failure: Failure) -> ItemOutcome:
        """Set the outcome of an item whose calls all ended without one."""
        task, item = self._open(key, attempt)
        if task is None or item is None:
            return DROPPED
        return self._settle(key, task, status.FAILED, {"error": error_of(failure.type, failure.message)})

    def _open(self, key: TaskItemKey, attempt: int) -> tuple[Item | None, Item | None]:
        """Task and item, if this attempt of both is still open."""
        task, item = self._rows.with_item(key)
        if task is None or task["attempt"] != attempt or task["status"] != status.PROCESSING:
            return None, None
        if item is None or item["attempt"] != attempt or status.is_terminal(item):
            return None, None
        return task, item

    def _claim(self, key: TaskItemKey, task: Item) -> bool:
        """Write PROCESSING; if a failed item stops the others, only if none has failed at that moment."""
        change = Change(set=becomes(status.PROCESSING, self._clock.now()))
        guard = of_attempt(task["attempt"]) & status.may_become(status.ITEM, status.PROCESSING)
        try:
            if task["onItemError"] != STOP:
                self._store.update(TASKS, key.pk, key.sk, change, guard)
            else:
                unstopped = Check(TASKS, key.pk, key.task.sk, of_attempt(task["attempt"]) & absent("stopping"))
                self._transact([Update(TASKS, key.pk, key.sk, change, guard), unstopped])
        except (ConditionFailed, TransactionFailed):
            return False
        return True

    def _settle_stopped(self, key: TaskItemKey, attempt: int) -> ItemOutcome:
        """Handle a refused claim: the task was stopped between the read and the claim, or the item has its outcome."""
        task, item = self._open(key, attempt)
        if task is None or item is None or "stopping" not in task or item["status"] != status.CREATED:
            return DROPPED
        return self._settle(key, task, status.CANCELLED, {})

    def _settle(self, key: TaskItemKey, task: Item, new: str, fields: dict[str, Any]) -> ItemOutcome:
        """Write the item's outcome and the task's counter in one transaction."""
        now, attempt = self._clock.now(), task["attempt"]
        stops = new == status.FAILED and task["onItemError"] == STOP
        counted = Change(
            set=becomes(status.PROCESSING, now),
            set_once={"stopping": STOPPED_BY_ERROR} if stops else {},
            add={_COUNTER[new]: 1},
        )
        try:
            self._transact(
                [
                    Update(
                        TASKS,
                        key.pk,
                        key.sk,
                        Change(set=becomes(new, now, **fields)),
                        of_attempt(attempt) & status.may_become(status.ITEM, new),
                    ),
                    Update(
                        TASKS,
                        key.pk,
                        key.task.sk,
                        counted,
                        of_attempt(attempt) & equals("status", status.PROCESSING),
                    ),
                ]
            )
        except TransactionFailed:
            return DROPPED  # the item or the task already has an outcome
        return {"result": new}

    def _transact(self, writes: list[Any]) -> None:
        """Retry patiently: all items of a task share its counters."""
        for number in range(SETTLE_ROUNDS):
            try:
                return self._store.transact(writes)
            except TransientConflict:
                if number == SETTLE_ROUNDS - 1:
                    raise
            self._sleep(random.uniform(0, min(FIRST_WAIT_SECONDS * 2**number, LONGEST_WAIT_SECONDS)))
        return None
