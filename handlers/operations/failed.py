"""Finds failed commands. After its alarm a failed command is in no index, so this scans the table."""

from __future__ import annotations

from collections.abc import Callable

from contract.command_status import FAILED, FAILED_STATUSES
from handlers.commands.keys import VersionKey
from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR
from handlers.core.light_dataclasses import dataclass
from handlers.store.conditions import Condition, absent, equals, less, one_of
from handlers.store.port import COMMANDS, Item, TableStore

PAGE_ITEMS = 500

#: Called after each page with the number of items read and of commands found so far.
OnPage = Callable[[int, int], None]


@dataclass(frozen=True)
class Selection:
    """Selects failed commands.

    ``since``: seconds since 1970, by the time of the alarm. ``status``: ``FAILED``, or the failure of one state, such
    as ``sync_data:FAILED``.
    """

    since: float | None = None
    status: str = FAILED
    tenant_code: str | None = None
    type: str | None = None

    def condition(self) -> Condition:
        """The selection as a filter. Raises ValidationError naming the status."""
        condition = one_of("status", self._statuses())
        if self.since is not None:
            condition &= absent("alarmedAt") | ~less("alarmedAt", int(self.since))
        if self.tenant_code is not None:
            condition &= equals("tenantCode", self.tenant_code)
        if self.type is not None:
            condition &= equals("type", self.type)
        return condition

    def _statuses(self) -> list[str]:
        known = sorted(FAILED_STATUSES)
        if self.status == FAILED:
            return known
        if self.status not in known:
            raise ValidationError("status", self.status, f"{FAILED} or one of {', '.join(known)}")
        return [self.status]


@dataclass(frozen=True)
class Found:
    """``more``: the limit ended the search before the end of the table."""

    keys: list[VersionKey]
    scanned: int
    more: bool


@dataclass(frozen=True)
class FoundOfTenant:
    """Rows of failed commands as stored, ordered by key. ``next_key``: pass it to the next call."""

    rows: list[Item]
    next_key: Item | None


def find_failed(store: TableStore, selection: Selection, *, limit: int, on_page: OnPage | None = None) -> Found:
    """The keys of about ``limit`` failed commands (the last page may add some more)."""
    keep = selection.condition()
    keys: list[VersionKey] = []
    scanned, start = 0, None
    while True:
        page = store.scan(COMMANDS, keep=keep, limit=PAGE_ITEMS, start=start)
        keys += [VersionKey.parse(row["pk"], row["sk"]) for row in page.items]
        scanned, start = scanned + page.scanned, page.next_key
        if on_page is not None:
            on_page(scanned, len(keys))
        if start is None or len(keys) >= limit:
            return Found(keys, scanned, start is not None)


def failed_of_tenant(
    store: TableStore,
    selection: Selection,
    pk: str,
    *,
    limit: int,
    start: Item | None = None,
    goes_on: Callable[[], bool] = lambda: True,
) -> FoundOfTenant:
    """Up to ``limit`` failed commands of one partition (kind and tenant), reading only this partition.

    ``goes_on``: called before each page; if it returns False, the rows found so far are returned.
    """
    condition = selection.condition()
    prefix = "" if selection.type is None else f"{selection.type}{SEPARATOR}"
    rows: list[Item] = []
    while True:
        page = store.query(COMMANDS, pk, sk_prefix=prefix, limit=PAGE_ITEMS, start=start)
        for row in page.items:
            if condition.holds(row):
                rows.append(row)
                if len(rows) == limit:
                    return FoundOfTenant(rows, {"pk": row["pk"], "sk": row["sk"]})
        start = page.next_key
        if start is None or not goes_on():
            return FoundOfTenant(rows, start)
