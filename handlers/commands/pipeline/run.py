"""A run of the pipeline, and the conditional writes by which it may change its command.

Every status write, lease renewal and outcome goes through ``Progress``. Its conditions make late, repeated and dead
runs harmless: same row id, same attempt, not FAILED, and the claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.options import FULL
from contract.rows import RESTART
from handlers.commands import status
from handlers.commands.keys import VersionKey
from handlers.core.errors import CqrsError, TransientConflict
from handlers.core.keys import check_version_number
from handlers.core.light_dataclasses import dataclass
from handlers.state_machines.state_payload import check_fields
from handlers.store.conditions import Condition, Path, absent, at_most, equals, exists, less
from handlers.store.port import (
    COMMANDS,
    Change,
    Check,
    ConditionFailed,
    Item,
    TableStore,
    TransactionFailed,
    Update,
)

if TYPE_CHECKING:
    from handlers.core.clock import Clock

#: Fields by which a waiting command can be resumed; removed when it proceeds or ends.
WAIT_MARKS = ("taskToken", "tokenEnteredAt", "parkedAt")
INDEX_MARKS = ("openShard", "dueAt")


class LostRun(CqrsError):
    """This run may no longer write: the row is gone, finished, failed, or claimed by another run."""

    def __init__(self, row: Item | None) -> None:
        super().__init__("the command belongs to another run")
        self.row = row


@dataclass(frozen=True)
class Run:
    """A run: one attempt of one command. ``run_id`` is the same in every state of an execution."""

    key: VersionKey
    id: str
    attempt: int
    run_id: str

    @property
    def own(self) -> Condition:
        """The row still has the id and attempt for which this run was started."""
        return equals("id", self.id) & equals("attempt", self.attempt)

    @property
    def open(self) -> Condition:
        """Neither DONE nor FAILED in this attempt: both have ranks above all other states."""
        return less("rank", status.rank_of(self.attempt, status.FINISH, status.STARTED))

    @property
    def claimed(self) -> Condition:
        """This run holds the claim."""
        return equals("runId", self.run_id)

    def unclaimed_by_others(self, now: float) -> Condition:
        """No other run holds a live claim."""
        return self.claimed | unclaimed(now)


def parse_run(execution_input: Any, run_id: str) -> Run:
    """The run of an execution with input ``{pk, sk, id, attempt}``. Raises ValidationError."""
    given = check_fields(execution_input, ("pk", "sk", "id", "attempt"))
    attempt = check_version_number("Execution.Input.attempt", given["attempt"])
    return Run(VersionKey.parse(given["pk"], given["sk"]), given["id"], attempt, run_id)


def unclaimed(now: float) -> Condition:
    """There is no live claim. A waiting run has none, so a late call of a wait fails once the run has proceeded."""
    return absent("runId") | at_most("leaseUntil", int(now))


class Progress:
    """Writes the progress of runs. ``detail``: ``full`` writes STARTED and FINISHED of each state."""

    def __init__(self, store: TableStore, clock: Clock, *, lease_seconds: int, detail: str) -> None:
        self._store = store
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._full = detail == FULL

    @property
    def shows_every_state(self) -> bool:
        """STARTED and FINISHED are written for each state, even if it changes nothing."""
        return self._full

    def note_check(self, run: Run) -> None:
        """Write ``check_version:STARTED``; without effect if the row has progressed further."""
        if not self._full:
            return
        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now())
        new = self._status(run, status.CHECK_VERSION, status.STARTED)
        self._update_if(run, guard, new)

    def claim(self, run: Run, known: Item) -> Item:
        """Claim the command for this run, or renew the claim. Raises LostRun."""
        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now())
        change = Change(set={"runId": run.run_id, **self._lease(status.CHECK_VERSION)}, remove=WAIT_MARKS)
        phase = self._status(run, status.CHECK_VERSION, status.FINISHED) if self._full else None
        return self._write(run, guard, change, phase, known_rank=known["rank"])

    def enter(self, run: Run, state: str) -> Item:
        """Renew the lease on entry to a state, and return the row. Raises LostRun."""
        guard = run.own & run.open & run.claimed
        phase = self._status(run, state, status.STARTED) if self._full else None
        return self._write(run, guard, Change(set=self._lease(state)), phase)

    def leave(self, run: Run, state: str, outcome: Mapping[Path, Any] | None = None) -> None:
        """Record the end of a state and its outcome. Raises LostRun.

        The first outcome is kept: a call that timed out and finishes late has the same claim as its retry.
        """
        if not self._full and not outcome:
            return
        guard = run.own & run.open & run.claimed
        change = Change(set=self._lease(state), set_once=outcome or {})
        phase = self._status(run, state, status.FINISHED) if self._full else None
        self._write(run, guard, change, phase)

    def done(self, run: Run, outcomes: Mapping[Path, Any] | None = None) -> Item:
        """Write DONE, with outcomes that aren't stored yet. Raises LostRun, whose row shows whether it is DONE."""
        change = Change(
            set={**self._status(run, status.FINISH, status.STARTED), **self._lease(status.FINISH)},
            set_once=outcomes or {},
            remove=WAIT_MARKS,
        )
        return self._guarded(run, run.own & run.open & run.claimed, change)

    def done_without_successor(self, run: Run, outcomes: Mapping[Path, Any] | None = None) -> bool:
        """Write DONE and close the command in one transaction, if no successor exists at that moment.

        A successor that is published later finds this command DONE, so there is nothing to wake (decision record 0050).
        False: nothing was written, because there is a successor or the run may not write; ``done`` distinguishes them.
        """
        change = Change(
            set={**self._status(run, status.FINISH, status.FINISHED), **self._lease(status.FINISH)},
            set_once=outcomes or {},
            remove=(*WAIT_MARKS, *INDEX_MARKS),
        )
        own, successor = run.key, run.key.next()
        try:
            self._store.transact(
                [
                    Update(COMMANDS, own.pk, own.sk, change, run.own & run.open & run.claimed),
                    Check(COMMANDS, successor.pk, successor.sk, absent("pk")),
                ]
            )
        except (TransactionFailed, TransientConflict):
            return False
        return True

    def tail_finished(self, run: Run) -> None:
        """Close a DONE command: ``finish:FINISHED`` unless skipped, and remove it from the ``open`` index."""
        started = equals("status", status.status_of(status.FINISH, status.STARTED))
        finished = self._status(run, status.FINISH, status.FINISHED)
        if self._update_if(run, equals("id", run.id) & started, finished, remove=INDEX_MARKS):
            return
        skipped = equals("id", run.id) & equals("status", status.SKIPPED) & exists("openShard")
        self._update_if(run, skipped, {}, remove=INDEX_MARKS)

    def wait(self, run: Run, token: str, entered_at: int) -> Item:
        """Store the token of a wait that was entered at ``entered_at`` (milliseconds). Raises LostRun."""
        now = self._clock.now()
        older = absent("taskToken") | at_most("tokenEnteredAt", entered_at)
        guard = run.own & run.open & unclaimed(now) & older
        change = Change(
            set={"taskToken": token, "tokenEnteredAt": entered_at, "runState": status.WAIT_PREV_COMMAND},
            set_once={"waitingSince": int(now)},
        )
        return self._write(run, guard, change, self._status(run, status.WAIT_PREV_COMMAND, status.STARTED))

    def park(self, run: Run) -> Item:
        """Mark the command as waiting without an execution; its predecessor's ``finish`` starts it. Raises LostRun."""
        now = self._clock.now()
        change = Change(
            set={"parkedAt": int(now), "runState": status.WAIT_PREV_COMMAND}, set_once={"waitingSince": int(now)}
        )
        guard = run.own & run.open & unclaimed(now)
        return self._write(run, guard, change, self._status(run, status.WAIT_PREV_COMMAND, status.STARTED))

    def restart(self, run: Run, known: int, due_at: int) -> int:
        """Count a restart before it is started, so that its execution gets a new name. Raises LostRun."""
        same = equals(RESTART, known) if known else absent(RESTART) | equals(RESTART, 0)
        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now()) & same
        self._guarded(run, guard, Change(set={RESTART: known + 1, "dueAt": due_at}))
        return known + 1

    def take_back_restart(self, run: Run, count: int, due_at: int) -> None:
        """Undo the count of a restart whose execution was certainly not started."""
        guard = run.own & run.open & equals(RESTART, count)
        self._update_if(run, guard, {RESTART: count - 1, "dueAt": due_at})

    def reschedule(self, run: Run, known: Item, due_at: int) -> None:
        """Make the command due for the sweeper at ``due_at``, unless it has progressed meanwhile."""
        guard = run.own & equals("rank", known["rank"]) & exists("openShard")
        self._update_if(run, guard, {"dueAt": due_at})

    def fail(self, run: Run, state: str, error: Mapping[str, Any]) -> Item:
        """Write ``<state>:FAILED`` and release the claim. Raises LostRun.

        The command stays in the ``open`` index until ``alarmed``.
        """
        guard = run.own & run.open & run.unclaimed_by_others(self._clock.now())
        failed = self._status(run, state, status.FAILED)
        change = Change(set={**failed, "error": dict(error)}, remove=("runId", "leaseUntil", *WAIT_MARKS))
        return self._guarded(run, guard, change)

    def alarmed(self, run: Run) -> None:
        """Record that this failure's or the failed predecessor's alarm was sent, and remove the row from ``open``."""
        guard = run.own & equals("rank", status.rank_of(run.attempt, status.CHECK_VERSION, status.FAILED))
        self._update_if(run, guard, {"alarmedAt": int(self._clock.now())}, remove=INDEX_MARKS)

    def alarmed_when_done(self, run: Run) -> None:
        """Record that a failure after DONE was reported; the command stays in ``open`` until its tail is complete."""
        self._update_if(run, run.own & absent("alarmedAt"), {"alarmedAt": int(self._clock.now())})

    # -- inside -------------------------------------------------------------------------------------

    def _lease(self, state: str) -> dict[Path, Any]:
        return {"leaseUntil": int(self._clock.now()) + self._lease_seconds, "runState": state}

    @staticmethod
    def _status(run: Run, state: str, phase: str) -> dict[Path, Any]:
        return {"status": status.status_of(state, phase), "rank": status.rank_of(run.attempt, state, phase)}

    def _write(
        self, run: Run, guard: Condition, change: Change, new: Mapping[Path, Any] | None, known_rank: int = 0
    ) -> Item:
        """Apply ``change``, including the status only if that raises the rank."""
        if new is not None and known_rank < new["rank"]:
            raised = Change(dict([*change.set.items(), *new.items()]), change.set_once, change.add, change.remove)
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

    def _update_if(self, run: Run, guard: Condition, new: Mapping[Path, Any], remove: Sequence[Path] = ()) -> bool:
        """A write that is skipped if its condition fails because the row has progressed further. True: it was made."""
        raising = less("rank", new["rank"]) if "rank" in new else None
        try:
            self._update(run, Change(set=new, remove=remove), guard if raising is None else guard & raising)
        except ConditionFailed:
            return False
        return True

    def _update(self, run: Run, change: Change, condition: Condition) -> Item:
        return self._store.update(COMMANDS, run.key.pk, run.key.sk, change, condition)
