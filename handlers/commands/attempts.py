"""Operators' actions on a FAILED command: a new attempt, or a skip. One conditional write each.

The condition is the failure that the operator saw: same row, same attempt, FAILED, and not claimed by a run. If two
operators, or an operator and a late run, act at once, one wins and the other changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.rows import RESTART
from handlers.commands import status
from handlers.commands.starter import START_GRACE_SECONDS
from handlers.core.keys import open_shard
from handlers.store.conditions import Condition, Path, absent, at_most, equals, exists, less
from handlers.store.port import COMMANDS, Change, Item, TableStore

if TYPE_CHECKING:
    from handlers.core.clock import Clock

#: Fields that belong to one attempt. ``targets`` isn't one: targets that have applied the command aren't called again.
OF_THE_ATTEMPT = (
    "error",
    "alarmedAt",
    "runId",
    "leaseUntil",
    "runState",
    "waitingSince",
    "parkedAt",
    "taskToken",
    "tokenEnteredAt",
    "ttl",
)


class Attempts:
    """The writes. They raise ``ConditionFailed``, which carries the current row."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin_next(self, row: Item) -> Item:
        """Begin a new attempt of a FAILED command: status accepted, restarts at zero, back in the ``open`` index."""
        attempt = row["attempt"] + 1
        new: dict[Path, Any] = {
            "attempt": attempt,
            "status": status.ACCEPTED,
            "rank": status.rank_of(attempt, status.PUBLISH, status.STARTED),
            RESTART: 0,
            **self._open(row, START_GRACE_SECONDS),
        }
        return self._update(row, Change(set=new, remove=OF_THE_ATTEMPT), self._seen_failed(row))

    def skip(self, row: Item) -> Item:
        """Mark a FAILED command as DONE without applying it.

        The same write adds it to the ``open`` index, so that the sweeper finds it if the caller crashes before waking
        the successor.
        """
        new: dict[Path, Any] = {
            "status": status.SKIPPED,
            "rank": status.skipped_rank(row["attempt"]),
            **self._open(row, 0),
        }
        return self._update(row, Change(set=new), self._seen_failed(row))

    def restart_wait(self, row: Item) -> Item:
        """Restart the wait limit of a waiting command. It must still be waiting, in the same attempt."""
        still_waits = (
            equals("id", row["id"])
            & equals("attempt", row["attempt"])
            & exists("waitingSince")
            & less("rank", status.rank_of(row["attempt"], status.SET_TTL_COMMAND, status.STARTED))
        )
        return self._update(row, Change(set={"waitingSince": int(self._clock.now())}), still_waits)

    def _seen_failed(self, row: Item) -> Condition:
        failed = status.rank_of(row["attempt"], status.CHECK_VERSION, status.FAILED)
        unclaimed = absent("runId") | at_most("leaseUntil", int(self._clock.now()))
        return equals("id", row["id"]) & equals("attempt", row["attempt"]) & equals("rank", failed) & unclaimed

    def _open(self, row: Item, seconds: int) -> dict[Path, Any]:
        return {"openShard": open_shard(row["pk"], row["sk"]), "dueAt": int(self._clock.now()) + seconds}

    def _update(self, row: Item, change: Change, condition: Condition) -> Item:
        return self._store.update(COMMANDS, row["pk"], row["sk"], change, condition)
