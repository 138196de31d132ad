"""One run of the pipeline, and the conditional writes through which it may touch its command.

Every status write, lease renewal and outcome goes through ``Progress``. Its conditions are what keeps
a late, repeated or dead run harmless: same row id, same attempt, not FAILED, and the claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.clock import Clock
from handlers.commands import status
from handlers.errors import CqrsError
from handlers.keys import VersionKey
from handlers.store.conditions import Condition, Path, absent, at_most, equals, less
from handlers.store.port import COMMANDS, Change, ConditionFailed, Item, TableStore

FULL = "full"
TERMINAL = "terminal"


class LostRun(CqrsError):
    """This run may not write any more: the row is gone, finished, failed, or claimed by another run."""

    def __init__(self, row: Item | None) -> None:
        super().__init__("the command belongs to another run")
        self.row = row


@dataclass(frozen=True, slots=True)
class Run:
    """Who works on what: one attempt of one command. ``run_id`` is the same in every state of an execution."""

    key: VersionKey
    id: str
    attempt: int
    run_id: str

    @property
    def own(self) -> Condition:
        """The row is still the one and the attempt that this run was started for."""
        return equals("id", self.id) & equals("attempt", self.attempt)

    @property
    def open(self) -> Condition:
        """Neither DONE nor FAILED in this attempt: both have ranks above all working states."""
        return less("rank", status.rank_of(self.attempt, status.FINISH, status.STARTED))

    @property
    def claimed(self) -> Condition:
        """This run holds the claim."""
        return equals("runId", self.run_id)

    def unclaimed_by_others(self, now: float) -> Condition:
        """No other run holds a live claim."""
        return absent("runId") | self.claimed | at_most("leaseUntil", int(now))


class Progress:
    """Writes the progress of runs. ``detail``: ``full`` writes STARTED and FINISHED of each state."""

    def __init__(self, store: TableStore, clock: Clock, *, lease_seconds: int, detail: str) -> None:
        self._store = store
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._full = detail == FULL

    def note_check(self, run: Run) -> None:
        """``check_version:STARTED``; without effect when the row is beyond it."""
        if not self._full:
            return
        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now())
        new = self._status(run, status.CHECK_VERSION, status.STARTED)
        self._update_if(run, guard, new)

    def claim(self, run: Run, known: Item) -> Item:
        """Take the command for this run, or renew the claim. Raises LostRun."""
        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now())
        change = Change(
            set={"runId": run.run_id, **self._lease(status.CHECK_VERSION)},
            remove=("taskToken", "tokenEnteredAt"),
        )
        phase = self._status(run, status.CHECK_VERSION, status.FINISHED) if self._full else None
        return self._write(run, guard, change, phase, known_rank=known["rank"])

    def enter(self, run: Run, state: str) -> Item:
        """Renew the lease on entry of a state and get the row. Raises LostRun."""
        guard = run.own & run.open & run.claimed
        phase = self._status(run, state, status.STARTED) if self._full else None
        return self._write(run, guard, Change(set=self._lease(state)), phase)

    def leave(self, run: Run, state: str, outcome: Mapping[Path, Any] | None = None) -> None:
        """Record the end of a state, with its outcome. Raises LostRun."""
        if not self._full and not outcome:
            return
        guard = run.own & run.open & run.claimed
        change = Change(set={**(outcome or {}), **self._lease(state)})
        phase = self._status(run, state, status.FINISHED) if self._full else None
        self._write(run, guard, change, phase)

    def done(self, run: Run) -> Item:
        """Write DONE. Raises LostRun, whose row tells whether it is DONE already."""
        change = Change(
            set={**self._status(run, status.FINISH, status.STARTED), **self._lease(status.FINISH)},
            remove=("taskToken", "tokenEnteredAt"),
        )
        return self._guarded(run, run.own & run.open & run.claimed, change)

    def tail_finished(self, run: Run) -> None:
        """Write ``finish:FINISHED`` and take the command out of the ``open`` index."""
        finished = self._status(run, status.FINISH, status.FINISHED)
        guard = equals("id", run.id) & equals("status", status.status_of(status.FINISH, status.STARTED))
        self._update_if(run, guard, finished, remove=("openShard", "dueAt"))

    def wait(self, run: Run, token: str, entered_at: str) -> Item:
        """Store the token of a wait that was entered at ``entered_at``. Raises LostRun."""
        now = self._clock.now()
        older = absent("taskToken") | at_most("tokenEnteredAt", entered_at)
        guard = run.own & run.open & run.unclaimed_by_others(now) & older
        change = Change(
            set={"taskToken": token, "tokenEnteredAt": entered_at, "runState": status.WAIT_PREV_COMMAND},
            set_once={"waitingSince": int(now)},
        )
        return self._write(run, guard, change, self._status(run, status.WAIT_PREV_COMMAND, status.STARTED))

    def fail(self, run: Run, state: str, error: Mapping[str, Any], *, alarm: bool) -> Item:
        """Write ``<state>:FAILED`` and release the claim. Raises LostRun if the write did not win."""
        now = self._clock.now()
        guard = run.own & run.open & run.unclaimed_by_others(now)
        failed = self._status(run, state, status.FAILED)
        silent: dict[Path, Any] = {} if alarm else {"alarmedAt": int(now)}
        remove = ("runId", "leaseUntil", "taskToken", "tokenEnteredAt", *(() if alarm else ("openShard", "dueAt")))
        return self._guarded(run, guard, Change(set={**failed, "error": dict(error), **silent}, remove=remove))

    def alarmed(self, run: Run) -> None:
        """Note that the alarm of this failure is out; the command leaves the ``open`` index."""
        guard = run.own & equals("rank", status.rank_of(run.attempt, status.CHECK_VERSION, status.FAILED))
        self._update_if(run, guard, {"alarmedAt": int(self._clock.now())}, remove=("openShard", "dueAt"))

    # -- inside -------------------------------------------------------------------------------------

    def _lease(self, state: str) -> dict[Path, Any]:
        return {"leaseUntil": int(self._clock.now()) + self._lease_seconds, "runState": state}

    @staticmethod
    def _status(run: Run, state: str, phase: str) -> dict[Path, Any]:
        return {"status": status.status_of(state, phase), "rank": status.rank_of(run.attempt, state, phase)}

    def _write(
        self, run: Run, guard: Condition, change: Change, new: Mapping[Path, Any] | None, known_rank: int = 0
    ) -> Item:
        """Apply ``change``, with the status if that raises the rank and without it otherwise."""
        if new is not None and known_rank < new["rank"]:
            raised = Change({**change.set, **new}, change.set_once, change.add, change.remove)
            try:
                return self._update(run, raised, guard & less("rank", new["rank"]))
            except ConditionFailed as error:
                if not guard.holds(error.item):
                    raise LostRun(error.item) from None
        return self._guarded(run, guard, change)

    def _guarded(self, run: Run, guard: Condition, change: Change) -> Item:
        try:
            return self._update(run, change, guard)
        except ConditionFailed as error:
            raise LostRun(error.item) from None

    def _update_if(self, run: Run, guard: Condition, new: Mapping[Path, Any], remove: tuple[str, ...] = ()) -> None:
        """A write that is silently skipped when its condition does not hold: the row is beyond it."""
        raising = less("rank", new["rank"]) if "rank" in new else None
        try:
            self._update(run, Change(set=new, remove=remove), guard if raising is None else guard & raising)
        except ConditionFailed:
            return

    def _update(self, run: Run, change: Change, condition: Condition) -> Item:
        return self._store.update(COMMANDS, run.key.pk, run.key.sk, change, condition)
