"""``resync``: hands every row of the read model to one sync target again.

A row is handed over as the command that produced it: same key, version and content. Targets must be conditional on the
version: they apply the same version again, so that a repaired projection is rewritten, and keep a later one. Their
results are counted. The pipeline hands over rows that change meanwhile.

A rebuild first empties the target, and hands over versions that only the log has: those that the target already had and
that aren't applied yet, since the pipeline doesn't deliver them to it again. Commands that are done meanwhile are in
the read model before its rows are read, so a rebuilt target has at least the version of the read model everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command
from handlers.commands.repository import CommandRepository
from handlers.commands.status import DONE_STATUSES
from handlers.commands.targets.registry import APPLIED, SKIPPED
from handlers.core.error_text import message_of, type_of
from handlers.core.errors import TransientError
from handlers.core.expiry import is_expired
from handlers.core.keys import row_id
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step
from handlers.operations.checkpoint import COMPLETED, Checkpoint, Checkpoints
from handlers.store.conditions import Condition, equals, exists, one_of
from handlers.store.port import COMMANDS, DATA, Item, TableStore

if TYPE_CHECKING:
    from handlers.core.clock import Clock

PAGE_ITEMS = 100
#: Tries of one row on transient errors, and the seconds between them.
TRIES = 3
PAUSE_SECONDS = 1.0

#: Handed over without an error, to a target that doesn't report results.
HANDED = "HANDED"
FAILED = "FAILED"
GONE = "GONE"

#: Called after each row with its key, its outcome (one of the above, APPLIED or SKIPPED) and, if it failed, the error.
OnRow = Callable[[str, str, str], None]


class Target(Protocol):
    """A target of the resync."""

    def up(self, command: Command) -> object:
        """Apply one version; may return APPLIED or SKIPPED. Must be conditional on (key, version)."""
        ...


@dataclass(frozen=True)
class ResyncSelection:
    """The rows for a target: of all its types or one of them, of all tenants or one."""

    target: str
    types: tuple[str, ...]
    type: str | None = None
    tenant_code: str | None = None

    @property
    def condition(self) -> Condition:
        """The selection as a filter. It excludes projections that handlers store in ``data``: they have no ``csk``."""
        condition = one_of("type", self.types if self.type is None else (self.type,)) & exists("csk")
        return condition if self.tenant_code is None else condition & equals("tenantCode", self.tenant_code)


class Resync:
    """One run, from the beginning or from the point where an interrupted one stopped.

    Args:
        decoded: ``AttributeStore.decoded``: makes a stored row whole.
        rate: most rows per second; None: no limit.
    """

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        target: Target,
        *,
        decoded: Callable[[Item], Item],
        run_id: str,
        sleep: Callable[[float], None],
        rate: float | None = None,
        page_items: int = PAGE_ITEMS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._repository = CommandRepository(store, clock.now)
        self._checkpoints = Checkpoints(store, clock)
        self._target = target
        self._run_id = run_id
        self._sleep = sleep
        self._rate = rate
        self._page_items = page_items
        self._decoded = decoded

    def run(
        self,
        selection: ResyncSelection,
        *,
        restart: bool = False,
        empty: Callable[[], object] | None = None,
        on_row: OnRow | None = None,
    ) -> Checkpoint:
        """Hand over all rows; the returned checkpoint contains the counts and the failures.

        ``empty``: for a rebuild; removes all that the target has written. It is called before the first row, and again
        after an interruption until it has returned and the log was processed.

        Raises:
            TakenOver: another process is now running the same resync.
        """
        checkpoint = self._checkpoints.begin(
            selection.target, selection.type, selection.tenant_code, self._run_id, restart=restart
        )
        pace = _Pace(self._clock, self._sleep, self._rate)
        if empty is not None and not checkpoint.emptied:
            empty()
            for row in self._in_the_log_alone(selection):
                pace.wait()
                self._turn(row, checkpoint, on_row, partial(self._of_log, row))
            checkpoint.emptied = True
            self._checkpoints.save(checkpoint)
        while True:
            page = self._store.scan(DATA, keep=selection.condition, limit=self._page_items, start=checkpoint.next_key)
            for row in page.items:
                pace.wait()
                self._turn(row, checkpoint, on_row, partial(self._current, row))
            checkpoint.next_key = page.next_key
            if page.next_key is None:
                checkpoint.status = COMPLETED
            self._checkpoints.save(checkpoint)
            if page.next_key is None:
                return checkpoint

    def _in_the_log_alone(self, selection: ResyncSelection) -> Iterator[Item]:
        """Versions that the target already had and that aren't applied, in order per entity."""
        had = exists(("targets", selection.target)) & ~one_of("status", DONE_STATUSES)
        keep, start = one_of("type", selection.types) & had, None
        while True:
            page = self._store.scan(COMMANDS, keep=keep, limit=self._page_items, start=start)
            yield from page.items
            start = page.next_key
            if start is None:
                return

    def _of_log(self, row: Item) -> Command:
        return Command.from_row(self._decoded(row))

    def _current(self, found: Item) -> Command | None:
        """The command of a data row, read again: it may have changed or been removed since its page was read, which is
        long ago with a rate limit.
        """
        row = self._repository.data(EntityKey.parse(found["pk"], found["sk"]))
        return None if row is None else command_of(self._decoded(row))

    def _turn(
        self, found: Item, checkpoint: Checkpoint, on_row: OnRow | None, command_of_row: Callable[[], Command | None]
    ) -> None:
        """Process one row; it gets an outcome in any case."""
        key, error = row_id(found["pk"], found["sk"]), ""
        try:
            key = str(_entity_of(found))
            command = command_of_row()
            outcome = GONE if command is None else self._hand_over(command)
        except Exception as raised:  # noqa: BLE001 - boundary: one row; it is logged, counted and reported
            outcome, error = FAILED, f"{type_of(raised)}: {message_of(raised)}"
            log_step("resync of a row failed", level=logging.ERROR, error=raised, pk=found["pk"], sk=found["sk"])
        if outcome == FAILED:
            checkpoint.note_failure(key, error)
        elif outcome == GONE:
            checkpoint.counts.skipped += 1
        else:
            checkpoint.counts.handed += 1
            checkpoint.counts.applied += outcome == APPLIED
            checkpoint.counts.kept += outcome == SKIPPED
        if on_row is not None:
            on_row(key, outcome, error)

    def _hand_over(self, command: Command) -> str:
        """Hand over a command with retries; returns the target's result."""
        for _ in range(TRIES - 1):
            try:
                return _outcome_of(self._target.up(command))
            except TransientError:
                self._sleep(PAUSE_SECONDS)
        return _outcome_of(self._target.up(command))


def _entity_of(found: Item) -> EntityKey:
    """The entity of a data row or of a command's row."""
    of_data = "csk" in found
    return EntityKey.parse(found["pk"], found["sk"]) if of_data else VersionKey.parse(found["pk"], found["sk"]).entity


def _outcome_of(answer: object) -> str:
    return answer if isinstance(answer, str) and answer in (APPLIED, SKIPPED) else HANDED


def count_rows(store: TableStore, clock: Clock, selection: ResyncSelection) -> int:
    """How many rows a run would hand over (a dry run)."""
    count, start = 0, None
    while True:
        page = store.scan(DATA, keep=selection.condition, limit=PAGE_ITEMS, start=start)
        count += sum(not is_expired(row, clock.now()) for row in page.items)
        start = page.next_key
        if start is None:
            return count


def command_of(row: Item) -> Command:
    """The command that produced a data row: its content, under the command's own key."""
    return Command.from_row({**row, "pk": row.get("cpk", row["pk"]), "sk": row["csk"], "ttl": None})


class _Pace:
    """Spreads rows evenly over time."""

    def __init__(self, clock: Clock, sleep: Callable[[float], None], rate: float | None) -> None:
        self._clock = clock
        self._sleep = sleep
        self._interval = 0.0 if rate is None else 1.0 / rate
        self._next = clock.now()

    def wait(self) -> None:
        """Wait until the next row may be processed."""
        if not self._interval:
            return
        pause = self._next - self._clock.now()
        if pause > 0:
            self._sleep(pause)
        self._next = max(self._next, self._clock.now()) + self._interval
