"""Ends a task: closes its open items, then writes the outcome, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handlers.core.error_text import error_of
from handlers.core.errors import NotRunning, TransientConflict
from handlers.store.conditions import Path, equals
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore, TransactionFailed, Update, Write
from handlers.tasks import status
from handlers.tasks.model import ITEMS_FAILED, STOPPED_BY_CANCEL
from handlers.tasks.repository import TaskRepository
from handlers.tasks.writes import WORK_MARKS, becomes, of_attempt

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.tasks.keys import TaskKey

COUNTERS = ("succeeded", "failed", "cancelled")
#: Items closed in one transaction, together with the task's counters.
ITEMS_PER_CLOSE = 50
#: Retries when items end meanwhile, by a run that is still alive.
MAX_ROUNDS = 100


class Finalizer:
    """Called by ``finalize_task``, for executions that died, and for tasks that are cancelled before they start."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rows = TaskRepository(store)

    def __call__(self, key: TaskKey, attempt: int, error: Mapping[str, str] | None = None) -> str | None:
        """Set a task's outcome; returns its status. ``error``: why not all items were processed.

        None: there is no such task. Another attempt, or an outcome that is already stored, is unchanged.
        """
        for _ in range(MAX_ROUNDS):
            row = self._rows.task(key)
            if row is None or row["attempt"] != attempt or status.is_terminal(row):
                return None if row is None else str(row["status"])
            try:
                if row["kind"] == status.BATCH and sum(row[name] for name in COUNTERS) < row["total"]:
                    self._close(key, row, error)
                else:
                    return self._write_outcome(key, row, error)
            except (ConditionFailed, TransactionFailed):
                continue
        raise TransientConflict(f"{key}: its items kept changing, {MAX_ROUNDS} rounds were lost")

    def _write_outcome(self, key: TaskKey, row: Item, error: Mapping[str, str] | None) -> str:
        new, reason = _outcome(row, error)
        change = Change(
            set=becomes(new, self._clock.now(), **({} if reason is None else {"error": dict(reason)})),
            remove=(*WORK_MARKS, *(() if reason is not None else ("error",))),
        )
        guard = of_attempt(row["attempt"]) & status.may_become(row["kind"], new)
        self._store.update(TASKS, key.pk, key.sk, change, guard)
        return new

    def _close(self, key: TaskKey, row: Item, error: Mapping[str, str] | None) -> None:
        """Items that never started become CANCELLED; those that started and have no outcome become FAILED."""
        given = error or error_of(NotRunning.__name__, "the execution ended before the item did")
        for page in self._rows.item_pages(key, ITEMS_PER_CLOSE):
            open_items = [item for item in page if not status.is_terminal(item) and item["attempt"] == row["attempt"]]
            if open_items:
                self._store.transact(self._closing(key, row, open_items, given))

    def _closing(self, key: TaskKey, row: Item, items: Sequence[Item], error: Mapping[str, str]) -> list[Write]:
        now = self._clock.now()
        lost = error_of(NotRunning.__name__, error["message"])
        writes: list[Write] = []
        failed = 0
        for item in items:
            began = item["status"] == status.PROCESSING
            failed += began
            new = status.FAILED if began else status.CANCELLED
            change = Change(set=becomes(new, now, **({"error": lost} if began else {})))
            guard = of_attempt(row["attempt"]) & equals("status", item["status"])
            writes.append(Update(TASKS, item["pk"], item["sk"], change, guard))
        counted = {"failed": failed, "cancelled": len(items) - failed}
        # Items that are closed here raise no alarm of their own, so the task's error must report them.
        cause: dict[Path, Any] = {} if "stopping" in row and not failed else {"error": dict(error)}
        change = Change(set=becomes(row["status"], now), set_once=cause, add={k: v for k, v in counted.items() if v})
        writes.append(
            Update(TASKS, key.pk, key.sk, change, of_attempt(row["attempt"]) & equals("status", row["status"]))
        )
        return writes


def _outcome(row: Item, error: Mapping[str, str] | None) -> tuple[str, Mapping[str, str] | None]:
    """The status and, for FAILED, the error."""
    known = row.get("error") or error
    if row["kind"] != status.BATCH:
        return (status.FAILED, known) if known else (status.CANCELLED, None)
    if row["succeeded"] == row["total"]:
        return status.COMPLETED, None
    if row.get("stopping") == STOPPED_BY_CANCEL and row["cancelled"] and "error" not in row:
        return status.CANCELLED, None
    message = f"{row['failed']} of {row['total']} items failed, {row['cancelled']} were cancelled"
    return status.FAILED, known or error_of(ITEMS_FAILED, message)
