"""Rows of tables that publish synchronously: the command is applied before the next row is processed."""

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
    from collections.abc import Collection

    from handlers.commands.keys import EntityKey
    from handlers.commands.model import CommandInput
    from handlers.commands.publishing.applied import AppliedPublisher, InlineTargets
    from handlers.core.context import InvokeContext
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.store.port import Item, Write

#: Attempts when others publish on the same entity at the same moment.
PUBLISH_ATTEMPTS = 5


class SyncRows:
    """Applies rows. Without other targets, command, data, history, row and count are one transaction."""

    def __init__(self, repository: ImportRepository, publisher: AppliedPublisher, targets: InlineTargets) -> None:
        self._repository = repository
        self._publisher = publisher
        self._targets = targets

    def read_ahead(self, keys: Collection[EntityKey]) -> dict[EntityKey, Item | None]:
        """The data rows of several entities; one that was not read is missing."""
        return self._publisher.read_ahead(keys)

    def __call__(
        self,
        row: Item,
        given: CommandInput,
        strategy: ImportStrategy,
        context: InvokeContext,
        ahead: dict[EntityKey, Item | None] | None = None,
    ) -> None:
        """Publish and apply the command of a row in CREATED, and set the row's outcome.

        ``ahead``: from ``read_ahead``; each row is used, and removed, once.

        Raises:
            PendingVersions, LatestOpen: an earlier version isn't applied yet; the message is redelivered.
            ExtraWriteRefused: the row was cancelled or has ended.
            TransientError: retry.
        """
        inline = self._targets.of(given.type)
        lease = self._targets.lease_seconds if inline else None

        def extra_writes(command: Item) -> list[Write]:
            return [self._repository.published(row, command)] if inline else self._repository.applied(row, command)

        key = given.key(context)
        for _ in range(PUBLISH_ATTEMPTS):
            seen = self._publisher.seen(key, ahead)
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
        raise TransientConflict(f"{key}: others kept publishing; try again")

    def resume(self, row: Item, command: Item) -> None:
        """Handle a redelivered message: deliver the command to the remaining targets."""
        self._finish(row, command, again=True)

    def _finish(self, row: Item, command: Item, *, again: bool) -> None:
        try:
            self._targets.run(command, again=again)
        except LostRun:
            log_step("dropped: another run works on the command", pk=row["pk"], sk=row["sk"])
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - boundary: one row; the FAILED command's event updates the row
            log_step("row's command failed", level=logging.WARNING, error=error, pk=row["pk"], sk=row["sk"])
        else:
            self._repository.complete(row, row["attempt"], APPLIED)
