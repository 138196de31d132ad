"""Combined writes for a command that is applied in one pass: fewer than the states make, with the same conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.options import TERMINAL
from handlers.commands import status
from handlers.commands.pipeline.run import INDEX_MARKS, WAIT_MARKS, Progress, Run
from handlers.store.port import Change, Item, TableStore

if TYPE_CHECKING:
    from handlers.commands.keys import VersionKey
    from handlers.core.clock import Clock
    from handlers.store.conditions import Path

#: Most outcomes of targets in one update, whose expression is limited to 4 KB (Developer Guide, "Quotas").
MOST_OUTCOMES = 20
INLINE_RUN = "inline"


class InlineProgress(Progress):
    """``Progress`` that writes only terminal statuses."""

    def __init__(self, store: TableStore, clock: Clock, *, lease_seconds: int) -> None:
        super().__init__(store, clock, lease_seconds=lease_seconds, detail=TERMINAL)

    def finished(self, run: Run, outcomes: Mapping[Path, Any], *, claimed: bool) -> Item:
        """Write DONE and close the command in one write. Raises LostRun.

        ``claimed`` False: the condition is that no other run holds the command. Read the successor afterwards: it is in
        the ``open`` index itself until it is applied, so a crash in between strands nothing (decision record 0260).
        """
        guard = run.own & run.open & (run.claimed if claimed else run.unclaimed_by_others(self._clock.now()))
        change = Change(
            set={
                **self._status(run, status.FINISH, status.FINISHED),
                "runId": run.run_id,
                **self._lease(status.FINISH),
            },
            set_once=outcomes,
            remove=(*WAIT_MARKS, *INDEX_MARKS),
        )
        return self._guarded(run, guard, change)

    def note(self, run: Run, outcomes: Mapping[Path, Any]) -> None:
        """Store the outcomes of targets so far, and renew the lease. Raises LostRun."""
        change = Change(set=self._lease(status.SYNC_DATA), set_once=outcomes)
        self._guarded(run, run.own & run.open & run.claimed, change)

    def release(self, run: Run) -> Item:
        """Release the claim, so that a state machine can continue at once. Raises LostRun."""
        return self._guarded(run, run.own & run.open & run.claimed, Change(remove=("runId", "leaseUntil")))


def inline_run(key: VersionKey, row: Item) -> Run:
    """The run of one attempt: the same on every delivery of its record, so that a redelivery finds its own claim."""
    return Run(key, row["id"], row["attempt"], f"{INLINE_RUN}:{row['id']}:{row['attempt']}")
