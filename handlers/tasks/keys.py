"""Keys of tasks and their items: ``TASK#<tenant>`` or, with items, ``SFN_TASK#<tenant>``; ``<taskType>#<ulid>``."""

from __future__ import annotations

from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, check_part
from handlers.core.keys import MAX_PK_BYTES, MAX_SK_BYTES, check_bytes, row_id, two_parts
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.ulids import check_ulid

TASK_KIND = "TASK"
BATCH_KIND = "SFN_TASK"
INDEX_DIGITS = 6


@dataclass(frozen=True)
class TaskKey:
    """A task: ``TASK#<tenant>`` or, if it has items, ``SFN_TASK#<tenant>``; ``<taskType>#<ulid>``."""

    kind: str
    tenant_code: str
    type: str
    ulid: str

    def __post_init__(self) -> None:
        if self.kind not in (TASK_KIND, BATCH_KIND):
            raise ValidationError("kind", self.kind, f"{TASK_KIND} or {BATCH_KIND}")
        check_part("tenantCode", self.tenant_code)
        check_part("taskType", self.type)
        check_ulid(self.ulid)
        check_bytes("pk", self.pk, MAX_PK_BYTES)
        check_bytes("sk", f"{self.sk}{SEPARATOR}{0:0{INDEX_DIGITS}d}", MAX_SK_BYTES)

    @property
    def pk(self) -> str:
        """Partition key of the task and its items."""
        return f"{self.kind}{SEPARATOR}{self.tenant_code}"

    @property
    def sk(self) -> str:
        """Sort key of the task's row; its items sort directly after it."""
        return f"{self.type}{SEPARATOR}{self.ulid}"

    @property
    def id(self) -> str:
        """The task's id for display and messages: ``<pk>#<sk>``."""
        return row_id(self.pk, self.sk)

    @property
    def items_prefix(self) -> str:
        """Prefix of the sort keys of all items of this task and of no other row."""
        return f"{self.sk}{SEPARATOR}"

    def item(self, index: int) -> TaskItemKey:
        """The key of one item."""
        return TaskItemKey(self, index)

    @classmethod
    def parse(cls, pk: str, sk: str) -> TaskKey:
        """From the keys of a task's row. Raises ValidationError naming ``pk`` or ``sk``."""
        kind, tenant_code = two_parts("pk", pk, "TASK#<tenantCode> or SFN_TASK#<tenantCode>")
        return cls(kind, tenant_code, *two_parts("sk", sk, "<taskType>#<ulid>"))

    @classmethod
    def parse_id(cls, text: str) -> TaskKey:
        """From ``id``. Raises ValidationError."""
        parts = text.split(SEPARATOR) if isinstance(text, str) else []
        if len(parts) != 4:
            raise ValidationError("taskId", text, "TASK#<tenant>#<taskType>#<ulid> or SFN_TASK#...")
        return cls(*parts)

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True)
class TaskItemKey:
    """One item of a task; ``index`` counts from 0."""

    task: TaskKey
    index: int

    @property
    def pk(self) -> str:
        """The task's partition key."""
        return self.task.pk

    @property
    def sk(self) -> str:
        """Sort key; items sort by index."""
        return f"{self.task.items_prefix}{self.index:0{INDEX_DIGITS}d}"

    @classmethod
    def parse(cls, pk: str, sk: str) -> TaskItemKey:
        """From the keys of an item's row. Raises ValidationError."""
        parent, _, digits = sk.rpartition(SEPARATOR)
        if len(digits) != INDEX_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise ValidationError("sk", sk, f"<taskType>#<ulid>#<index with {INDEX_DIGITS} digits>")
        return cls(TaskKey.parse(pk, parent), int(digits))

    def __str__(self) -> str:
        return row_id(self.pk, self.sk)


def task_type_prefix(type_: str) -> str:
    """Prefix of the sort keys of all tasks of a type."""
    check_part("taskType", type_)
    return f"{type_}{SEPARATOR}"


def task_sk_of(sk: str) -> str:
    """The task's sort key, from its own or that of one of its items."""
    return SEPARATOR.join(sk.split(SEPARATOR)[:2])
