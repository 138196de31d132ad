"""``redrive``: gives a failed command, and those that expired behind it, a new attempt and a new execution."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from handlers.commands import status
from handlers.commands.attempts import Attempts
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.pipeline.run import Run
from handlers.commands.repository import CommandRepository
from handlers.core.errors import NotFound
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step
from handlers.operations import situation as where
from handlers.operations.key_text import pasteable
from handlers.operations.situation import Chain
from handlers.store.port import ConditionFailed, Item, TableStore

if TYPE_CHECKING:
    from handlers.commands.pipeline.failure import FailureRecorder
    from handlers.commands.starter import CommandStarter
    from handlers.core.clock import Clock

REDRIVEN = "REDRIVEN"
WOULD_REDRIVE = "WOULD_REDRIVE"
#: A successor that is still waiting: its wait limit was restarted.
WAIT_RESTARTED = "WAIT_RESTARTED"
WOULD_RESTART_WAIT = "WOULD_RESTART_WAIT"
FINISHED = "FINISHED"
NOT_FAILED = "NOT_FAILED"
#: It was redriven, skipped or finished by someone else between our read and our write.
CHANGED_MEANWHILE = "CHANGED_MEANWHILE"

NOT_STARTED = "not started yet, the sweeper starts it"


@dataclass(frozen=True)
class Redriven:
    """The outcome for one command. ``attempt``: its current one."""

    key: VersionKey
    outcome: str
    attempt: int
    note: str = ""

    @property
    def changed(self) -> bool:
        """Whether something was, or in a dry run would be, written."""
        return self.outcome in (REDRIVEN, WOULD_REDRIVE, WAIT_RESTARTED, WOULD_RESTART_WAIT)


class Redriver:
    """Redrives versions of an entity in version order; entities are independent of each other."""

    def __init__(
        self, store: TableStore, clock: Clock, starter: CommandStarter, recorder: FailureRecorder, *, dry_run: bool
    ) -> None:
        self._repository = CommandRepository(store, clock.now)
        self._attempts = Attempts(store, clock)
        self._clock = clock
        self._starter = starter
        self._recorder = recorder
        self._dry_run = dry_run

    def entity(self, key: EntityKey) -> list[Redriven]:
        """Redrive every failed version of an entity.

        Raises:
            NotFound: no version is in the log.
        """
        rows = self._versions(key)
        failed = [version for version, row in rows.items() if status.is_failed(row)]
        if not failed:
            latest = rows[max(rows)]
            return [self._unchanged(latest)]
        return self._redrive(key, rows, failed)

    def version(self, key: VersionKey) -> list[Redriven]:
        """Redrive one failed version and the successors that expired behind it; restart the limits of those still
        waiting.

        Raises:
            NotFound: the version is not in the log.
        """
        rows = self._versions(key.entity)
        if key.version not in rows:
            raise NotFound(f"{pasteable(key)}: unknown key, this version is not in the log")
        if not status.is_failed(rows[key.version]):
            return [self._unchanged(rows[key.version])]
        return self._redrive(key.entity, rows, [key.version])

    def all(self, keys: Iterable[VersionKey], on_entity: Callable[[int], None] | None = None) -> Iterator[Redriven]:
        """Redrive failed versions of many entities. A version that has changed since it was found is only reported."""
        wanted: dict[EntityKey, list[int]] = {}
        for key in keys:
            wanted.setdefault(key.entity, []).append(key.version)
        for number, (entity, versions) in enumerate(wanted.items(), 1):
            rows = {int(row["version"]): row for row in self._repository.versions(entity)}
            still_failed = [version for version in versions if status.is_failed(rows.get(version))]
            yield from (self._unchanged(rows[v]) for v in sorted(versions) if v in rows and v not in still_failed)
            if still_failed:
                yield from self._redrive(entity, rows, still_failed)
            if on_entity is not None:
                on_entity(number)

    # -- inside -------------------------------------------------------------------------------------

    def _versions(self, key: EntityKey) -> dict[int, Item]:
        rows = {int(row["version"]): row for row in self._repository.versions(key)}
        if not rows:
            raise NotFound(f"{pasteable(key)}: unknown key: the log has no version of it")
        return rows

    def _redrive(self, entity: EntityKey, rows: dict[int, Item], failed: list[int]) -> list[Redriven]:
        data = self._repository.data(entity)
        chain = Chain(rows, int(data["version"]) if data is not None else 0, self._clock.now())
        first = min(failed)
        expired = {v for v in rows if v > first and where.has_expired(rows[v]) and _leads_to(chain, v, failed)}
        outcomes: list[Redriven] = []
        # In reverse order: once the cause is redriven, all that depends on it is open again, even if the caller
        # crashes.
        for version in sorted({*failed, *expired}, reverse=True):
            outcomes.insert(0, self._one(rows[version], chain))
        for version in sorted(rows):
            if version > first and chain.situation_of(version) == where.WAITING:
                outcomes += self._restart_wait(rows[version], chain)
        return outcomes

    def _one(self, row: Item, chain: Chain) -> Redriven:
        key = VersionKey.parse(row["pk"], row["sk"])
        note = _waits_for(chain, key.version)
        if self._dry_run:
            return Redriven(key, WOULD_REDRIVE, row["attempt"] + 1, note)
        self._recorder.announce(Run(key, row["id"], row["attempt"], run_id="redrive"), row)
        try:
            begun = self._attempts.begin_next(row)
        except ConditionFailed as failed:
            return self._changed_meanwhile(key, failed.item)
        return Redriven(key, REDRIVEN, begun["attempt"], self._start(begun) or note)

    def _start(self, row: Item) -> str:
        """Start the execution; returns a note if that failed. The command is in ``open``, so nothing is lost."""
        try:
            self._starter.start(row)
        except Exception as error:  # noqa: BLE001 - boundary: one command; the sweeper starts what was not started
            log_step("redriven, not started", level=logging.WARNING, error=error, pk=row["pk"], sk=row["sk"])
            return f"{NOT_STARTED}: {type(error).__name__}: {error}"
        return ""

    def _restart_wait(self, row: Item, chain: Chain) -> list[Redriven]:
        key = VersionKey.parse(row["pk"], row["sk"])
        if "waitingSince" not in row:
            return []
        if self._dry_run:
            return [Redriven(key, WOULD_RESTART_WAIT, row["attempt"])]
        try:
            self._attempts.restart_wait(row)
        except ConditionFailed as changed:
            if changed.item is not None and where.has_expired(changed.item):
                return [self._one(changed.item, chain)]  # between our read and our write
            return []  # it has already proceeded
        return [Redriven(key, WAIT_RESTARTED, row["attempt"])]

    @staticmethod
    def _unchanged(row: Item) -> Redriven:
        key = VersionKey.parse(row["pk"], row["sk"])
        if status.is_done(row):
            return Redriven(key, FINISHED, row["attempt"], f"it is {row['status']}: nothing changed")
        return Redriven(key, NOT_FAILED, row["attempt"], f"it is {row['status']}, not FAILED: nothing changed")

    @staticmethod
    def _changed_meanwhile(key: VersionKey, row: Item | None) -> Redriven:
        now = "gone" if row is None else f"{row['status']}, attempt {row['attempt']}"
        return Redriven(key, CHANGED_MEANWHILE, row["attempt"] if row else 0, f"it is {now} now: nothing changed")


def _leads_to(chain: Chain, version: int, failed: list[int]) -> bool:
    """Whether the version that an expired one waited for is redriven, or precedes one that is."""
    return chain.root_of_expiry(version) <= max(one for one in failed if one < version)


def _waits_for(chain: Chain, version: int) -> str:
    blocker = chain.blocker_of(version)
    return "" if blocker is None else f"continues once @{blocker.root} is done"
