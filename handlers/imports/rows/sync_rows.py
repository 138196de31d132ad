"""Rows of tables that publish synchronously: the command is applied before the next row has its turn."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from handlers.commands.pipeline.run import LostRun
from handlers.core.errors import PendingVersions, TransientConflict, TransientError, VersionConflict
from handlers.core.log import log_step
from handlers.imports.jobs.model import APPLIED
from handlers.imports.rows.unchanged_rows import end_unchanged
from handlers.imports.strategy import EQUAL, ImportStrategy

if TYPE_CHECKING:
    from handlers.commands.model import CommandInput
    from handlers.commands.publishing.applied import AppliedPublisher, InlineTargets
    from handlers.core.context import InvokeContext
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.store.port import Item, Write

#: Rounds when others publish on the same entity at the same moment.
PUBLISH_ATTEMPTS = 5


class SyncRows:
    """Applies rows. Without other targets, command, data, history, row and count are one transaction."""

    def __init__(self, repository: ImportRepository, publisher: AppliedPublisher, targets: InlineTargets) -> None:
        self._repository = repository
        self._publisher = publisher
        self._targets = targets

    def __call__(self, row: Item, given: CommandInput, strategy: ImportStrategy, context: InvokeContext) -> None:
        """Publish and apply what a row in CREATED asks for, and give it its outcome.

        Raises:
            PendingVersions, LatestOpen: an earlier version is not applied yet; the message comes again.
            ExtraWriteRefused: the row was cancelled or has ended.
            TransientError: worth another try.
        """
        inline = self._targets.of(given.type)
        lease = self._targets.lease_seconds if inline else None

        def extra_writes(command: Item) -> list[Write]:
            return [self._repository.published(row, command)] if inline else self._repository.applied(row, command)

        for _ in range(PUBLISH_ATTEMPTS):
            seen = self._publisher.seen(given.key(context))
            if strategy.compare(self._publisher.latest(seen), given) == EQUAL or self._publisher.is_same(seen, given):
                end_unchanged(self._repository, row, seen.command, context.request_id)
                return
            try:
                command = self._publisher.publish(seen, given, context, extra_writes, lease_seconds=lease)
            except PendingVersions:
                raise
            except VersionConflict:
                continue
            if inline:
                self._finish(row, command, again=False)
            return
        raise TransientConflict(f"{given.key(context)}: others kept publishing; try again")

    def resume(self, row: Item, command: Item) -> None:
        """A message that comes again: hand the command to the targets that have not had it."""
        self._finish(row, command, again=True)

    def _finish(self, row: Item, command: Item, *, again: bool) -> None:
        try:
            self._targets.run(command, again=again)
        except LostRun:
            log_step("dropped: another run works on the command", pk=row["pk"], sk=row["sk"])
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - boundary: one row; the command is FAILED, and its event updates the row
            log_step("row's command failed", level=logging.WARNING, error=error, pk=row["pk"], sk=row["sk"])
        else:
            self._repository.complete(row, row["attempt"], APPLIED)
