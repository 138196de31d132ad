"""Sets the outcomes of rows from those of their commands, read from the commands stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.rows import IMPORT_SOURCE
from contract.tables import INSERT
from handlers.commands import status as command_status
from handlers.core.keys import tenant_of
from handlers.imports.jobs import status
from handlers.imports.jobs.model import APPLIED
from handlers.imports.keys import ImportRowKey
from handlers.store.values import item_from_dynamo

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.store.port import Item

SKIPPED = "Skipped"
_READ = ("pk", "sk", "status", "source", "requestId", "error")


class CommandOutcomes:
    """Consumer of the commands stream. Records may be redelivered: a row's outcome is final."""

    def __init__(self, repository: ImportRepository) -> None:
        self._repository = repository

    def on_stream_records(self, records: Sequence[Mapping[str, Any]]) -> dict[int, Exception]:
        """End the rows of a batch. Returns the records that have to be redelivered: index to the error."""
        failed: dict[int, Exception] = {}
        for index, record in enumerate(records):
            try:
                self._end(record)
            except Exception as error:  # noqa: BLE001 - boundary: one record; the error is returned
                failed[index] = error
        return failed

    def _end(self, record: Mapping[str, Any]) -> None:
        if record.get("eventName") == INSERT:
            return  # a command that is applied at once also writes its row's outcome
        new = record.get("dynamodb", {}).get("NewImage", {})
        command = item_from_dynamo({name: new[name] for name in _READ if name in new})
        if command.get("source") != IMPORT_SOURCE or "status" not in command:
            return
        found = ImportRowKey.of_request(tenant_of(command["pk"]), command.get("requestId", ""))
        if found is None or not command_status.is_terminal(command["status"]):
            return
        key, attempt = found
        row = self._repository.row(key)
        if row is not None and not status.is_terminal(row):
            settle(self._repository, row, attempt, command)


def settle_published(repository: ImportRepository, row: Item, command: Item | None) -> None:
    """Settle a row in PROCESSING whose event may be lost. None: its command has expired, as only DONE ones do."""
    if command is None:
        repository.complete(row, row["attempt"], APPLIED)
    else:
        settle(repository, row, row["attempt"], command)


def settle(repository: ImportRepository, row: Item, attempt: int, command: Item) -> None:
    """Set a row's outcome from that of its command, if it has one."""
    fields = {"commandSk": command["sk"]}
    if command["status"] == command_status.SKIPPED:
        repository.fail(row, attempt, SKIPPED, "the command was skipped by an operator", **fields)
    elif command_status.is_done(command):
        repository.complete(row, attempt, APPLIED, **fields)
    elif command_status.is_failed(command):
        error = command.get("error", {})
        message = error.get("message") or "the command failed; its error has no further message"
        repository.fail(row, attempt, error.get("type", "Error"), message, **fields)
