"""``skip``: skip a failed command, so that its successors can proceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.commands import status
from handlers.commands.attempts import Attempts
from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.run import Run
from handlers.commands.repository import CommandRepository, Neighbourhood
from handlers.core.clock import Clock, iso
from handlers.core.errors import NotFound, SkipRefused
from handlers.core.keys import FIRST_VERSION
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.arguments import instance
from handlers.operations import situation as where
from handlers.operations.key_text import pasteable
from handlers.store.port import ConditionFailed, TableStore

if TYPE_CHECKING:
    from handlers.commands.pipeline.failure import FailureRecorder
    from handlers.commands.pipeline.finish import Finisher


@dataclass(frozen=True)
class Skipped:
    """``applied``: the targets that had already applied the command, with their outcomes; they keep it.

    ``woken``: a successor was waiting and continues now. ``expired``: the successor if its wait for this command had
    expired; it doesn't continue automatically, so redrive it.
    """

    key: VersionKey
    attempt: int
    applied: dict[str, str]
    woken: bool
    dry_run: bool
    expired: VersionKey | None = None


class Skipper:
    """Skips one command at a time."""

    def __init__(self, store: TableStore, clock: Clock, finisher: Finisher, recorder: FailureRecorder) -> None:
        self._repository = CommandRepository(store, clock.now)
        self._attempts = Attempts(store, clock)
        self._clock = clock
        self._finisher = finisher
        self._recorder = recorder

    def __call__(self, key: VersionKey, *, dry_run: bool = False) -> Skipped:
        """Skip a command.

        Raises:
            NotFound: the version is not in the log.
            SkipRefused: it is finished or not failed, a run holds it, or its predecessor is not done.
        """
        key = instance("key", key, VersionKey)
        rows = self._repository.neighbourhood(key)
        if rows.own is None:
            raise NotFound(f"{pasteable(key)}: unknown key, this version is not in the log")
        own = rows.own
        reason = refusal(key, rows, self._clock.now())
        if reason is not None:
            raise SkipRefused(f"{pasteable(key)}: not skipped, {reason}")
        applied = where.applied_targets(own, rows.data_version)
        successor = self._repository.command(key.next())
        expired = key.next() if successor is not None and where.has_expired(successor) else None
        if dry_run:
            return Skipped(key, own["attempt"], applied, woken=False, dry_run=True, expired=expired)
        self._recorder.announce(Run(key, own["id"], own["attempt"], run_id="skip"), own)
        try:
            skipped = self._attempts.skip(own)
        except ConditionFailed as failed:
            now = "gone" if failed.item is None else f"{failed.item['status']}, attempt {failed.item['attempt']}"
            raise SkipRefused(f"{pasteable(key)}: not skipped, it changed meanwhile and is {now} now") from None
        woken = self._finisher.complete_tail(key, skipped)
        return Skipped(key, own["attempt"], applied, woken, dry_run=False, expired=expired)


def refusal(key: VersionKey, rows: Neighbourhood, now: float) -> str | None:
    """Why a command may not be skipped, None if it may. ``rows.own`` must exist."""
    own, prev = rows.own, rows.prev
    assert own is not None
    if status.is_done(own):
        return f"it is finished ({own['status']})"
    if where.has_live_lease(own, now):
        return f"a run holds it until {iso(own['leaseUntil'])} ({own['status']}): wait for its end"
    if not status.is_failed(own):
        return f"it is not FAILED but {own['status']}: it may still be applied"
    if prev is not None and not status.is_done(prev):
        return (
            f"its predecessor @{key.version - 1} is not done ({prev['status']}): wait for it, redrive or skip it first"
        )
    follows = key.version == FIRST_VERSION or rows.data_version in (key.version - 1, key.version)
    if prev is None and not follows:
        return f"its predecessor @{key.version - 1} is missing and the data row is at version {rows.data_version}"
    return None
