"""40 items at once share one row of counters: how often their transactions meet, and that patience is enough.

DynamoDB refuses a transaction on an item that another one works on (Developer Guide, "Transaction conflict handling").
Here a transaction takes 15 ms of virtual time, and one that begins meanwhile is refused; the tries are the adapter's
(``handlers/store/dynamodb.py``). Figures: decision record 0063.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from handlers.core.errors import TransientConflict
from handlers.store.dynamodb import CONFLICT_SECONDS, CONFLICT_TRIES
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Change, Write
from handlers.tasks.handlers import TaskHandlers
from handlers.tasks.items import SETTLE_ROUNDS, ItemRunner
from handlers.tasks.service import TaskService
from local.scheduler import Scheduler
from tests.support.pipelines import CONTEXT
from tests.support.tasks import TYPES, check_counters

TRANSACTION_SECONDS = 0.015
#: Between two items of one worker: the state's own steps and the call of the function.
STATE_SECONDS = 0.1
ITEMS = 400


class Contended(MemoryTableStore):
    """Transactions that take time."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self.scheduler = scheduler
        self.busy = self.measured = False
        self.tries = 0

    def transact(self, writes: Sequence[Write]) -> None:
        if not self.measured:
            return super().transact(writes)
        for number in range(CONFLICT_TRIES):
            self.tries += 1
            if not self.busy:
                self.busy = True
                self.scheduler.sleep(TRANSACTION_SECONDS)
                self.busy = False
                return super().transact(writes)
            if number < CONFLICT_TRIES - 1:
                self.scheduler.sleep(random.uniform(0, CONFLICT_SECONDS * 2**number))
        raise TransientConflict("another item")


class Job:
    def __init__(self, scheduler: Scheduler, seconds: float) -> None:
        self.scheduler = scheduler
        self.seconds = seconds

    def run(self, given: Any) -> Any:
        self.scheduler.sleep(self.seconds)
        return given


@pytest.mark.parametrize(("workers", "seconds", "most"), [(2, 0.05, 1.1), (10, 0.05, 2), (40, 1, 2), (40, 0.05, 6)])
def test_counters_of_many_items_at_once(
    workers: int, seconds: float, most: float, capsys: pytest.CaptureFixture[str]
) -> None:
    random.seed(1)  # what the waits are drawn from
    scheduler = Scheduler.virtual(1)
    store = Contended(scheduler)
    task = TaskService(store, scheduler, TYPES).create_step_function_task(
        "job", list(range(ITEMS)), CONTEXT, max_concurrency=workers
    )
    store.update(TASKS, task.key.pk, task.key.sk, Change(set={"status": "PROCESSING"}))
    store.measured = True
    results: Counter[str] = Counter()
    waits: Counter[object] = Counter()  # of each worker's present item
    most_waits: list[int] = []
    indexes = iter(range(ITEMS))

    def wait(interval: float) -> None:
        waits[scheduler.current_task()] += 1
        scheduler.sleep(interval)

    def work() -> None:
        me = scheduler.current_task()
        for index in indexes:
            scheduler.sleep(STATE_SECONDS)
            results[runner.run(task.key.item(index), 1)["result"]] += 1
            most_waits.append(waits.pop(me, 0))

    runner = ItemRunner(store, scheduler, TaskHandlers({"job": Job(scheduler, seconds)}), sleep=wait)
    begin = scheduler.now()
    for _ in range(workers):
        scheduler.spawn(work, name="worker")
    scheduler.run_until_idle()
    assert results == {"COMPLETED": ITEMS}  # none raised TransientConflict, which the machine would try again
    check_counters(store, task)
    with capsys.disabled():
        print(
            f"\n{workers} at once, handler {seconds} s: {store.tries / ITEMS:.2f} transactions an item, "
            f"{sum(most_waits)} longer waits, at most {max(most_waits)} of one item, "
            f"{ITEMS / (scheduler.now() - begin):.0f} items/s"
        )
    assert store.tries / ITEMS <= most
    assert max(most_waits) < SETTLE_ROUNDS - 1
