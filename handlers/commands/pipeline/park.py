"""``park``: the wait of the EXPRESS variant, which has no task tokens.

In this order: mark the row as parked; strongly consistent read of the predecessor; continue at once if it
is DONE. The predecessor writes DONE before it reads its successor, so at least one of the two
sees the other (docs/spec/defects.md, rule 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.commands import status
from handlers.commands.pipeline.run import LostRun, Progress, Run

if TYPE_CHECKING:
    from handlers.commands.repository import CommandRepository

CHECK_AGAIN = 0
PARKED = 1


class Park:
    """The state; the sweeper parks commands whose start was lost behind an open predecessor."""

    def __init__(self, repository: CommandRepository, progress: Progress) -> None:
        self._repository = repository
        self._progress = progress

    def __call__(self, run: Run) -> dict[str, Any]:
        """Returns ``{"result": 0}``: check again; ``{"result": 1}``: parked or another run's, the execution ends."""
        previous = run.key.previous()
        if previous is None:
            raise ValueError(f"{run.key} has no predecessor to wait for")
        try:
            self._progress.park(run)
        except LostRun:
            return {"result": PARKED}
        prev = self._repository.command(previous)
        return {"result": CHECK_AGAIN if prev is None or status.is_done(prev) else PARKED}
