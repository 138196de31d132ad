"""Consumes the stream of ``import_tmp``: queues rows, ends and reports jobs, sends alarms.

All of this is derived from stored rows, so a crash between a write and its consequences loses nothing. Delivery is at
least once: receivers have to detect duplicates.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.messages import ACTION, IMPORT_EXECUTE, IMPORT_STATUS
from handlers.core.keys import row_id
from handlers.core.log import log_step
from handlers.imports.csv.wait import counted_all
from handlers.imports.jobs import status
from handlers.imports.jobs.model import STEP_FUNCTION, job_key_of
from handlers.imports.keys import ImportJobKey, ImportRowKey
from handlers.store.values import item_from_dynamo
from handlers.topics.alarms import send_alarm
from handlers.topics.port import Notice, Topic

if TYPE_CHECKING:
    from handlers.imports.jobs.finalize import Finalizer
    from handlers.store.port import Item

_READ = (
    "pk",
    "sk",
    "id",
    "kind",
    "status",
    "attempt",
    "tableName",
    "tenantCode",
    "mode",
    "parent",
    "error",
    "updatedAt",
)
_COUNTERS = (
    *("totalRows", "processedRows", "succeededRows", "failedRows", "supersededRows", "cancelledRows"),
    *("totalFiles", "skippedFiles", "failedFiles"),
)


class ImportStream:
    """The consumer of the table's stream."""

    def __init__(
        self,
        topic: Topic,
        alarms: Topic,
        finalize: Finalizer,
        answer: Callable[[ImportJobKey], None],
        wake: Callable[[ImportJobKey], None],
        table: str,
    ) -> None:
        """``topic``: the main topic; ``table``: the table's name in messages; ``answer`` notifies a file's archive,
        ``wake`` the state machine of a large file.
        """
        self._topic = topic
        self._alarms = alarms
        self._finalize = finalize
        self._answer = answer
        self._wake = wake
        self._table = table

    def on_stream_records(self, records: Sequence[Mapping[str, Any]]) -> dict[int, Exception]:
        """Process a batch. Returns the records that have to be redelivered: index to the error."""
        failed: dict[int, Exception] = {}
        notices: list[tuple[int, Notice]] = []
        #: Checked once per batch, however many of their rows it contains.
        ended: dict[ImportJobKey, int] = {}
        for index, record in enumerate(records):
            try:
                counted = counted_all(record)
                if counted is not None:
                    self._wake(counted)
                    continue
                row = changed_row(record)
                if row is None:
                    continue
                if row["kind"] == status.JOB:
                    if status.is_terminal(row):
                        notices.append((index, self._status_event(row)))
                        if "parent" in row:
                            self._answer(ImportJobKey.parse_id(row["id"]))
                        self._alarm(ImportJobKey.parse_id(row["id"]), row)
                elif row["status"] == status.CREATED:
                    notices.append((index, row_message(row, self._table)))
                elif status.is_terminal(row):
                    job = job_key_of(row)
                    if job is None:
                        self._alarm(ImportRowKey.parse(row["pk"], row["sk"]), row)
                    elif row.get("mode") != STEP_FUNCTION:  # otherwise a state machine ends the job
                        ended[job] = index
            except Exception as error:  # noqa: BLE001 - boundary: one record; the error is returned
                failed[index] = error
        refused = self._topic.publish_many([notice for _, notice in notices]) if notices else {}
        failed.update({notices[position][0]: error for position, error in refused.items()})
        for job, index in ended.items():
            try:
                self._finalize(job)
            except Exception as error:  # noqa: BLE001 - boundary: one job; its last record is redelivered
                failed[index] = error
        log_step("import records", level=logging.INFO, sent=len(notices) - len(refused), unsent=len(failed))
        return failed

    def _alarm(self, key: ImportJobKey | ImportRowKey, row: Item) -> None:
        """Send the alarm of a failed job or single row. The rows of a file are reported by their job."""
        if row["status"] != status.FAILED:
            return
        what = "import" if row["kind"] == status.JOB else "import of a row"
        rows = f", {row['failedRows']} of {row['totalRows']} rows" if "failedRows" in row else ""
        text = f"{what}, table {row['tableName']}, failed: {row['error']['type']}{rows}"
        send_alarm(self._alarms, self._table, key, row["attempt"], text, "")

    def _status_event(self, row: Item) -> Notice:
        content = {"tableName": row["tableName"], "status": row["status"], "attempt": row["attempt"]}
        content.update({name: row[name] for name in (*_COUNTERS, "parent", "error", "updatedAt") if name in row})
        return _notice(IMPORT_STATUS, row, content, self._table)


def row_message(row: Item, table: str) -> Notice:
    """The message by which a consumer processes a row; ``table``: the table's name in messages."""
    return _notice(IMPORT_EXECUTE, row, {"tableName": row["tableName"]}, table)


def _notice(action: str, row: Item, content: dict[str, Any], table: str) -> Notice:
    message = {
        "id": row_id(row["pk"], row["sk"]),
        "action": action,
        "table": table,
        "pk": row["pk"],
        "sk": row["sk"],
        "tenantCode": row["tenantCode"],
        "content": {**content, "attempt": row["attempt"]},
    }
    return Notice(message, {ACTION: action})


def changed_row(record: Mapping[str, Any]) -> Item | None:
    """The job or row of a record whose status or attempt changed, without values of the file."""
    change = record.get("dynamodb", {})
    new, old = change.get("NewImage"), change.get("OldImage")
    if new is None or "status" not in new or "kind" not in new:
        return None
    row = item_from_dynamo({name: new[name] for name in (*_READ, *_COUNTERS) if name in new})
    before = item_from_dynamo({name: old[name] for name in ("status", "attempt") if name in old}) if old else {}
    return None if (before.get("status"), before.get("attempt")) == (row["status"], row["attempt"]) else row
