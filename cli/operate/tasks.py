"""``./cqrs tasks list | show | retry | cancel``."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from cli.doors.port import Tasks
from cli.operate.arguments import add_stack, positive
from cli.operate.stack import Stack, on_stack
from cli.output import as_json, one_line, table
from cli.terminal import show
from contract.work_status import FAILED
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.core.values.stored_names import to_stored_name
from handlers.operations.key_text import pasteable
from handlers.tasks.keys import TaskKey
from handlers.tasks.model import Task, TaskItem
from handlers.tasks.retry import TaskOperations
from handlers.tasks.service import MAX_LISTED, TaskService

ID_HELP = "TASK#<tenant>#<type>#<ulid> or SFN_TASK#...: the id of an alarm or of `list`"
OPERATOR = "operator"
SHOWN_ITEMS = 20
_FIELDS = (
    *("id", "status", "attempt", "total", "succeeded", "failed", "cancelled", "max_concurrency", "on_item_error"),
    *("is_stopping", "created_at", "created_by", "updated_at", "result", "error"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs tasks``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the latest tasks of a tenant")
    listing.add_argument("--tenant", required=True, help="whose tasks")
    listing.add_argument("--type", help="only this task type")
    listing.add_argument(
        "--limit", type=positive, default=20, help=f"maximum number of tasks (default 20, up to {MAX_LISTED})"
    )
    show = actions.add_parser("show", help="show one task, its counters, and the items that failed")
    retry = actions.add_parser("retry", help="run a failed task again: its failed and cancelled items")
    cancel = actions.add_parser("cancel", help="start no further items; running ones complete normally")
    for one in (show, retry, cancel):
        one.add_argument("id", metavar="ID", help=ID_HELP)
    show.add_argument("--all", action="store_true", help="show all items, not only failed ones")
    for one in (listing, show, retry, cancel):
        add_stack(one)


def run(options: argparse.Namespace) -> int:
    """Run the action. Raises CommandError."""
    return _on_tasks(options, lambda tasks: run_on(tasks, options))


class StackTasks:
    """``cli.doors.port.Tasks`` on the stack's tables, with the user's credentials."""

    def __init__(self, stack: Stack) -> None:
        self._service = TaskService(stack.store, SystemClock(), {})  # only reads, so it needs no types
        self._operations = TaskOperations(stack.store, SystemClock())

    def latest(self, tenant: str, type_: str | None, limit: int) -> list[Task]:
        """See ``Tasks``."""
        return self._service.list_tasks(InvokeContext(OPERATOR, tenant), type_=type_, limit=limit)

    def task(self, task_id: str) -> Task:
        """See ``Tasks``."""
        return self._service.get_task(task_id, _context(task_id))

    def items(self, task_id: str) -> Iterator[TaskItem]:
        """See ``Tasks``."""
        yield from self._service.list_items(task_id, _context(task_id))

    def retry(self, task_id: str) -> Task:
        """See ``Tasks``."""
        return self._operations.retry_failed_items(task_id, _context(task_id))

    def cancel(self, task_id: str) -> Task:
        """See ``Tasks``."""
        return self._operations.cancel(task_id, _context(task_id))


def _context(task_id: str) -> InvokeContext:
    return InvokeContext(OPERATOR, TaskKey.parse_id(task_id).tenant_code)


def _on_tasks(options: argparse.Namespace, work: Callable[[Tasks], int]) -> int:
    if options.api is None:
        return on_stack(options, lambda stack: work(StackTasks(stack)))
    from cli.doors.by_api import on_api  # imports the client, which is only needed here
    from cli.doors.tasks import ApiTasks

    return on_api(options, lambda api: work(ApiTasks(api)))


def run_on(service: Tasks, options: argparse.Namespace) -> int:
    """See ``run``. ``service``: the stack or its API."""
    if options.action == "list":
        tasks = service.latest(options.tenant, options.type, options.limit)
        show(as_json([_entry(one) for one in tasks]) if options.json else _listed(tasks, options.tenant))
        return 0
    if options.action == "retry":
        return _print(service.retry(options.id), options)
    if options.action == "cancel":
        return _print(service.cancel(options.id), options)
    task = service.task(options.id)
    items = (one for one in service.items(options.id) if options.all or one.status == FAILED)
    return _print(task, options, list(items) if options.json else list(itertools.islice(items, SHOWN_ITEMS + 1)))


def _print(task: Task, options: argparse.Namespace, items: list[TaskItem] | None = None) -> int:
    if options.json:
        entry = _entry(task)
        show(as_json(entry if items is None else {**entry, "items": [_item(one) for one in items]}))
    else:
        show("\n\n".join([_shown(task), *([_items(items)] if items else [])]))
    return 0


def _entry(task: Task) -> dict[str, Any]:
    fields = {to_stored_name(name): getattr(task, name) for name in _FIELDS}
    return {name: value for name, value in fields.items() if value is not None}


def _item(item: TaskItem) -> dict[str, Any]:
    given = {"index": item.index, "status": item.status, "attempt": item.attempt, "error": item.error}
    return {name: value for name, value in given.items() if value is not None}


def _listed(tasks: list[Task], tenant: str) -> str:
    if not tasks:
        return f"no tasks of tenant {tenant}"
    rows = [(pasteable(one.id), _status(one), one.attempt, _progress(one), one.created_at) for one in tasks]
    return table("Tasks", rows, header=("task", "status", "attempt", "items", "created"))


def _shown(task: Task) -> str:
    rows: list[tuple[str, object]] = [
        ("status", _status(task)),
        ("attempt", task.attempt),
        ("created", f"{task.created_at} by {task.created_by}"),
        ("updated", task.updated_at),
    ]
    if task.has_items:
        rows.append(("items", _progress(task)))
        rows.append(("at once", f"{task.max_concurrency}, after a failed item: {task.on_item_error}"))
    if task.result is not None:
        rows.append(("result", one_line(json.dumps(task.result, ensure_ascii=False))))
    if task.error is not None:
        rows.append(("error", f"{task.error['type']}: {task.error['message']}"))
    return table(pasteable(task.id), rows)


def _items(items: list[TaskItem]) -> str:
    rows = [(one.index, one.status, _error(one)) for one in items[:SHOWN_ITEMS]]
    text = table("Items", rows, header=("index", "status", "error"))
    return text if len(items) <= SHOWN_ITEMS else f"{text}\n  ... and more (--json lists all)"


def _error(item: TaskItem) -> str:
    return "" if item.error is None else f"{item.error['type']}: {item.error['message']}"


def _status(task: Task) -> str:
    return f"{task.status} (stopping)" if task.is_stopping else task.status


def _progress(task: Task) -> str:
    if not task.has_items:
        return ""
    return f"{task.succeeded} of {task.total} done, {task.failed} failed, {task.cancelled} cancelled"
