"""The loader's stream consumer: loads new jobs and those that the sweeper found without progress, cancels others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.rows import CANCEL_REQUESTED, RESTART
from handlers.imports.jobs import status
from handlers.imports.keys import ZIP_IMPORT_KIND, ImportJobKey
from handlers.imports.table_stream import changed_row
from handlers.store.values import item_from_dynamo

if TYPE_CHECKING:
    from handlers.store.port import Item

#: An idempotent action on a job.
Step = Callable[[ImportJobKey], object]


def by_kind(file: Step, archive: Step) -> Step:
    """One step for the jobs of files, another for those of archives."""
    return lambda key: archive(key) if key.kind == ZIP_IMPORT_KIND else file(key)


class JobStream:
    """The loader's part of the stream. ``load`` and ``cancel`` may be called again for the same job."""

    def __init__(self, load: Step, cancel: Step, reset: Callable[[ImportJobKey], bool]) -> None:
        """``reset`` is called before ``load`` and resets the rows that a new attempt retries. Returns whether all of
        them are reset; if not, it is called again.
        """
        self._load_file = load
        self._cancel = cancel
        self._reset = reset

    def on_stream_records(self, records: Sequence[Mapping[str, Any]]) -> dict[int, Exception]:
        """Process the records. Returns those that have to be redelivered: index to the error."""
        failed: dict[int, Exception] = {}
        for index, record in enumerate(records):
            try:
                self._one(record)
            except Exception as error:  # noqa: BLE001 - boundary: one job; it is logged and redelivered
                failed[index] = error
        return failed

    def _one(self, record: Mapping[str, Any]) -> None:
        job = changed_row(record)
        if job is not None and job["kind"] == status.JOB and job["status"] == status.CREATED:
            self._load(ImportJobKey.parse_id(job["id"]))
            return
        started_again = _started_again(record)
        if started_again is not None:
            self._load(ImportJobKey.parse_id(started_again))
        asked = _cancelled(record)
        if asked is not None:
            self._cancel(ImportJobKey.parse_id(asked["id"]))

    def _load(self, key: ImportJobKey) -> None:
        if self._reset(key):
            self._load_file(key)


def _started_again(record: Mapping[str, Any]) -> str | None:
    """The id of a job whose ``restart`` was incremented by the sweeper, or because rows remain to be reset."""
    change = record.get("dynamodb", {})
    new, old = change.get("NewImage", {}), change.get("OldImage", {})
    row = item_from_dynamo({name: new[name] for name in ("id", "kind", RESTART) if name in new})
    return row["id"] if row.get("kind") == status.JOB and new.get(RESTART) != old.get(RESTART) else None


def _cancelled(record: Mapping[str, Any]) -> Item | None:
    """A running job with a cancellation request, whatever changed in its row."""
    new = record.get("dynamodb", {}).get("NewImage", {})
    names = ("id", "kind", "status", CANCEL_REQUESTED)
    row = item_from_dynamo({name: new[name] for name in names if name in new})
    is_meant = row.get("kind") == status.JOB and row.get("status") == status.PROCESSING and CANCEL_REQUESTED in row
    return row if is_meant else None
