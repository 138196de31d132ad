"""``finish``: the predecessor's half of the handshake, and the tail that a crash may leave behind.

In this order: write DONE (``finish:STARTED``); strongly consistent read of the successor; wake it if
it waits; ``finish:FINISHED``.
"""

from __future__ import annotations

from typing import Any

from handlers.commands import status
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.commands.pipeline.wait import resume_output
from handlers.commands.repository import CommandRepository
from handlers.keys import VersionKey
from handlers.store.port import Item
from handlers.workflows.port import Workflows


class Finisher:
    """The state, and the completion of its tail by others (a repeated run, the sweeper)."""

    def __init__(self, repository: CommandRepository, progress: Progress, workflows: Workflows) -> None:
        self._repository = repository
        self._progress = progress
        self._workflows = workflows

    def __call__(self, run: Run) -> dict[str, Any]:
        """Write DONE and wake the successor. Raises LostRun."""
        try:
            row = self._progress.done(run)
        except LostRun as lost:
            if lost.row is None or lost.row["id"] != run.id or not status.is_done(lost.row):
                raise
            row = lost.row
        woken = self.complete_tail(run.key, row)
        return {"result": "done", "woken": woken}

    def complete_tail(self, key: VersionKey, row: Item) -> bool:
        """Wake the successor of a DONE command and close it, if that is still to do. True: somebody was woken."""
        if not status.tail_is_missing(row):
            return False
        successor = self._repository.command(key.next())
        token = successor.get("taskToken") if successor is not None else None
        woken = token is not None and self._workflows.resume(token, resume_output(key.version))
        self._progress.tail_finished(Run(key, row["id"], row["attempt"], row.get("runId", "")))
        return woken
