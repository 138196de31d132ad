"""The files of an archive and the jobs that import them: rows of ``import_tmp``, like those of other imports.

A file's row names the unpacked object. It has a status only if no job has the file's outcome: the file can't be
imported, was never started, or timed out. A status prevents a job from being opened afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.rows import CANCEL_REQUESTED
from handlers.core.clock import Clock, iso
from handlers.core.error_text import error_of
from handlers.core.expiry import SECONDS_PER_DAY
from handlers.core.light_dataclasses import dataclass
from handlers.imports.jobs import status
from handlers.imports.jobs.open_index import opened
from handlers.imports.jobs.repository import ROW_DAYS
from handlers.store.conditions import absent, at_most, equals, one_of
from handlers.store.port import (
    IMPORT_TMP,
    Change,
    Check,
    ConditionFailed,
    Item,
    Put,
    TableStore,
    TransactionFailed,
    Update,
)

if TYPE_CHECKING:
    from handlers.imports.keys import ImportJobKey
    from handlers.imports.zip.archive import CsvEntry, SkippedEntry

#: On the row of a file's job: the token with which the archive's state machine waits, and the retry it came from.
TOKEN = "taskToken"
TOKEN_RETRY = "tokenRetry"
#: The archive's files are imported as the user who created its job.
_INHERITED = ("createdAt", "createdBy", "createdIp", "tenantCode", "encoding")
_PAGE = 500
#: API reference, TransactGetItems.
_TOGETHER = 100


@dataclass(frozen=True)
class Wait:
    """A state that waits for a file's job: its token, and which try of the state it is."""

    token: str
    retry_count: int


class FileNotOpened(Exception):
    """The file's job was not created: it already exists (``is_there``), the archive's job has ended or is being
    cancelled (``cancelled``), or neither: the file has its outcome.
    """

    def __init__(self, *, is_there: bool, cancelled: bool) -> None:
        super().__init__("the file's job was not created")
        self.is_there = is_there
        self.cancelled = cancelled


class ArchiveRepository:
    """Reads and writes these rows. Every write is repeatable."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # -- files ----------------------------------------------------------------------------------------

    def file(self, key: ImportJobKey, position: int) -> Item | None:
        """One file."""
        return self._store.get(IMPORT_TMP, *key.file(position))

    def files(self, key: ImportJobKey) -> Iterator[Item]:
        """All files in import order, followed by skipped entries."""
        start: Item | None = None
        while True:
            page = self._store.query(IMPORT_TMP, key.files_pk, limit=_PAGE, start=start)
            yield from page.items
            start = page.next_key
            if start is None:
                return

    def add_file(self, archive: ImportJobKey, entry: CsvEntry, **fields: Any) -> None:
        """Add a file that was unpacked or can't be imported. An existing row is unchanged."""
        table = {} if entry.table is None else {"tableName": entry.table}
        self._add(archive, entry, **table, **fields)

    def add_skipped(self, archive: ImportJobKey, entry: SkippedEntry) -> None:
        """Add an entry that isn't a file to import, with the reason."""
        self._add(archive, entry, status=status.SKIPPED, error=error_of(entry.code, entry.reason))

    def _add(self, archive: ImportJobKey, entry: CsvEntry | SkippedEntry, **fields: Any) -> None:
        pk, sk = archive.file(entry.position)
        now = self._clock.now()
        item: Item = {
            "pk": pk,
            "sk": sk,
            "kind": status.FILE,
            "jobId": archive.id,
            "position": entry.position,
            "name": entry.name,
            "updatedAt": iso(now),
            "ttl": int(now) + ROW_DAYS * SECONDS_PER_DAY,
            **fields,
        }
        try:
            self._store.put(IMPORT_TMP, item, absent("pk"))
        except ConditionFailed:
            return

    def end_file(self, key: ImportJobKey, position: int, new: str, error: Mapping[str, str]) -> None:
        """Set a file's own outcome, once; from then on no job is opened for it."""
        now = self._clock.now()
        change = Change(set={"status": new, "error": dict(error), "updatedAt": iso(now), "endedAt": int(now)})
        try:
            self._store.update(IMPORT_TMP, *key.file(position), change, absent("status"))
        except ConditionFailed:
            return

    # -- their jobs -----------------------------------------------------------------------------------

    def open_job(self, archive: Item, file: Item, child: ImportJobKey, wait: Wait) -> None:
        """Create the job of a file, which starts it, and record it as current in the archive's job.

        Raises:
            FileNotOpened: nothing was written.
        """
        now = self._clock.now()
        job: Item = {
            **{name: archive[name] for name in _INHERITED if name in archive},
            "pk": child.pk,
            "sk": child.sk,
            "id": child.id,
            "kind": status.JOB,
            "tableName": child.table,
            "bucket": file["bucket"],
            "key": file["key"],
            "parent": archive["id"],
            "file": file["name"],
            "position": file["position"],
            TOKEN: wait.token,
            TOKEN_RETRY: wait.retry_count,
            "status": status.CREATED,
            "attempt": 1,
            **opened(child.pk, child.sk, now),
            "contentHash": archive["contentHash"],
            "updatedAt": iso(now),
            "ttl": int(now) + ROW_DAYS * SECONDS_PER_DAY,
        }
        turn = Change(set={"current": file["position"], "updatedAt": iso(now)})
        running = equals("attempt", archive["attempt"]) & equals("status", status.PROCESSING)
        running &= absent(CANCEL_REQUESTED)
        try:
            self._store.transact(
                [
                    Put(IMPORT_TMP, job, absent("pk")),
                    Update(IMPORT_TMP, archive["pk"], archive["sk"], turn, running),
                    Check(IMPORT_TMP, file["pk"], file["sk"], absent("status")),
                ]
            )
        except TransactionFailed as error:
            raise FileNotOpened(is_there=0 in error.failed, cancelled=1 in error.failed) from None

    def wait_for(self, child: ImportJobKey, wait: Wait) -> bool:
        """Replace an earlier try's token on the job by this one. False: it has a later one, or the job has ended."""
        change = Change(set={TOKEN: wait.token, TOKEN_RETRY: wait.retry_count})
        # A late call must not leave a token on a job that has its outcome.
        open_ = one_of("status", (status.CREATED, status.QUEUED, status.PROCESSING))
        try:
            condition = at_most(TOKEN_RETRY, wait.retry_count) & open_
            self._store.update(IMPORT_TMP, child.pk, child.sk, change, condition)
        except ConditionFailed:
            return False
        return True

    def forget_token(self, job: Item) -> None:
        """Remove the token that was read with the job: nothing waits for it any longer."""
        if TOKEN not in job:
            return
        try:
            self._store.update(IMPORT_TMP, job["pk"], job["sk"], Change(remove=(TOKEN,)), equals(TOKEN, job[TOKEN]))
        except ConditionFailed:
            return  # another call removed it, or the state was retried

    def jobs(self, keys: Sequence[ImportJobKey]) -> list[Item | None]:
        """Jobs by key, in the order of the keys."""
        names = [(IMPORT_TMP, key.pk, key.sk) for key in keys]
        parts = (names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER))
        return [job for part in parts for job in self._store.get_together(part)]
