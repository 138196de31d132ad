"""``finish``: the predecessor's half of the handshake, and completion of a tail that a crash left open.

In this order: write DONE (``finish:STARTED``); strongly consistent read of the successor; wake it if
it waits; ``finish:FINISHED``. If only terminal statuses are written and there is no successor, one
transaction does all of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handlers.commands import status
from handlers.commands.pipeline.run import LostRun, Progress, Run

if TYPE_CHECKING:
    from handlers.commands.keys import VersionKey
    from handlers.commands.pipeline.successor import Waker
    from handlers.commands.repository import CommandRepository
    from handlers.store.conditions import Path
    from handlers.store.port import Item


class Finisher:
    """The state, and completion of its tail by others (a repeated run, the sweeper)."""

    def __init__(self, repository: CommandRepository, progress: Progress, waker: Waker) -> None:
        self._repository = repository
        self._progress = progress
        self._waker = waker

    def __call__(self, run: Run, outcomes: Mapping[Path, Any] | None = None) -> dict[str, Any]:
        """Write DONE and wake the successor. Raises LostRun.

        ``outcomes``: entries of ``targets`` that are not stored yet.
        """
        if not self._progress.shows_every_state and self._progress.done_without_successor(run, outcomes):
            return {"result": "done", "woken": False}
        try:
            row = self._progress.done(run, outcomes)
        except LostRun as lost:
            if lost.row is None or lost.row["id"] != run.id or not status.is_done(lost.row):
                raise
            row = lost.row
        woken = self.complete_tail(run.key, row)
        return {"result": "done", "woken": woken}

    def complete_tail(self, key: VersionKey, row: Item) -> bool:
        """Wake the successor of a DONE command and close the command, if still open. True: a successor was woken."""
        if not status.tail_is_missing(row):
            return False
        successor = self._repository.command(key.next())
        woken = successor is not None and self._waker.wake(successor, key.version)
        self._progress.tail_finished(Run(key, row["id"], row["attempt"], row.get("runId", "")))
        return woken
