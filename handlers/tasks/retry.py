"""Retrying and cancelling tasks, for operators and the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.rows import RESTART
from handlers.core.context import InvokeContext, caller
from handlers.core.errors import NotFound, TransientConflict, WrongStatus
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore, TransactionFailed, Update, Write
from handlers.tasks import status
from handlers.tasks.finalize import Finalizer
from handlers.tasks.keys import TaskItemKey, TaskKey
from handlers.tasks.model import STOPPED_BY_CANCEL, Task
from handlers.tasks.repository import TaskRepository
from handlers.tasks.writes import LEASE_MARKS, START_GRACE_SECONDS, WORK_MARKS, becomes, indexed, of_attempt

if TYPE_CHECKING:
    from handlers.core.clock import Clock

ITEMS_PER_RESET = 50
MAX_ROUNDS = 20
_COUNTER = {status.FAILED: "failed", status.CANCELLED: "cancelled"}


class TaskOperations:
    """Each operation ends with one conditional write; called again after a crash, it continues."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rows = TaskRepository(store)
        self._finalize = Finalizer(store, clock)

    def retry_failed_items(self, task_id: str, context: InvokeContext) -> Task:
        """Run a FAILED task again in a new attempt: its failed and cancelled items, or the single task itself.

        Successful items are unchanged.

        Raises:
            NotFound: there is no such task in the caller's tenant.
            WrongStatus: it is not FAILED.
            TransientConflict: others kept changing it; call again.
        """
        key = TaskKey.parse_id(task_id)
        for _ in range(MAX_ROUNDS):
            row = self._row(key, context)
            if row["status"] != status.FAILED:
                raise WrongStatus(f"{key}: {row['status']}; only a FAILED task is retried")
            try:
                retried = self._reset_items(key, row) if row["kind"] == status.BATCH else None
                return Task.from_row(self._next_attempt(key, row, retried))
            except (ConditionFailed, TransactionFailed):
                continue
        raise TransientConflict(f"{key}: others kept changing it; call again")

    def cancel(self, task_id: str, context: InvokeContext) -> Task:
        """Cancel a task that has no outcome yet.

        A single task is CANCELLED at once; a running handler isn't interrupted, but its result is dropped. A task with
        items starts no further ones; those that are running end normally, then the task is CANCELLED.

        Raises:
            NotFound: there is no such task in the caller's tenant.
            WrongStatus: it has another outcome.
            TransientConflict: it was retried at the same moment; the new attempt continues unless it is cancelled, too.
        """
        key = TaskKey.parse_id(task_id)
        row = self._row(key, context)
        guard = of_attempt(row["attempt"]) & status.may_become(row["kind"], status.CANCELLED)
        try:
            if row["kind"] != status.BATCH:
                change = Change(set=becomes(status.CANCELLED, self._clock.now()), remove=WORK_MARKS)
                return Task.from_row(self._store.update(TASKS, key.pk, key.sk, change, guard))
            row = self._store.update(TASKS, key.pk, key.sk, Change(set_once={"stopping": STOPPED_BY_CANCEL}), guard)
        except ConditionFailed as error:
            found = error.item or row
            if found["attempt"] != row["attempt"]:
                raise TransientConflict(f"{key}: attempt {found['attempt']} began at this moment; call again") from None
            if found["status"] == status.CANCELLED:
                return Task.from_row(found)
            raise WrongStatus(f"{key}: {found['status']}; only a task without outcome is cancelled") from None
        if row["status"] != status.PROCESSING:  # and it never will be: its consumer checks ``stopping``
            self._finalize(key, row["attempt"])
        return Task.from_row(self._row(key, context))

    def _row(self, key: TaskKey, context: InvokeContext) -> Item:
        row = self._rows.task(key) if key.tenant_code == caller(context).tenant_code else None
        if row is None:
            raise NotFound(f"{key}: there is no such task")
        return row

    def _reset_items(self, key: TaskKey, row: Item) -> list[int]:
        """Reset items to CREATED in the next attempt, and the counters; returns the indexes of all reset items."""
        attempt, indexes = row["attempt"], []
        for page in self._rows.item_pages(key, ITEMS_PER_RESET):
            again = [item for item in page if item["status"] in _COUNTER]
            if again:
                self._store.transact(self._resetting(key, attempt, again))
            indexes += [
                TaskItemKey.parse(item["pk"], item["sk"]).index
                for item in page
                if item in again or item["attempt"] == attempt + 1
            ]
        return indexes

    def _resetting(self, key: TaskKey, attempt: int, items: list[Item]) -> list[Write]:
        now = self._clock.now()
        counted = {name: -sum(_COUNTER[item["status"]] == name for item in items) for name in _COUNTER.values()}
        writes: list[Write] = [
            Update(
                TASKS,
                item["pk"],
                item["sk"],
                Change(set=becomes(status.CREATED, now, attempt=attempt + 1), remove=("error",)),
                status.may_be_retried(status.ITEM),
            )
            for item in items
        ]
        change = Change(set=becomes(status.FAILED, now), add={name: by for name, by in counted.items() if by})
        guard = of_attempt(attempt) & status.may_be_retried(status.BATCH)
        return [*writes, Update(TASKS, key.pk, key.sk, change, guard)]

    def _next_attempt(self, key: TaskKey, row: Item, retried: list[int] | None) -> Item:
        now = self._clock.now()
        items = {} if retried is None else {"attemptItems": retried}
        change = Change(
            set=becomes(
                status.CREATED,
                now,
                attempt=row["attempt"] + 1,
                **items,
                **indexed(key, now + START_GRACE_SECONDS),
            ),
            remove=("error", "stopping", RESTART, *LEASE_MARKS),
        )
        guard = of_attempt(row["attempt"]) & status.may_be_retried(row["kind"])
        return self._store.update(TASKS, key.pk, key.sk, change, guard)
