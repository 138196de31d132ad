"""Accepting commands: validation, optimistic concurrency, idempotency, one conditional write."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from handlers.commands import status
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import (
    LATEST,
    NOTHING_STORED,
    Command,
    CommandInput,
    build_command,
    check_expected_version,
    pipeline_fields,
)
from handlers.commands.publishing.entity_types import EntityTypes
from handlers.commands.publishing.requests import RequestLog, content_hash
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import START_GRACE_SECONDS
from handlers.core.context import InvokeContext, caller
from handlers.core.errors import CqrsError, Nature, NotFound, TransientConflict, ValidationError, VersionConflict
from handlers.core.keys import FIRST_VERSION
from handlers.core.log import log_step
from handlers.core.values.arguments import instance
from handlers.core.values.json_values import check_text
from handlers.store.conditions import absent, at_most
from handlers.store.port import COMMANDS, DATA, Check, ConditionFailed, Item, Put, TableStore, TransactionFailed, Write

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.core.clock import Clock

#: Attempts when others publish on the same entity at the same moment.
MAX_ROUNDS = 20
_OUTRUN = f"{{}}: others kept publishing, {MAX_ROUNDS} attempts were lost; try again"
#: Maximum length of ``source``, which names what published a version.
MAX_SOURCE_CHARS = 200
ANY_TYPE = EntityTypes()

#: Checks the latest row before a new version is built on it; may refuse by raising.
Guard = Callable[[EntityKey, Item | None], None]
#: Returns the writes for the same transaction as a new command, given its row.
ExtraWrites = Callable[[Item], Sequence[Write]]


class ExtraWriteRefused(CqrsError):
    """A write that belongs to the new command's transaction was refused by its condition; nothing was written."""

    nature = Nature.TRANSIENT


def new_row_id() -> str:
    """A random id: unique per row, never derived from content."""
    return uuid.uuid4().hex


class CommandPublisher:
    """``publish_async``, and the parts that it shares with ``publish_sync``."""

    def __init__(
        self,
        store: TableStore,
        attributes: AttributeStore,
        clock: Clock,
        *,
        new_id: Callable[[], str] = new_row_id,
        source: str = "api",
        types: EntityTypes = ANY_TYPE,
    ) -> None:
        """``types``: those that the stack accepts (from outside the stack: its output ``entityTypes``)."""
        self._store = store
        self._attributes = attributes
        self._clock = clock
        self._new_id = new_id
        self._types = types
        self._source = check_text("source", source, MAX_SOURCE_CHARS)
        self._rows = CommandRepository(store, clock.now)
        #: For readers: rows including their attributes, wherever these are stored.
        self.repository = CommandRepository(store, clock.now, attributes.decoded)
        self._requests = RequestLog(store, clock.now)

    def publish_async(
        self, given: CommandInput, context: InvokeContext, *, extra_writes: ExtraWrites | None = None
    ) -> Command | None:
        """Accept a new version. The stream starts the pipeline that applies it.

        ``extra_writes``: writes in the command's transaction; a repeated request does not repeat them.

        Returns:
            The accepted command; the first result again for a repeated request id; None if the
            latest version equals the input (nothing is written).

        Raises:
            ValidationError: a field is invalid.
            VersionConflict: the latest version is a different one; carries its row.
            RequestConflict: the request id was used with different content.
            TransientConflict: others kept publishing on the entity; try again.
            ExtraWriteRefused: the condition of an extra write did not hold.
        """
        row, _ = self.accept(given, context, pipeline=_stream_started, extra_writes=extra_writes)
        return None if row is None else Command.from_row(row)

    def publish_partial_async(
        self, pk: str, sk: str, version: int | None, changes: dict[str, Any], context: InvokeContext
    ) -> Command | None:
        """Merge ``changes`` into the latest version and publish the result on ``version``.

        ``changes``: any of ``name``, ``attributes`` (by top-level name; None is stored as null), ``is_deleted``,
        ``seq``. Only business fields are inherited: no status, token, source or request id.

        Raises:
            NotFound: nothing is stored under the key.
            ValidationError, VersionConflict, RequestConflict, TransientConflict: as for ``publish_async``.
        """
        from handlers.commands.publishing.changes import Change

        key = EntityKey.parse(pk, sk)
        if key.tenant_code != caller(context).tenant_code:
            raise ValidationError("pk", pk, f"a key of the caller's tenant {context.tenant_code!r}")
        change = Change.of(key, version, changes)
        # Checked before merging: merged into a later version, a repeated request would have different content.
        first = self._requests.first_result(change.content, key, context)
        if first is not None:
            return Command.from_row(self._attributes.decoded(first))
        for _ in range(MAX_ROUNDS):
            latest = self.whole(self._rows.latest(key))
            if latest is None:
                raise NotFound(f"{key}: nothing is stored, so there is nothing to merge into")
            try:
                row, _ = self.accept(change.onto(latest), context, pipeline=_stream_started, content=change.content)
            except VersionConflict:  # it was merged into a version that is no longer the latest: merge again
                if change.given.version != LATEST:
                    raise
            else:
                return None if row is None else Command.from_row(row)
        raise TransientConflict(_OUTRUN.format(key))

    def accept(
        self,
        given: CommandInput,
        context: InvokeContext,
        *,
        pipeline: Callable[[VersionKey, str, float], dict[str, Any]],
        guard: Guard | None = None,
        extra_writes: ExtraWrites | None = None,
        content: str | None = None,
    ) -> tuple[Item | None, bool]:
        """The shared part: checks in the order request id, version, not dirty; then one write.

        ``content``: the fingerprint of the caller's input, if that isn't ``given`` itself.

        Returns:
            The command's row and whether it was written now (False: a repeated request); (None, False): no change.
        """
        given, context = instance("given", given, CommandInput).checked(), caller(context).checked()
        self._types.check(given.type)
        expected = check_expected_version(given.version)
        key = given.key(context)
        content = content_hash(given) if content is None else content
        data_may_be_absent = expected in (LATEST, NOTHING_STORED)
        for _ in range(MAX_ROUNDS):
            first = self._requests.first_result(content, key, context)
            if first is not None:
                return self._attributes.decoded(first), False
            latest = self._rows.latest_command(key)
            if latest is not None or not data_may_be_absent:
                latest = self._rows.higher(latest, self._rows.data(key))
            actual = latest["version"] if latest is not None else 0
            if latest is not None and actual < FIRST_VERSION:
                raise ValidationError("version", None, f"a data row with a version; {key} was written without one")
            if expected not in (LATEST, actual):
                raise VersionConflict(str(key), expected, actual, self.whole(latest))
            if guard is not None:
                guard(key, latest)
            if latest is not None and self.is_same(latest, given):
                return None, False
            row = self.build(given, VersionKey(key, actual + 1), context, latest, pipeline)
            also_written = () if extra_writes is None else extra_writes(row)
            if self._write(row, content, context, also_written, first=key if latest is None else None):
                return row, True
            data_may_be_absent = False
        raise TransientConflict(_OUTRUN.format(key))

    def result_of_request(self, key: EntityKey, context: InvokeContext) -> Item | None:
        """The row that the caller's request id published, whatever its content; None if new. Raises NotFound."""
        key, context = instance("key", key, EntityKey), caller(context)
        if context.request_id is None:
            return None
        return self.whole(self._requests.result(key.pk, context.request_id))

    def withdraw(self, key: EntityKey, context: InvokeContext) -> Item | None:
        """Make sure that the caller's request id publishes nothing from now on, however late a call with it arrives.

        Returns:
            The row of the command that it has already published, which is kept; None if it had published nothing.

        Raises:
            ValidationError: the context has no request id.
            NotFound: it has published a command, whose row has expired.
        """
        key, context = instance("key", key, EntityKey), caller(context)
        if context.request_id is None:
            raise ValidationError("requestId", None, "the request id to withdraw")
        return self.whole(self._requests.withdraw(key.pk, context.request_id, self._new_id()))

    def whole(self, row: Item | None) -> Item | None:
        """A stored row as readers see it."""
        return None if row is None else self._attributes.decoded(row)

    def build(
        self,
        given: CommandInput,
        key: VersionKey,
        context: InvokeContext,
        latest: Item | None,
        pipeline: Callable[[VersionKey, str, float], dict[str, Any]],
    ) -> Item:
        """The row of a new version. ``latest``: its predecessor; ``pipeline``: key, id and time to pipeline fields."""
        now, row_id = self._clock.now(), self._new_id()
        command = build_command(given, key, context, row_id=row_id, now=now, first=latest, source=self._source)
        return {**command.to_row(), **pipeline(key, row_id, now)}

    def _write(
        self,
        row: Item,
        content: str,
        context: InvokeContext,
        extra_writes: Sequence[Write],
        *,
        first: EntityKey | None,
    ) -> bool:
        """Append the row, after writing its object. False: another writer was faster; retry. Raises ExtraWriteRefused.

        ``first``: the entity, if this is its first row: then the transaction checks that there is no data row either.
        """
        stored = self._attributes.encoded(row)
        free = absent("pk") | at_most("ttl", int(self._clock.now()))
        writes: list[Write] = [Put(COMMANDS, stored, free)]
        if first is not None:
            writes.append(Check(DATA, first.pk, first.sk, free))
        writes.extend(self.request_entry(row, content, context))
        own = len(writes)
        writes.extend(extra_writes)
        try:
            if len(writes) == 1:
                self._store.put(COMMANDS, stored, free)
            else:
                self._store.transact(writes)
        except ConditionFailed as error:
            return self.lost(stored, error.item)
        except TransactionFailed as error:
            is_ours = self.lost(stored, error.failed.get(0))
            if not is_ours and max(error.failed) >= own:
                raise ExtraWriteRefused(f"{row['pk']} {row['sk']}: its related rows have changed") from None
            return is_ours
        except TransientConflict:
            return False
        return True

    def encoded(self, row: Item) -> Item:
        """A row as stored; writes its object, if it has one."""
        return self._attributes.encoded(row)

    def request_entry(self, row: Item, content: str, context: InvokeContext) -> list[Write]:
        """The write that stores the caller's request id and the content's fingerprint; empty without a request id."""
        if context.request_id is None:
            return []
        return [self._requests.entry(Command.from_row(row), content, context.request_id, self._new_id())]

    def lost(self, stored: Item, winner: Item | None) -> bool:
        """Handle a version that is taken. True: by this row, whose write the SDK repeated after a lost response."""
        if winner is not None and winner["id"] == stored["id"]:
            return True
        if winner is not None:
            try:
                self._attributes.discard(stored, winner)
            except Exception as error:  # noqa: BLE001 - boundary: clean-up; the object stays, publishing continues
                log_step("not removed: attributes of a lost publish", level=logging.WARNING, error=error)
        return False

    def is_same(self, latest: Item, given: CommandInput) -> bool:
        """Whether publishing this on the latest row would change nothing."""
        # A skipped version was never applied, so publishing its content again is a change.
        return (
            latest.get("status") != status.SKIPPED
            and latest["name"] == given.name
            and latest["isDeleted"] == given.is_deleted
            and latest.get("seq") == given.seq
            and self._attributes.same(latest, given.attributes)
        )


def _stream_started(key: VersionKey, row_id: str, now: float) -> dict[str, Any]:
    rank = status.rank_of(1, "publish", status.STARTED)
    return pipeline_fields(key, status.ACCEPTED, rank, int(now) + START_GRACE_SECONDS)
