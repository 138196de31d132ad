"""Consumer of the import queue: compares rows with the latest versions and publishes changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.messages import IMPORT_EXECUTE
from handlers.commands import status as command_status
from handlers.commands.keys import VersionKey
from handlers.commands.publishing.publisher import CommandPublisher, ExtraWriteRefused
from handlers.commands.publishing.retry import publish_with_retry
from handlers.consumers.batch_results import answer_each
from handlers.consumers.failure_policy import Consumer, Outcome, outcome_of
from handlers.consumers.queue_messages import row_named
from handlers.core.context import InvokeContext, restored_context
from handlers.core.error_text import message_of, type_of
from handlers.core.log import log_step, without_text
from handlers.imports.errors import RowProblem
from handlers.imports.files.layout import SYNC
from handlers.imports.jobs import status
from handlers.imports.keys import ImportRowKey
from handlers.imports.rows.command_outcomes import settle_published
from handlers.imports.rows.preparation import prepare, problem_of
from handlers.imports.rows.read_ahead import Ahead, ReadAhead
from handlers.imports.rows.unchanged_rows import end_unchanged
from handlers.imports.strategy import EQUAL, ImportStrategy, ImportTables

if TYPE_CHECKING:
    from handlers.commands.model import Command, CommandInput
    from handlers.consumers.dead_letters import DeadLetters
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.rows.sync_rows import SyncRows
    from handlers.store.port import Item

#: Attempts when others publish on the same entity at the same moment.
PUBLISH_ATTEMPTS = 5


class RowWorker:
    """Processes rows idempotently: the request id of a row's command consists of the row and its attempt."""

    def __init__(
        self,
        repository: ImportRepository,
        publisher: CommandPublisher,
        tables: ImportTables,
        apply: SyncRows,
        letters: DeadLetters,
        *,
        max_receives: int,
    ) -> None:
        """``apply``: for rows of tables that publish synchronously; ``letters``: for messages that name no row."""
        self._letters = letters
        self._repository = repository
        self._publisher = publisher
        self._tables = tables
        self._apply = apply
        self._read_ahead = ReadAhead(repository, apply, tables)
        self._max_receives = max_receives

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Process a batch of the queue.

        Returns:
            ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: these are redelivered.
        """
        named = _rows_named(records)
        ahead = self._read_ahead(list(dict.fromkeys(key for key, _ in named.values())))

        def work(record: Mapping[str, Any], receives: int) -> None:
            key, attempt = named.get(record.get("messageId", "")) or _row_named(record)
            self.run(key, attempt, is_last=receives >= self._max_receives, ahead=ahead)

        return answer_each(records, work, "import message failed", self._letters, has_record_data=True)

    def run(self, key: ImportRowKey, attempt: int, *, is_last: bool, ahead: Ahead | None = None) -> None:
        """Process one attempt of a row. A return means that its message is done.

        A permanent error fails the row at once, a possibly transient one at the last receive. An error of the
        deployment never does: the message goes into the dead-letter queue, and the row stays open.

        Raises:
            The error that prevents publishing, in all other cases.
        """
        ahead = ahead or Ahead()
        row = ahead.rows.pop(key) if key in ahead.rows else self._repository.row(key)
        if row is None or row["attempt"] != attempt or status.is_terminal(row):
            log_step("dropped: the row has moved on", pk=key.pk, sk=key.sk, attempt=attempt)
            return
        try:
            self._publish(key, row, ahead)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                if not is_last or outcome_of(error, Consumer.IMPORT_ROW) is Outcome.HELD:
                    raise
                problem = RowProblem(type_of(error), message_of(error))
            log_step("row failed", level=logging.ERROR, pk=key.pk, sk=key.sk, attempt=attempt, **without_text(error))
            self._repository.refuse(row, problem.code, problem.message)

    def _publish(self, key: ImportRowKey, row: Item, ahead: Ahead) -> None:
        attempt: int = row["attempt"]
        if row["status"] == status.PROCESSING:
            self._settle(row)
            return
        table = self._tables.of(row["tableName"])
        strategy = table.strategy
        prepared = ahead.prepared.get(key) or prepare(row["row"], strategy)
        if prepared.given is None:
            assert prepared.problem is not None
            self._repository.refuse(row, prepared.problem.code, prepared.problem.message)
            return
        context = restored_context(row, key.request_id(attempt))
        try:
            if table.layout.publish == SYNC:
                self._apply(row, prepared.given, strategy, context, ahead.data)
                return
            command = self._published(row, prepared.given, strategy, context)
        except ExtraWriteRefused:
            log_step("dropped: the row was cancelled or has ended", pk=key.pk, sk=key.sk, attempt=attempt)
            return
        if command is None:
            self._unchanged(row, prepared.given, context)

    def _settle(self, row: Item) -> None:
        """Handle a redelivered message: the event about the command's end may be lost."""
        command = self._publisher.repository.command(VersionKey.parse(row["commandPk"], row["commandSk"]))
        if command is not None and command_status.is_open_sync(command):
            self._apply.resume(row, command)
        else:
            settle_published(self._repository, row, command)

    def _published(
        self, row: Item, given: CommandInput, strategy: ImportStrategy, context: InvokeContext
    ) -> Command | None:
        """Publish, and update the row in the same transaction. None: there is nothing to publish."""

        def build(latest: Command | None) -> CommandInput | None:
            return None if strategy.compare(latest, given) == EQUAL else given

        def publish(wanted: CommandInput, caller: InvokeContext) -> Command | None:
            return self._publisher.publish_async(
                wanted, caller, extra_writes=lambda command: [self._repository.published(row, command)]
            )

        return publish_with_retry(
            build,
            PUBLISH_ATTEMPTS,
            key=given.key(context),
            context=context,
            publisher=self._publisher,
            publish=publish,
        )

    def _unchanged(self, row: Item, given: CommandInput, context: InvokeContext) -> None:
        """The latest version is equal, so the row gets its outcome. Raises LatestOpen."""
        latest = self._publisher.repository.latest_command(given.key(context))
        end_unchanged(self._repository, row, latest, context.request_id)


def _row_named(record: Mapping[str, Any]) -> tuple[ImportRowKey, int]:
    return row_named(record, IMPORT_EXECUTE, ImportRowKey.parse)


def _rows_named(records: Sequence[Mapping[str, Any]]) -> dict[str, tuple[ImportRowKey, int]]:
    """Message id to its row and attempt, without messages that name no row: their error is raised in their turn."""
    named: dict[str, tuple[ImportRowKey, int]] = {}
    for record in records:
        try:
            named[record["messageId"]] = _row_named(record)
        except Exception:  # noqa: BLE001 - boundary: one message; its error is raised when it is processed
            continue
    return named
