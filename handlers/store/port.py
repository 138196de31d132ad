"""The port through which all capabilities read and write tables.

Tables have logical names (``commands``, ``data``, ...); an adapter knows the real ones. Items are
plain dictionaries of JSON-like values with the keys ``pk`` and ``sk``. One method is one AWS call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from contract.tables import COMMANDS, DATA, DUE_AT, HISTORY, IMPORT_TMP, OPEN_ATTRIBUTES, OPEN_INDEX, OPEN_SHARD, TASKS
from handlers.core.errors import CqrsError, Nature, ValidationError
from handlers.core.key_parts import encoded
from handlers.core.keys import MAX_PK_BYTES, MAX_SK_BYTES
from handlers.core.light_dataclasses import dataclass, field
from handlers.store.conditions import Condition, Path, plain_operand, shown_path

__all__ = (
    "COMMANDS",
    "DATA",
    "DUE_AT",
    "HISTORY",
    "IMPORT_TMP",
    "OPEN_INDEX",
    "OPEN_PROJECTION",
    "OPEN_SHARD",
    "TASKS",
    "Change",
    "Check",
    "ConditionFailed",
    "Delete",
    "Item",
    "Key",
    "Page",
    "Put",
    "TableStore",
    "TransactionFailed",
    "Update",
    "Write",
)

#: Attributes that the index projects.
OPEN_PROJECTION = ("pk", "sk", OPEN_SHARD, DUE_AT, *OPEN_ATTRIBUTES)

Item = dict[str, Any]
#: Table, partition key, sort key.
Key = tuple[str, str, str]

_Value = TypeVar("_Value", covariant=True)


class ByPath(Protocol[_Value]):
    """A mapping from paths, or from names alone: ``Mapping[Path, ...]`` is invariant in its keys and takes only one."""

    def items(self) -> Collection[tuple[Path, _Value]]:
        """The paths and their values."""
        ...


class ConditionFailed(CqrsError):
    """The condition of a write did not hold. ``item`` is the item found, None if there was none."""

    nature = Nature.TRANSIENT

    def __init__(self, table: str, pk: str, sk: str, item: Item | None) -> None:
        super().__init__(f"condition failed on {table} {pk} {sk}")
        self.item = item


class TransactionFailed(CqrsError):
    """Nothing of a transaction was applied. ``failed`` maps the index of a write to the item found there."""

    nature = Nature.TRANSIENT

    def __init__(self, failed: Mapping[int, Item | None]) -> None:
        super().__init__(f"conditions failed in a transaction, at index {sorted(failed)}")
        self.failed = dict(failed)


@dataclass(frozen=True)
class Change:
    """The changes of an update to an existing item.

    ``set`` overwrites, ``set_once`` sets only absent attributes, ``add`` adds to a number (absent counts as 0). The
    parent map of a nested path must exist.

    Raises:
        ValidationError: the table can't store a value.
    """

    set: ByPath[Any] = field(default_factory=dict)
    set_once: ByPath[Any] = field(default_factory=dict)
    add: ByPath[int | float] = field(default_factory=dict)
    remove: Sequence[Path] = ()

    def __post_init__(self) -> None:
        for name in ("set", "set_once", "add"):
            given: ByPath[Any] = getattr(self, name)
            if given.items():
                object.__setattr__(self, name, {path: plain_operand(path, value) for path, value in given.items()})
        for path, value in self.add.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValidationError(shown_path(path), value, "a number to add")


@dataclass(frozen=True)
class Put:
    """Write a whole item."""

    table: str
    item: Item
    condition: Condition | None = None


@dataclass(frozen=True)
class Update:
    """Change an existing item; ``attribute_exists(pk)`` is always part of the condition (G3)."""

    table: str
    pk: str
    sk: str
    change: Change
    condition: Condition | None = None


@dataclass(frozen=True)
class Check:
    """A condition on an item that the transaction doesn't write."""

    table: str
    pk: str
    sk: str
    condition: Condition


@dataclass(frozen=True)
class Delete:
    """Remove an item; without effect if there is none and the condition allows that."""

    table: str
    pk: str
    sk: str
    condition: Condition | None = None


Write = Put | Update | Check | Delete


@dataclass(frozen=True)
class Page:
    """A page of a query or scan; ``next_key``: pass it to the next call, None on the last page.

    ``scanned``: how many items a scan read, before its filter.
    """

    items: list[Item]
    next_key: Item | None = None
    scanned: int = 0


def check_key(item: Item) -> None:
    """Raises ValidationError: the item has no valid key."""
    for name, most in (("pk", MAX_PK_BYTES), ("sk", MAX_SK_BYTES)):
        part = item.get(name)
        if not isinstance(part, str) or not part:
            raise ValidationError(name, part, "text that is not empty")
        if len(part) > most // 4 and len(encoded(name, part)) > most:  # a character has at most four bytes
            raise ValidationError(name, part, f"at most {most} bytes of UTF-8")


def check_start(pk: str, sk_prefix: str, start: Item | None) -> None:
    """Require a start key that the query could return: DynamoDB rejects others ("The provided starting key is outside
    query boundaries", seen in github.com/aws/aws-sdk-ruby/issues/2456). Raises ValidationError.
    """
    if start is not None and (start["pk"] != pk or not str(start["sk"]).startswith(sk_prefix)):
        raise ValidationError("cursor", start["sk"], "the cursor of an earlier page of the same list")


class TableStore(Protocol):
    """Tables. Every method may raise ``TransientThrottle``, writes also ``TransientConflict``.

    Writes raise ``ValidationError`` before anything is written, naming the attribute, for values that a table doesn't
    store unchanged (``handlers.core.values.json_values``). Types of numbers may change: 1.0 is read as 1.
    """

    def get(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """The item, or None. Strongly consistent by default."""
        ...

    def get_together(self, keys: Sequence[Key]) -> list[Item | None]:
        """Items (table, pk, sk) in one consistent read: TransactGetItems, at most 100."""
        ...

    def get_each(self, keys: Sequence[Key]) -> dict[Key, Item | None]:
        """Items (table, pk, sk), each strongly consistent, but not all of the same moment: BatchGetItem, at most 100.

        Half the price of ``get_together``, and no conflict with a transaction. A key that DynamoDB didn't get to (more
        than 16 MB, or throttled) is missing in the result; one without an item has None.
        """
        ...

    def put(self, table: str, item: Item, condition: Condition | None = None) -> None:
        """Write a whole item. Raises ``ConditionFailed``."""
        ...

    def update(self, table: str, pk: str, sk: str, change: Change, condition: Condition | None = None) -> Item:
        """Change an existing item; returns the changed item. Raises ``ConditionFailed``."""
        ...

    def delete(self, table: str, pk: str, sk: str, condition: Condition | None = None) -> None:
        """Remove an item; without effect if there is none and the condition allows that. Raises ``ConditionFailed``.

        Only in ``data``: the other tables are append-only, and no function's role may delete there (G1).
        """
        ...

    def transact(self, writes: Sequence[Write]) -> None:
        """All or nothing, at most 100 writes on distinct items. Raises ``TransactionFailed``."""
        ...

    def due(self, table: str, shard: int, until: int, *, limit: int, start: Item | None = None) -> Page:
        """Rows of one shard of the ``open`` index whose ``dueAt`` is at most ``until``, earliest first.

        Eventually consistent, like every global secondary index (Developer Guide, "Using Global Secondary Indexes"),
        and with the projected attributes only: read the row before acting on it.
        """
        ...

    def query(
        self,
        table: str,
        pk: str,
        *,
        sk_prefix: str = "",
        descending: bool = False,
        limit: int | None = None,
        consistent: bool = True,
        start: Item | None = None,
    ) -> Page:
        """Items of one partition, ordered by sort key, a page at a time.

        ``start``: the key after which the page begins. Raises ValidationError: it isn't one of this list.
        """
        ...

    def scan(
        self, table: str, *, keep: Condition | None = None, limit: int | None = None, start: Item | None = None
    ) -> Page:
        """Items of a whole table in no particular but stable order, a page at a time, strongly consistent.

        ``limit`` counts the items read, ``keep`` (a filter) selects those returned: a page may be empty without being
        the last.
        """
        ...
