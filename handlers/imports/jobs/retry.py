"""Trying the failed rows of a file again, in a new attempt of its job: only those, and what was never loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.rows import CANCEL_REQUESTED, RESTART
from handlers.core.errors import NotFound, TransientConflict, WrongStatus
from handlers.imports.errors import PERMANENT
from handlers.imports.jobs import status
from handlers.imports.jobs.model import STEP_FUNCTION
from handlers.imports.jobs.open_index import LOOK_MARKS, opened
from handlers.imports.keys import IMPORT_SHARDS, ZIP_IMPORT_KIND, ImportJobKey
from handlers.store.conditions import equals
from handlers.store.port import IMPORT_TMP, Change, Item, TableStore

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.imports.jobs.repository import ImportRepository

#: Rows of a job that one call looks at, within the loader's time; the next call goes on behind them.
ROWS_PER_CALL = 100_000
MAX_ROUNDS = 20
PAGE = 100
#: On a job that is tried again: how many rows its file has, all of which were written before.
KNOWN_ROWS = "knownRows"
#: And where the next call goes on: ``[partition, sort key]``.
RESET_CURSOR = "resetCursor"


def request_retry(repository: ImportRepository, clock: Clock, key: ImportJobKey) -> None:
    """Give a FAILED job its next attempt; the stream has the loader do the rest.

    Raises:
        NotFound: there is no such job.
        WrongStatus: it is not FAILED, or is that of an archive.
        TransientConflict: others kept changing it; call again.
    """
    for _ in range(MAX_ROUNDS):
        job = repository.job(key)
        if job is None:
            raise NotFound(f"{key}: there is no such import")
        if key.kind == ZIP_IMPORT_KIND:
            raise WrongStatus(f"{key}: an archive's rows are retried with the imports of its files; see list_files")
        if job["status"] != status.FAILED:
            raise WrongStatus(f"{key}: {job['status']}; only a FAILED import is retried")
        attempt = job["attempt"]
        changed = repository.becomes(status.CREATED, attempt=attempt + 1, **opened(key.pk, key.sk, clock.now()))
        if "totalRows" in job and (job.get("mode") != STEP_FUNCTION or "rowsWritten" in job):
            changed[KNOWN_ROWS] = job["totalRows"]
        # Without ``totalRows`` nobody ends the job before all its rows are reset.
        gone = ("totalRows", "error", "report", "reportBucket", "reasons", CANCEL_REQUESTED, RESET_CURSOR, *LOOK_MARKS)
        condition = equals("attempt", attempt) & status.may_be_retried()
        if repository.update_job(key, Change(set=changed, remove=gone), condition):
            return
    raise TransientConflict(f"{key}: others kept changing it; call again")


class RowResetter:
    """Called before a job is loaded. A call that stopped is repeated: it goes on with the rows that are left."""

    def __init__(self, store: TableStore, repository: ImportRepository, *, rows_per_call: int = ROWS_PER_CALL) -> None:
        self._store = store
        self._repository = repository
        self._rows_per_call = rows_per_call

    def __call__(self, key: ImportJobKey) -> bool:
        """Bring the failed rows of earlier attempts back to CREATED, uncounted; those stay that no attempt can mend.

        False: rows are left, and the job's row says so, which calls this again through the stream.
        """
        job = self._repository.job(key)
        if job is None or job["attempt"] == 1 or "totalRows" in job or status.is_terminal(job):
            return True
        attempt = job["attempt"]
        # From here on the job is cancelled by way of its rows.
        if not self._repository.change_job(key, attempt, status.PROCESSING):
            return True
        if CANCEL_REQUESTED not in job:
            cursor = self._reset(key, attempt, job.get(RESET_CURSOR, [0, ""]))
            if cursor is not None:
                again = {RESET_CURSOR: cursor, RESTART: job.get(RESTART, 0) + 1}
                self._repository.change_job(key, attempt, status.PROCESSING, **again)
                return False
        if KNOWN_ROWS in job:
            self._repository.change_job(key, attempt, status.PROCESSING, totalRows=job[KNOWN_ROWS])
        return True

    def _reset(self, key: ImportJobKey, attempt: int, cursor: list[Any]) -> list[Any] | None:
        """From ``[partition, sort key]`` on. Answers where to go on, None at the end."""
        (number, after), read = cursor, 0
        while number < IMPORT_SHARDS:
            if read >= self._rows_per_call:
                return [number, after]
            pk = key.shard(number)[0]
            page = self._store.query(IMPORT_TMP, pk, limit=PAGE, start={"pk": pk, "sk": after} if after else None)
            self._repository.reset_rows([row for row in page.items if _is_tried_again(row, attempt)], attempt)
            read += len(page.items)
            number, after = (number + 1, "") if page.next_key is None else (number, page.next_key["sk"])
        return None


def _is_tried_again(row: Item, attempt: int) -> bool:
    failed = row.get("status") == status.FAILED and row["attempt"] < attempt
    return failed and row["error"]["type"] not in PERMANENT
