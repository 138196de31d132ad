"""``publish_sync``: the same steps as the state machine, inline, returning once they are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.commands import status
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.run import LostRun, Run
from handlers.commands.publishing.claims import claimed_fields, own_run
from handlers.core.errors import CommandFailed, PendingVersions, TransientConflict

if TYPE_CHECKING:
    from handlers.commands.keys import EntityKey, VersionKey
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.commands.publishing.publisher import CommandPublisher
    from handlers.core.clock import Clock
    from handlers.core.context import InvokeContext
    from handlers.store.port import Item


class SyncPublisher:
    """Accepts a command with a claim and applies it before returning."""

    def __init__(self, publisher: CommandPublisher, pipeline: Pipeline, clock: Clock, *, lease_seconds: int) -> None:
        self._publisher = publisher
        self._pipeline = pipeline
        self._clock = clock
        self._lease_seconds = lease_seconds

    def publish_sync(
        self,
        given: CommandInput,
        context: InvokeContext,
        *,
        accepted: Callable[[Command], object] | None = None,
    ) -> Command | None:
        """Accept a new version and apply it to all targets.

        ``accepted`` is called with the command before it is applied: later errors are about applying it.

        An interrupted call may be repeated with the same request id: it continues where it stopped.
        Without a request id, the sweeper finishes the command once the lease has expired.

        Returns:
            The applied command; None if the latest version equals the input.

        Raises:
            PendingVersions: an earlier version isn't applied yet; nothing was written.
            CommandFailed: the command of this request id failed earlier, or was skipped since.
            TransientError: AWS was unavailable, or another run is applying the command; repeat the call.
            Errors of ``publish_async``, and of sync handlers (then the command is FAILED, with an alarm).
        """
        row, is_new = self._publisher.accept(given, context, pipeline=self._claimed_row, guard=self._refuse_pending)
        if row is None:
            return None
        command = Command.from_row(row)
        if accepted is not None:
            accepted(command)
        run = own_run(command.key, command.id, row["attempt"])
        if not is_new and self._has_ended(run, row):
            return command
        try:
            if not is_new:
                self._pipeline.claim(run, row)
            self._pipeline.run_inline(run)
        except LostRun as lost:
            if not self._has_ended(run, lost.row):
                raise TransientConflict(f"{command.key}: another run is applying it; repeat the call") from None
        return command

    def _has_ended(self, run: Run, row: Item | None) -> bool:
        """Whether the command is DONE; if so, complete its tail. Raises CommandFailed."""
        if status.is_failed(row) and row is not None:
            raise CommandFailed(f"{run.key}: {row['error']['type']}: {row['error']['message']}; redrive or skip it")
        if row is None or not status.is_done(row):
            return False
        if row["status"] == status.SKIPPED:
            raise CommandFailed(f"{run.key}: it had failed and was skipped, so it is not applied to all targets")
        self._pipeline.complete_tail(run, row)
        return True

    def _claimed_row(self, key: VersionKey, row_id: str, now: float) -> dict[str, Any]:
        return claimed_fields(key, row_id, now, self._lease_seconds)

    def _refuse_pending(self, key: EntityKey, latest: Item | None) -> None:
        """Require the latest version to be DONE. A data row alone has nothing pending."""
        if latest is not None and "status" in latest and not status.is_done(latest):
            raise PendingVersions(str(key), latest["version"], latest["status"], self._publisher.whole(latest))
