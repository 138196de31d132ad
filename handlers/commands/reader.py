"""Reading entities: current states, lists, versions, and waiting for a write to be applied."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.commands.model import Command, completed
from handlers.commands.status import SKIPPED, is_done, is_failed
from handlers.core.errors import NotFound, ValidationError
from handlers.core.expiry import is_expired
from handlers.core.key_parts import SEPARATOR
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.arguments import instance, whole_number
from handlers.store.port import COMMANDS, DATA, HISTORY, Item, TableStore

if TYPE_CHECKING:
    from handlers.core.clock import Clock

#: Outcomes of a version. OPEN: none yet.
APPLIED = "APPLIED"
FAILED = "FAILED"
OPEN = "OPEN"
MAX_LIMIT = 1_000
DEFAULT_LIMIT = 100
#: Seconds between polls of ``wait``: short at first, since a command takes a second or two.
FIRST_LOOK, LONGEST_LOOK = 0.1, 2.0
MAX_WAIT_SECONDS = 900


@dataclass(frozen=True)
class VersionState:
    """One version in the log, and its outcome.

    ``outcome``: APPLIED, FAILED, SKIPPED or OPEN. The other fields are as stored; ``error`` is
    ``{type, message, state}`` of a failed version, else None.
    """

    command: Command
    outcome: str
    status: str
    attempt: int
    targets: dict[str, Any]
    error: dict[str, Any] | None


Commands = list[Command]
Versions = list[VersionState]


@dataclass(frozen=True)
class Listing:
    """A page. ``cursor``: pass it to the next call; None on the last page."""

    items: Commands
    cursor: str | None


class EntityReader:
    """Strongly consistent reads of entities, including large attributes; rows past their ttl count as absent.

    The state of an entity is returned as the command that produced it: same key, version and content.
    """

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        decoded: Callable[[Item], Item],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``decoded``: ``AttributeStore.decoded``."""
        self._store = store
        self._clock = clock
        self._decoded = decoded
        self._sleep = sleep

    def get(self, key: EntityKey, *, deleted: bool = False) -> Command | None:
        """The applied state of an entity, None if there is none. ``deleted``: also return a deleted entity."""
        key = instance("key", key, EntityKey)
        row = self._live(self._store.get(DATA, key.pk, key.sk))
        return None if row is None or (row["isDeleted"] and not deleted) else self._entity(row)

    def list(
        self,
        tenant_code: str,
        type_: str,
        *,
        prefix: str = "",
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        deleted: bool = False,
        kind: str = DEFAULT_KIND,
    ) -> Listing:
        """Entities of a type, ordered by code, whose code starts with ``prefix``.

        A page has ``limit`` entities unless it is the last. An entity that exists throughout is listed exactly once,
        despite concurrent writes.

        Raises:
            ValidationError: a part of the key, the limit (1 to 1,000) or the cursor is not allowed.
        """
        first = EntityKey.of_caller(kind, tenant_code, type_, "-")
        begin = f"{first.type}{SEPARATOR}{prefix}"
        most, start = whole_number("limit", limit, 1, MAX_LIMIT), _start(cursor, first.pk, begin)
        found: Commands = []
        while True:
            page = self._store.query(DATA, first.pk, sk_prefix=begin, limit=most, start=start)
            for row in page.items:
                whole = self._live(row) if "csk" in row else None  # others are rows of a handler
                if whole is not None and (deleted or not whole["isDeleted"]):
                    found.append(self._entity(whole))
                    if len(found) == most:
                        return Listing(found, _cursor(row["pk"], row["sk"]))
            start = page.next_key
            if start is None:
                return Listing(found, None)

    def history(self, key: EntityKey, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Listing:
        """The states of the read model, newest first, beginning with the current one.

        Raises:
            ValidationError: the limit or the cursor is not allowed.
        """
        key, most = instance("key", key, EntityKey), whole_number("limit", limit, 1, MAX_LIMIT)
        start = _start(cursor, key.pk, key.version_prefix)
        found: Commands = []
        current = self.get(key, deleted=True) if start is None else None
        if current is not None:
            found.append(current)
            start = {"pk": current.pk, "sk": current.sk}  # it may be in history by now
        while len(found) < most:
            page = self._store.query(
                HISTORY, key.pk, sk_prefix=key.version_prefix, descending=True, limit=most - len(found), start=start
            )
            rows = (self._live(row) for row in page.items)
            found.extend(Command.from_row(self._decoded(row)) for row in rows if row is not None)
            start = page.next_key
            if start is None:
                return Listing(found, None)
        return Listing(found, _cursor(key.pk, found[-1].sk))

    def versions(self, key: EntityKey, *, limit: int = DEFAULT_LIMIT, before: int | None = None) -> Versions:
        """Every known version, newest first: from the log or, if its row there has expired, from the states of the read
        model. ``before``: only lower versions.

        Raises:
            ValidationError: the limit or the version is not allowed.
        """
        key, most = instance("key", key, EntityKey), whole_number("limit", limit, 1, MAX_LIMIT)
        start = None if before is None else {"pk": key.pk, "sk": key.version_sk(before)}
        found: dict[int, VersionState] = {}
        for table in (HISTORY, COMMANDS):  # the log has more details, so it comes last and wins
            for row in self._newest(table, key, most, start):
                found[row["version"]] = self._state(row) if table == COMMANDS else self._past(row)
        current = self.get(key, deleted=True)
        if current is not None and current.version not in found and (before is None or current.version < before):
            found[current.version] = VersionState(current, APPLIED, "", 1, {}, None)
        return [found[version] for version in sorted(found, reverse=True)[:most]]

    def version(self, key: EntityKey, version: int) -> VersionState | None:
        """One version in the log; None if it doesn't exist or has expired."""
        wanted = VersionKey(instance("key", key, EntityKey), version)
        row = self._live(self._store.get(COMMANDS, wanted.pk, wanted.sk))
        return None if row is None else self._state(row)

    def pending(self, key: EntityKey) -> Versions:
        """The versions above the applied one, in order: in progress, waiting or failed."""
        key = instance("key", key, EntityKey)
        data = self._live(self._store.get(DATA, key.pk, key.sk))
        applied = 0 if data is None else data["version"]
        newest_first = (row for row in self._log(key) if row["version"] > applied)
        return [self._state(row) for row in reversed(list(newest_first)) if not is_done(row)]

    def wait(self, command: Command, timeout: float) -> VersionState:
        """Poll until the version has an outcome, for at most ``timeout`` seconds (up to 900).

        Returns the latest state: ``outcome`` is OPEN after a timeout. After APPLIED, every read by this reader includes
        the version.

        Raises:
            ValidationError: the timeout is not allowed.
            NotFound: the version is neither in the log nor in the read model.
        """
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 <= timeout <= MAX_WAIT_SECONDS:
            raise ValidationError("timeout", timeout, f"seconds from 0 to {MAX_WAIT_SECONDS}")
        key = instance("command", command, Command).key
        until, pause = self._clock.now() + timeout, FIRST_LOOK
        while True:
            state = self._state_or_applied(command, key)
            left = until - self._clock.now()
            if state.outcome != OPEN or left <= 0:
                return state
            self._sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_LOOK)

    def _state_or_applied(self, command: Command, key: VersionKey) -> VersionState:
        state = self.version(key.entity, key.version)
        if state is not None:
            return state
        data = self._live(self._store.get(DATA, key.entity.pk, key.entity.sk))
        if data is None or data["version"] < key.version:
            raise NotFound(f"{key}: neither in the log nor in the read model")
        return VersionState(command, APPLIED, "", 1, {}, None)  # its row has expired

    def _newest(self, table: str, key: EntityKey, most: int, start: Item | None) -> Iterator[Item]:
        """Up to ``most`` rows of a table that haven't expired, newest first."""
        while most > 0:
            page = self._store.query(
                table, key.pk, sk_prefix=key.version_prefix, descending=True, limit=most, start=start
            )
            for row in map(self._live, page.items):
                if row is not None:
                    most -= 1
                    yield row
            start = page.next_key
            if start is None:
                return

    def _past(self, row: Item) -> VersionState:
        return VersionState(Command.from_row(self._decoded(row)), APPLIED, "", 1, {}, None)

    def _log(self, key: EntityKey) -> Iterator[Item]:
        """The rows of the versions, newest first, down to the first that is DONE: all earlier ones are DONE as well."""
        start: Item | None = None
        while True:
            page = self._store.query(
                COMMANDS, key.pk, sk_prefix=key.version_prefix, descending=True, limit=DEFAULT_LIMIT, start=start
            )
            for row in map(self._live, page.items):
                if row is not None:
                    yield row
                    if is_done(row):
                        return
            start = page.next_key
            if start is None:
                return

    def _state(self, row: Item) -> VersionState:
        status = row["status"]
        if status == SKIPPED:
            outcome = SKIPPED.upper()
        else:
            outcome = APPLIED if is_done(row) else FAILED if is_failed(row) else OPEN
        command = Command.from_row(self._decoded(row))
        error = row.get("error")
        return VersionState(command, outcome, status, row["attempt"], row["targets"], error)

    def _entity(self, row: Item) -> Command:
        return Command.from_row({**self._decoded(row), "pk": row.get("cpk", row["pk"]), "sk": row["csk"], "ttl": None})

    def _live(self, row: Item | None) -> Item | None:
        return None if row is None or is_expired(row, self._clock.now()) else completed(row)


def _cursor(pk: str, sk: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([pk, sk]).encode()).decode()


def _start(cursor: str | None, pk: str, sk_prefix: str) -> Item | None:
    """The key after which a page begins. Raises ValidationError: the cursor isn't one of this list."""
    if cursor is None:
        return None
    try:
        given_pk, given_sk = json.loads(base64.urlsafe_b64decode(instance("cursor", cursor, str).encode()))
    except (binascii.Error, ValueError, TypeError):
        given_pk, given_sk = None, None
    if given_pk != pk or not isinstance(given_sk, str) or not given_sk.startswith(sk_prefix):
        raise ValidationError("cursor", cursor, "the cursor of an earlier page of the same list")
    return {"pk": given_pk, "sk": given_sk}
