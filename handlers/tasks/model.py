"""Tasks and items as the application sees them, and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.arguments import whole_number
from handlers.core.values.json_values import check_json
from handlers.tasks import status
from handlers.tasks.keys import TaskItemKey, TaskKey

#: The history of one execution has at most 25,000 events, and an item may need 21: 7 in the ordinary case, 9 for three
#: retries, 5 for its failure path (decision record 0061).
MAX_ITEMS = 1_000
MAX_CONCURRENCY = 40
#: Per item, which is one call of a function (Lambda Developer Guide, "Lambda quotas").
MAX_EXPECTED_SECONDS = 900
#: With these, rows stay far below DynamoDB's 400 KB with input, result and error in one row.
MAX_INPUT_BYTES = 128 * 1024
MAX_ITEM_BYTES = 32 * 1024
CONTINUE = "continue"
STOP = "stop"

#: Reasons why a task starts no further items.
STOPPED_BY_ERROR = "ITEM_ERROR"
STOPPED_BY_CANCEL = "CANCEL"
#: ``error.type`` of a task whose only failures are those of its items, which raise their own alarms.
ITEMS_FAILED = "ItemsFailed"


@dataclass(frozen=True)
class Task:
    """A task. ``total`` and the counters count its items; they are 0 for a single task."""

    key: TaskKey
    status: str
    attempt: int
    created_at: str
    created_by: str
    updated_at: str
    input: Any = None
    result: Any = None
    error: dict[str, str] | None = None
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    max_concurrency: int | None = None
    on_item_error: str | None = None
    is_stopping: bool = False

    @property
    def id(self) -> str:
        """The id for ``get_task`` and the command line."""
        return self.key.id

    @property
    def has_items(self) -> bool:
        """Whether it processes a list of items."""
        return self.key.kind != "TASK"

    @property
    def is_terminal(self) -> bool:
        """Whether it has its outcome."""
        return self.status in status.TERMINAL

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Task:
        """From a stored row."""
        return cls(
            key=TaskKey.parse(row["pk"], row["sk"]),
            status=row["status"],
            attempt=row["attempt"],
            created_at=row.get("createdAt", ""),
            created_by=row.get("createdBy", ""),
            updated_at=row.get("updatedAt", ""),
            input=row.get("input"),
            result=row.get("result"),
            error=row.get("error") if row["status"] == status.FAILED else None,
            total=row.get("total", 0),
            succeeded=row.get("succeeded", 0),
            failed=row.get("failed", 0),
            cancelled=row.get("cancelled", 0),
            max_concurrency=row.get("maxConcurrency"),
            on_item_error=row.get("onItemError"),
            is_stopping="stopping" in row and row["status"] not in status.TERMINAL,
        )


@dataclass(frozen=True)
class TaskItem:
    """One item of a task."""

    key: TaskItemKey
    status: str
    attempt: int
    input: Any
    result: Any = None
    error: dict[str, str] | None = None

    @property
    def index(self) -> int:
        """The item's position in the list, from 0."""
        return self.key.index

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> TaskItem:
        """From a stored row."""
        key = TaskItemKey.parse(row["pk"], row["sk"])
        return cls(key, row["status"], row["attempt"], row.get("input"), row.get("result"), row.get("error"))


@dataclass(frozen=True)
class TaskLimits:
    """The stack's limits: the same values with which its task state machine runs (stack outputs)."""

    max_concurrency: int = 2
    timeout_minutes: int = 15

    def concurrency(self, wanted: int | None) -> int:
        """The concurrency of a task. Raises ValidationError."""
        number = self.max_concurrency if wanted is None else wanted
        return whole_number("maxConcurrency", number, 1, MAX_CONCURRENCY)

    def check_time(self, items: int, seconds: float, concurrency: int) -> None:
        """Reject a list that can't be processed within the state machine's timeout. Raises ValidationError."""
        expected = items * seconds / concurrency
        if expected > self.timeout_minutes * 60:
            raise ValidationError(
                "items",
                f"{items} items of {seconds:g} s, {concurrency} at once: {expected:,.0f} s",
                f"at most taskTimeoutMinutes ({self.timeout_minutes}) x 60 = {self.timeout_minutes * 60} s",
            )


def check_items(items: object) -> list[Any]:
    """The items of a task as stored. Raises ValidationError naming the invalid item."""
    if not isinstance(items, list):
        raise ValidationError("items", items, "a list of JSON values")
    if len(items) > MAX_ITEMS:
        raise ValidationError("items", f"{len(items)} items", f"at most {MAX_ITEMS} items for one execution")
    return [check_json(f"items[{index}]", item, MAX_ITEM_BYTES) for index, item in enumerate(items)]


def check_on_item_error(value: object) -> str:
    """``continue`` or ``stop``. Raises ValidationError."""
    if value not in (CONTINUE, STOP):
        raise ValidationError("onItemError", value, f"{CONTINUE} or {STOP}")
    return str(value)
