"""``check_version``: whether a version may be applied now, by rules a to g of docs/spec/pipeline.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.commands import status
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.core.errors import VersionGap, VersionMismatch, WaitExpired
from handlers.core.keys import FIRST_VERSION
from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.commands.pipeline.finish import Finisher
    from handlers.commands.repository import CommandRepository, Neighbourhood
    from handlers.core.clock import Clock
    from handlers.store.port import Item

PROCEED = 0
WAIT = 1
NOTHING_TO_DO = 2
REFUSED = -1


@dataclass(frozen=True)
class Refusal:
    """Why a command fails. Behind a failed or waiting predecessor it raises no alarm of its own at first."""

    error: str
    cause: str
    blocked_by: str | None = None
    alarm: bool = True


def decide(run: Run, rows: Neighbourhood, now: float, wait_limit_seconds: int) -> int | Refusal:
    """The rules as a pure function: the first match wins. PROCEED still requires the claim."""
    own, prev, applied, version = rows.own, rows.prev, rows.data_version, run.key.version
    if own is None or own["id"] != run.id or own["attempt"] != run.attempt or status.is_failed(own):
        return NOTHING_TO_DO
    if status.is_done(own):
        return NOTHING_TO_DO
    if applied > version:
        cause = f"next version must be {applied + 1} but got {version}"
        return Refusal(VersionMismatch.__name__, cause)
    follows = prev is None and applied in (version - 1, version)
    if version == FIRST_VERSION or status.is_done(prev) or follows:
        return PROCEED
    if prev is None:
        cause = f"version {version - 1} is missing and the data row is at version {applied}"
        return Refusal(VersionGap.__name__, cause)
    waiting_since = own.get("waitingSince")
    if waiting_since is not None and now - waiting_since > wait_limit_seconds:
        return _expired(run, prev, wait_limit_seconds)
    return WAIT


def _expired(run: Run, prev: Item, wait_limit_seconds: int) -> Refusal:
    blocked_by = prev.get("error", {}).get("blockedBy") or prev["sk"]
    cause = f"waited more than {wait_limit_seconds // 3600} h for {prev['sk']} ({prev['status']})"
    # A failed predecessor has raised an alarm. A waiting one will most likely expire as well, and so on back to the
    # stuck command, whose direct successor raises the alarm. If the predecessor proceeds after all, the sweeper does.
    return Refusal(
        WaitExpired.__name__, cause, blocked_by, alarm=not (status.is_failed(prev) or status.is_waiting(prev))
    )


class CheckVersion:
    """The state: decides, and claims the command if it may proceed."""

    def __init__(
        self,
        repository: CommandRepository,
        progress: Progress,
        finisher: Finisher,
        clock: Clock,
        *,
        wait_limit_hours: int,
    ) -> None:
        self._repository = repository
        self._progress = progress
        self._finisher = finisher
        self._clock = clock
        self._wait_limit_seconds = wait_limit_hours * 3600

    def __call__(self, run: Run, *, first_entry: bool) -> dict[str, Any]:
        """Returns ``{"result": 0 | 1 | 2 | -1}``; -1 comes with error, cause, blockedBy and alarm."""
        if first_entry:
            self._progress.note_check(run)
        rows = self._repository.neighbourhood(run.key)
        decision = decide(run, rows, self._clock.now(), self._wait_limit_seconds)
        if isinstance(decision, Refusal):
            return {
                "result": REFUSED,
                "error": decision.error,
                "cause": decision.cause,
                "blockedBy": decision.blocked_by,
                "alarm": decision.alarm,
            }
        own = rows.own
        if decision == NOTHING_TO_DO and own is not None and status.is_done(own):
            self._finisher.complete_tail(run.key, own)
        if decision == PROCEED and own is not None:
            try:
                self._progress.claim(run, own)
            except LostRun:
                decision = NOTHING_TO_DO
        return {"result": decision}
