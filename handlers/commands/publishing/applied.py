"""Accepts a version and applies it to the read model in one transaction, for imports that publish synchronously.

If the type has no other sync targets, this also finishes the command. Otherwise the command stays open with a claim,
as in ``publish_sync``: its targets are called at once, and after a crash the sweeper takes over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from contract.rows import SYNC_MODE
from contract.targets import BUILT_IN
from handlers.commands import status
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.apply import APPLIED, Applier
from handlers.commands.pipeline.failing_part import naming_state
from handlers.commands.pipeline.inline import recorded
from handlers.commands.publishing.claims import claimed_fields, own_run
from handlers.commands.publishing.publisher import CommandPublisher, ExtraWriteRefused, ExtraWrites
from handlers.commands.publishing.requests import content_hash
from handlers.commands.repository import CommandRepository
from handlers.core.clock import Clock, iso
from handlers.core.errors import PendingVersions, RequestConflict, TransientConflict, VersionConflict
from handlers.core.light_dataclasses import dataclass
from handlers.store.conditions import equals
from handlers.store.port import COMMANDS, DATA, HISTORY, Item, Put, TableStore, TransactionFailed, Write

if TYPE_CHECKING:
    from handlers.commands.pipeline.failure import FailureRecorder
    from handlers.commands.pipeline.run import Progress, Run
    from handlers.commands.pipeline.sync import Synchroniser
    from handlers.core.context import InvokeContext

#: Retries on conflicts with other transactions that write the same counter.
MAX_CONFLICTS = 20


@dataclass(frozen=True)
class Seen:
    """An entity as read: its latest command, and its data row."""

    key: EntityKey
    command: Item | None
    data: Item | None

    @property
    def latest(self) -> Item | None:
        """The row with the higher version."""
        return CommandRepository.higher(self.command, self.data)

    @property
    def version(self) -> int:
        """The latest version; 0: nothing is stored."""
        return 0 if self.latest is None else int(self.latest["version"])


class AppliedPublisher:
    """Publishes with two reads and one transaction per version."""

    def __init__(self, store: TableStore, publisher: CommandPublisher, applier: Applier, clock: Clock) -> None:
        self._store = store
        self._publisher = publisher
        self._applier = applier
        self._clock = clock
        self._rows = CommandRepository(store, clock.now)

    def read_ahead(self, keys: Collection[EntityKey]) -> dict[EntityKey, Item | None]:
        """The data rows of several entities, for ``seen``; one that was not read is missing."""
        return self._rows.data_of(keys)

    def seen(self, key: EntityKey, ahead: dict[EntityKey, Item | None] | None = None) -> Seen:
        """Read the entity; rows are returned as stored.

        The command is read last, so its content isn't older than the data row, which may be written before its command
        is done. For the same reason the data row may be one of ``read_ahead``, each of which is used once: a later
        version shows in the command, and ``publish`` writes nothing unless the data row is still the one that was seen.
        """
        data = ahead.pop(key) if ahead and key in ahead else self._rows.data(key)
        return Seen(key, self._rows.latest_command(key), data)

    def latest(self, seen: Seen) -> Command | None:
        """The latest version, as strategies see it."""
        row = self._publisher.whole(seen.latest)
        return None if row is None else Command.from_row({**row, "sk": VersionKey(seen.key, row["version"]).sk})

    def is_same(self, seen: Seen, given: CommandInput) -> bool:
        """Whether the latest version already has this content."""
        return seen.latest is not None and self._publisher.is_same(seen.latest, given)

    def publish(
        self,
        seen: Seen,
        given: CommandInput,
        context: InvokeContext,
        extra_writes: ExtraWrites,
        *,
        lease_seconds: int | None = None,
    ) -> Item:
        """Write the version after the one that was seen, apply it, and return the command's row.

        ``lease_seconds``: the command has targets besides the read model, so it stays open with a claim of this length.

        Raises:
            PendingVersions: the version that was seen isn't applied.
            VersionConflict: it is no longer the latest; read again.
            ExtraWriteRefused: the condition of an extra write did not hold.
            RequestConflict: the request id was used for a different request.
            TransientError: retry.
        """
        if seen.command is seen.latest and seen.command is not None and not status.is_done(seen.command):
            raise PendingVersions(str(seen.key), seen.version, seen.command["status"])

        def pipeline(key: VersionKey, row_id: str, now: float) -> dict[str, Any]:
            return self._finished() if lease_seconds is None else claimed_fields(key, row_id, now, lease_seconds)

        row = self._publisher.build(given, VersionKey(seen.key, seen.version + 1), context, seen.latest, pipeline)
        stored = self._publisher.encoded(row)
        entry = self._publisher.request_entry(row, content_hash(given), context)
        history = self._applier.history_row(seen.key, seen.data) if seen.data is not None else None
        free = self._applier.free()
        same = free if seen.data is None else equals("version", seen.data["version"])
        # The data row is fenced by the version that was seen, so that the history contains exactly what is replaced.
        replaced = Put(DATA, self._applier.data_row(stored), same)
        own: list[Write] = [Put(COMMANDS, stored, free), replaced, *entry]
        own += self._applier.expiry_of(seen.command)
        also_written = extra_writes(row)
        for _ in range(MAX_CONFLICTS):
            kept: list[Write] = [] if history is None else [Put(HISTORY, history, free)]
            try:
                self._store.transact([*own, *also_written, *kept])
            except TransactionFailed as error:
                if self._publisher.lost(stored, error.failed.get(0)):
                    return row
                if history is not None and set(error.failed) == {len(own) + len(also_written)}:
                    history = None  # already copied
                    continue
                self._explain(seen, own, len(also_written), error, context)
            except TransientConflict:
                continue
            return row
        raise TransientConflict(f"{seen.key}: other writers kept changing it; try again")

    def _explain(
        self, seen: Seen, own: Sequence[Write], extra: int, error: TransactionFailed, context: InvokeContext
    ) -> None:
        if any(len(own) <= index < len(own) + extra for index in error.failed):
            raise ExtraWriteRefused(f"{seen.key}@{seen.version + 1}: its related rows have changed") from None
        if set(error.failed) == {2} and context.request_id is not None:
            raise RequestConflict(f"requestId {context.request_id!r} was used for something else; use a new id")
        raise VersionConflict(str(seen.key), seen.version, seen.version + 1) from None

    def _finished(self) -> dict[str, Any]:
        rank = status.rank_of(1, status.FINISH, status.FINISHED)
        applied = {"outcome": APPLIED, "attempt": 1, "at": iso(self._clock.now())}
        finished = status.status_of(status.FINISH, status.FINISHED)
        fields = {"status": finished, "rank": rank, "attempt": 1, "targets": {BUILT_IN: applied}}
        return {**fields, SYNC_MODE: True}


class InlineTargets:
    """Calls the targets other than the read model, for a command whose data row is already written."""

    def __init__(
        self, progress: Progress, synchroniser: Synchroniser, record_failure: FailureRecorder, *, lease_seconds: int
    ) -> None:
        """``progress``: with terminal statuses only."""
        self._progress = progress
        self._synchroniser = synchroniser
        self._record_failure = record_failure
        self.lease_seconds = lease_seconds

    def of(self, type_: str) -> list[str]:
        """The targets of a type other than the read model."""
        targets = (entry["target"] for entry in self._synchroniser.targets(type_))
        return [target for target in targets if target != BUILT_IN]

    def run(self, command: Item, *, again: bool = False) -> None:
        """Deliver the command to its targets and finish it. ``again``: renew the claim first.

        The sweeper wakes a successor that was published meanwhile: the function may not call state machines.

        Raises:
            LostRun: another run works on it. TransientError: repeat the call. A handler's error: the command is FAILED.
        """
        key = VersionKey.parse(command["pk"], command["sk"])
        run = own_run(key, command["id"], command["attempt"])
        with recorded(run, self._record_failure):
            if again:
                self._progress.claim(run, command)
            with naming_state(status.SYNC_DATA):
                for target in self.of(key.entity.type):
                    self._synchroniser.sync(run, target)
            with naming_state(status.FINISH):
                self._finish(run)

    def _finish(self, run: Run) -> None:
        applied = self._synchroniser.built_in_outcome(run, [{"target": BUILT_IN, "outcome": APPLIED}])
        if not self._progress.done_without_successor(run, applied):
            self._progress.done(run, applied)
