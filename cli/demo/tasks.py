"""The demo's task: a list of airports, processed a few at a time, with progress."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cli.output import Progress, table
from contract.outputs import TABLE_NAME, TASK_MAX_CONCURRENCY, TASK_TIMEOUT_MINUTES
from contract.tables import TASKS
from contract.work_status import COMPLETED
from handlers.core.aws import clients as aws
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.store.dynamodb import DynamoTableStore
from handlers.tasks.handlers import task_types
from handlers.tasks.model import Task, TaskItem, TaskLimits
from handlers.tasks.service import TaskService
from local.runtime import LocalRuntime

MODULE = "handlers.domain.airports"
TYPE = "airport-distances"
#: Length of the list; short, so that the demo stays short.
MOST_ITEMS = 40
AT_ONCE = 5
POLL_SECONDS = 0.1
#: Far longer than the task takes, so that a hanging demo fails.
MOST_SECONDS = 120.0


@dataclass(frozen=True)
class TaskOutcome:
    """The outcome of the task."""

    task: Task
    items: Sequence[TaskItem]
    seconds: float

    def problems(self) -> list[str]:
        """What isn't as expected; empty if all is well."""
        task = self.task
        if (task.status, task.succeeded) == (COMPLETED, task.total):
            return []
        return [f"the task {task.id} is {task.status}: {task.succeeded:,} of {task.total:,} items succeeded"]

    def report(self) -> str:
        """The outcome as a table."""
        results = [(one.result["kilometresToEquator"], one.input) for one in self.items if one.result is not None]
        nearest = min(results, default=(0, "none"))
        return table(
            f"Task {TYPE}: a list of airports through the task state machine",
            [
                ("status", self.task.status),
                ("items", f"{self.task.succeeded:,} of {self.task.total:,} succeeded, {self.task.failed:,} failed"),
                ("at once", f"at most {self.task.max_concurrency}"),
                ("nearest to the equator", f"{nearest[1]}, {nearest[0]:,} km"),
                ("wall time", f"{self.seconds:.1f} s"),
            ],
        )


def run_task(runtime: LocalRuntime, codes: Sequence[str], context: InvokeContext) -> TaskOutcome:
    """Create the task for some of the airports, and show its counters until it has its outcome."""
    outputs = runtime.outputs
    service = TaskService(
        DynamoTableStore(aws.dynamodb(), {TASKS: outputs[TABLE_NAME[TASKS]]}),
        SystemClock(),
        task_types([MODULE]),
        TaskLimits(outputs[TASK_MAX_CONCURRENCY], outputs[TASK_TIMEOUT_MINUTES]),
    )
    begin = time.monotonic()
    task = service.create_step_function_task(TYPE, list(codes[:MOST_ITEMS]), context, max_concurrency=AT_ONCE)
    progress = Progress("task", task.total)
    while not task.is_terminal and time.monotonic() - begin < MOST_SECONDS:
        progress.show(task.succeeded + task.failed)
        time.sleep(POLL_SECONDS)
        task = service.get_task(task.id, context)
    progress.show(task.succeeded + task.failed, last=True)
    progress.end()
    return TaskOutcome(task, list(service.list_items(task.id, context)), time.monotonic() - begin)
