"""Retries only the failed rows of a file and those never loaded, in a new attempt of its job."""

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

#: Rows of a job that one call reads, within the loader's time; the next call continues after them.
ROWS_PER_CALL = 100_000
MAX_ROUNDS = 20
PAGE = 100
#: On a retried job: how many rows its file has, all of which are already written.
KNOWN_ROWS = "knownRows"
#: And where the next call continues: ``[partition, sort key]``.
RESET_CURSOR = "resetCursor"


def request_retry(repository: ImportRepository, clock: Clock, key: ImportJobKey) -> None:
    """Start the next attempt of a FAILED job; the loader does the rest, triggered by the stream.

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
        # Without ``totalRows``, the job can't end before all its rows are reset.
        gone = ("totalRows", "error", "report", "reportBucket", "reasons", CANCEL_REQUESTED, RESET_CURSOR, *LOOK_MARKS)
        condition = equals("attempt", attempt) & status.may_be_retried()
        if repository.update_job(key, Change(set=changed, remove=gone), condition):
            return
    raise TransientConflict(f"{key}: others kept changing it; call again")


class RowResetter:
    """Called before a job is loaded. An interrupted call is repeated and continues with the remaining rows."""

    def __init__(self, store: TableStore, repository: ImportRepository, *, rows_per_call: int = ROWS_PER_CALL) -> None:
        self._store = store
        self._repository = repository
        self._rows_per_call = rows_per_call

    def __call__(self, key: ImportJobKey) -> bool:
        """Reset the failed rows of earlier attempts to CREATED and uncount them, except permanent failures.

        False: rows remain; the job's row is changed so that the stream calls this again.
        """
        job = self._repository.job(key)
        if job is None or job["attempt"] == 1 or "totalRows" in job or status.is_terminal(job):
            return True
        attempt = job["attempt"]
        # From here on, cancelling the job means cancelling its rows.
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
        """Reset from ``[partition, sort key]`` on. Returns where to continue, None at the end."""
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
