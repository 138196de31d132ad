"""Tasks on a deployment of a test, and the invariants that hold for them at every moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handlers.core.aws import clients as aws
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import TASKS, Item, TableStore
from handlers.tasks.handlers import TaskType
from handlers.tasks.keys import task_sk_of
from handlers.tasks.model import Task, TaskItem, TaskLimits
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import TaskService
from tests.support.deployments import Deployed
from tests.support.pipelines import CONTEXT

TYPES = {
    "job": TaskType("job", 0.5, object),
    "airport-distances": TaskType("airport-distances", 0.2, object),
}
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED")
COUNTED = {"COMPLETED": "succeeded", "FAILED": "failed", "CANCELLED": "cancelled"}


class DeployedTasks(Deployed):
    """A deployment with a task service beside."""

    def __enter__(self) -> DeployedTasks:
        super().__enter__()
        outputs = self.runtime.outputs
        self.tables[TASKS] = outputs["tasksTableName"]
        self.task_machine_arn = outputs["taskStateMachineArn"]
        self.task_store = DynamoTableStore(aws.dynamodb(), {TASKS: outputs["tasksTableName"]})
        limits = TaskLimits(outputs["taskMaxConcurrency"], outputs["taskTimeoutMinutes"])
        self.service = TaskService(self.task_store, self.scheduler, TYPES, limits)
        self.operations = TaskOperations(self.task_store, self.scheduler)
        return self

    def task(self, task: Task) -> Task:
        return self.service.get_task(task.id, CONTEXT)

    def items(self, task: Task) -> list[TaskItem]:
        return list(self.service.list_items(task.id, CONTEXT))

    def task_row(self, task: Task) -> Item:
        row = self.task_store.get(TASKS, task.key.pk, task.key.sk)
        assert row is not None
        return row

    def task_statuses(self, task: Task) -> list[str]:
        """The statuses that a task went through."""
        return changes(self.images(TASKS), task.key.sk, "status")

    def dead_letters(self) -> list[str]:
        return self.drain(self.runtime.outputs["deadLetterQueueUrls"]["task-action-queue"])

    def behave(self, action: Callable[[Any], object]) -> None:
        self.recorder.behaviours["task"] = action

    def check_history(self) -> None:
        """After each single write of a task's row; no terminal status is left within its attempt."""
        check_images(self.images(TASKS))


def changes(images: list[Item], sk: str, name: str) -> list[Any]:
    seen: list[Any] = []
    for image in images:
        if image["sk"] == sk and (not seen or seen[-1] != image.get(name)):
            seen.append(image.get(name))
    return seen


def check_images(images: list[Item]) -> None:
    """Walk all writes in their order. A transaction writes its items before the task, so with each write of a task's
    row its counters equal its items' statuses; and an outcome is never changed within its attempt.
    """
    ended: dict[tuple[str, int], str] = {}
    items: dict[str, dict[str, str]] = {}
    for image in images:
        if image.get("kind") == "item":
            items.setdefault(task_sk_of(image["sk"]), {})[image["sk"]] = image["status"]
        elif image.get("kind") == "batch":
            now = list(items.get(image["sk"], {}).values())
            assert {name: image[name] for name in COUNTED.values()} == {
                name: now.count(status) for status, name in COUNTED.items()
            }, image["sk"]
        if image.get("kind") and image["status"] in TERMINAL:
            identity = (image["sk"], image["attempt"])
            assert ended.setdefault(identity, image["status"]) == image["status"], identity


def check_counters(store: TableStore, task: Task) -> None:
    """Counters equal the items' statuses; a terminal task has no open items."""
    row = store.get(TASKS, task.key.pk, task.key.sk)
    assert row is not None
    counted: Mapping[str, int] = counts_of(store, task)
    assert {name: row[name] for name in COUNTED.values()} == counted
    if row["status"] in TERMINAL:
        assert sum(counted.values()) == row["total"]


def counts_of(store: TableStore, task: Task) -> dict[str, int]:
    counted = dict.fromkeys(COUNTED.values(), 0)
    page = store.query(TASKS, task.key.pk, sk_prefix=task.key.items_prefix)
    assert page.next_key is None
    for item in page.items:
        if item["status"] in COUNTED:
            counted[COUNTED[item["status"]]] += 1
    return counted
