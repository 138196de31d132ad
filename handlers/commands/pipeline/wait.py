"""``wait_prev_command``: the successor's half of the handshake (docs/spec/defects.md).

In this order: store the token; strongly consistent read of the predecessor; resume itself if the
predecessor is DONE. The predecessor writes DONE before it reads the token, so at least one of the two
sees the other, whatever the interleaving.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.commands import status
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.commands.pipeline.successor import resume_output
from handlers.core.clock import seconds_of

if TYPE_CHECKING:
    from handlers.commands.repository import CommandRepository
    from handlers.state_machines.port import StateMachines


class WaitPrevCommand:
    """The state."""

    def __init__(self, repository: CommandRepository, progress: Progress, state_machines: StateMachines) -> None:
        self._repository = repository
        self._progress = progress
        self._state_machines = state_machines

    def __call__(self, run: Run, token: str, entered_at: str) -> dict[str, Any]:
        """Wait, or continue at once if there is nothing to wait for."""
        previous = run.key.previous()
        if previous is None:
            raise ValueError(f"{run.key} has no predecessor to wait for")
        entered = round(seconds_of(entered_at) * 1000)
        try:
            self._progress.wait(run, token, entered)
        except LostRun as lost:
            # Finished, failed or claimed elsewhere: check_version ends this run. A newer token belongs to
            # another wait of the same command; then this one simply times out.
            if lost.row is not None and not _is_older_wait(lost.row, run, entered):
                self._state_machines.resume(token, resume_output(previous.version))
            return {"waiting": False}
        prev = self._repository.command(previous)
        if prev is None or status.is_done(prev):
            self._state_machines.resume(token, resume_output(previous.version))
            return {"waiting": False}
        return {"waiting": True}


def _is_older_wait(row: dict[str, Any], run: Run, entered_at: int) -> bool:
    return bool(run.own.holds(row) and run.open.holds(row) and row.get("tokenEnteredAt", 0) > entered_at)
