"""The states that write to tables: ttl of the predecessor, history, and the built-in sync target."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import business_part
from handlers.commands.status import APPLIED_STATUSES
from handlers.store.conditions import Condition, absent, at_most, less, one_of
from handlers.store.port import COMMANDS, DATA, HISTORY, Change, ConditionFailed, Item, TableStore, Update

if TYPE_CHECKING:
    from handlers.commands.repository import CommandRepository
    from handlers.commands.ttl_policies import TtlPolicies
    from handlers.core.clock import Clock

APPLIED = "APPLIED"
ALREADY_APPLIED = "ALREADY_APPLIED"


class Applier:
    """Idempotent steps: each write is conditional on the state that it changes."""

    def __init__(self, store: TableStore, repository: CommandRepository, clock: Clock, policies: TtlPolicies) -> None:
        self._store = store
        self._repository = repository
        self._clock = clock
        self._policies = policies

    def previous_expires(self, key: VersionKey) -> bool:
        """Whether the predecessor's row is to get a ttl."""
        return key.previous() is not None and self._previous_expiry(key) is not None

    def _previous_expiry(self, key: VersionKey) -> int | None:
        return self._policies.of(COMMANDS).expires_at(key.entity, self._clock.now())

    def set_ttl_of_previous(self, key: VersionKey) -> bool:
        """Set the ttl of the predecessor's row, once, and only if it was applied. True: it was set now.

        A skipped one gets none: the data row doesn't show that it is DONE, so without its row a failed successor could
        never be redriven (decision 0125).
        """
        previous = key.previous()
        update = None if previous is None else self._expiry(previous)
        return update is not None and self._update(update)

    def _update(self, update: Update) -> bool:
        try:
            self._store.update(update.table, update.pk, update.sk, update.change, update.condition)
        except ConditionFailed:
            return False
        return True

    def expire(self, previous: Item | None) -> None:
        """Like ``set_ttl_of_previous`` for a row that was read; makes no call if it gets no ttl."""
        for update in self.expiry_of(previous):
            self._update(update)

    def expiry_of(self, previous: Item | None) -> list[Update]:
        """Like ``expire``, but returns the write for a transaction; empty if the row gets no ttl."""
        if previous is None or "ttl" in previous or previous["status"] not in APPLIED_STATUSES:
            return []
        update = self._expiry(VersionKey.parse(previous["pk"], previous["sk"]))
        return [] if update is None else [update]

    def _expiry(self, previous: VersionKey) -> Update | None:
        expires_at = self._previous_expiry(previous.next())
        if expires_at is None:
            return None
        change = Change(set={"ttl": expires_at})
        guard = absent("ttl") & one_of("status", APPLIED_STATUSES)
        return Update(COMMANDS, previous.pk, previous.sk, change, guard)

    def copy_to_history(self, key: VersionKey) -> bool:
        """Copy the data row, as it is before this version, to history. True: it was copied now."""
        return self.keep(key, self._repository.data(key.entity))

    def keep(self, key: VersionKey, data: Item | None) -> bool:
        """Like ``copy_to_history`` for a data row that was read; a late run finds it already copied."""
        if data is None or data["version"] >= key.version:
            return False
        try:
            self._store.put(HISTORY, self.history_row(key.entity, data), self.free())
        except ConditionFailed:
            return False
        return True

    def history_row(self, key: EntityKey, data: Item) -> Item:
        """The history row of a data row."""
        row = {**data, "sk": VersionKey(key, data["version"]).sk}
        expires_at = self._policies.of(HISTORY).expires_at(key, self._clock.now())
        row.pop("ttl", None)
        if expires_at is not None:
            row["ttl"] = expires_at
        return row

    def write_data(self, command: Item) -> str:
        """The built-in target: write a command's data row, fenced by version, so that a zombie's late write fails.

        A pointer to large attributes is copied unchanged; nothing is downloaded. ``ALREADY_APPLIED``: the data row
        already has a later version.
        """
        key = VersionKey.parse(command["pk"], command["sk"])
        try:
            self._store.put(DATA, self.data_row(command), self.free() | less("version", key.version))
        except ConditionFailed as error:
            is_ours = error.item is not None and error.item["version"] == key.version
            return APPLIED if is_ours else ALREADY_APPLIED
        return APPLIED

    def data_row(self, command: Item) -> Item:
        """The data row for a command's row."""
        key = VersionKey.parse(command["pk"], command["sk"])
        row = business_part(command)
        row.pop("requestId", None)
        row.update(id=stable_id(key.entity), sk=key.entity.sk, cpk=key.pk, csk=key.sk)
        row.pop("ttl", None)
        expires_at = self._policies.of(DATA).expires_at(key.entity, self._clock.now())
        if expires_at is not None:
            row["ttl"] = expires_at
        return row

    def free(self) -> Condition:
        """There is no row, or only one past its ttl, which counts as absent."""
        return absent("pk") | at_most("ttl", int(self._clock.now()))


def stable_id(key: EntityKey) -> str:
    """The data row's id: unique per row, the same in every version."""
    return hashlib.sha256(str(key).encode()).hexdigest()[:32]
