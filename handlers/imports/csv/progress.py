"""``check_rows`` and ``finalize_parent_job``: wait until every row has its outcome, then end the job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from handlers.commands.failure import Failure
from handlers.core.error_text import error_of
from handlers.core.log import log_step
from handlers.imports.csv.map_results import batches_not_done
from handlers.imports.jobs import status
from handlers.imports.keys import IMPORT_SHARDS, ImportJobKey
from handlers.store.port import IMPORT_TMP, Item, TableStore

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.imports.csv.rows_handler import RowsHandler
    from handlers.imports.jobs.finalize import Finalizer
    from handlers.imports.jobs.job_run import JobRun
    from handlers.imports.jobs.model import Counts
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.objects.port import Objects

#: How long the state machine waits for the last row before it checks again; doubled each time. The first keeps an
#: iteration of three states at one transition per ten seconds; the longest keeps the history of the longest import
#: (``importTimeoutHours``, 168) below 25,000 events, of which an iteration has 13 (Step Functions service quotas).
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 480
TIMEOUT = "Timeout"
MAP_FAILED = "MapFailed"
MACHINE_FAILED = "MachineFailed"
#: Most rows of a late job that one call closes, and how many it reads per page.
CLOSED_PER_CALL = 50_000
PAGE = 1_000


class CsvProgress:
    """Every step is repeatable."""

    def __init__(
        self,
        store: TableStore,
        repository: ImportRepository,
        objects: Objects,
        finalize: Finalizer,
        write_rows: RowsHandler,
        clock: Clock,
        *,
        timeout_hours: int,
        closed_per_call: int = CLOSED_PER_CALL,
    ) -> None:
        self._store = store
        self._repository = repository
        self._objects = objects
        self._finalize = finalize
        self._write_rows = write_rows
        self._clock = clock
        self._late = f"no outcome within {timeout_hours} hours (importTimeoutHours)"
        self._closed_per_call = closed_per_call

    def check_rows(self, run: JobRun, given: dict[str, Any]) -> dict[str, Any]:
        """Returns whether the job can be ended (``done``), or how long to wait at most. The Map has already ended.

        Raises:
            TransientError: retry.
        """
        answer = {name: given[name] for name in ("jobKey", "attempt", "deadline")}
        wait = min(2 * given["waitSeconds"], LONGEST_WAIT_SECONDS) if "waitSeconds" in given else FIRST_WAIT_SECONDS
        found = self._open(run)
        if found is not None and "rowsWritten" not in found[0]:
            for batch in batches_not_done(self._objects, given["map"]) if "map" in given else ():
                log_step("batch written late", level=logging.WARNING, pk=run.key.pk, sk=run.key.sk)
                self._write_rows(batch)
            self._repository.change_job(run.key, run.attempt, status.PROCESSING, rowsWritten=True)
            found = self._open(run)
        is_late = self._clock.now() >= given["deadline"]
        return {**answer, "waitSeconds": wait, "done": found is None or found[1].is_complete or is_late}

    def finalize_parent_job(self, run: JobRun, given: dict[str, Any]) -> dict[str, Any]:
        """End the job: by its rows' outcomes if all have one, else as FAILED with the execution's error or a timeout.
        ``more``: there are more open rows than one call closes.

        Raises:
            TransientError: worth another try.
        """
        reached = self._finalize(run.key)
        if self._open(run) is None:
            return {"status": reached, "more": False}
        for name, code in (("mapError", MAP_FAILED), ("error", MACHINE_FAILED)):
            if name in given:
                failure = Failure.from_state_input(given[name])  # drops the stack trace of a function's error
                return self._failed(run, code, f"{failure.type}: {failure.message}")
        # Neither complete nor failed: it is late, and no row may stay open.
        cursor = self._close(run.key, given.get("cursor", [0, None]))
        if cursor is not None:
            return {**given, "cursor": cursor, "more": True}
        reached = self._finalize(run.key)
        if self._open(run) is None:
            return {"status": reached, "more": False}
        return self._failed(run, TIMEOUT, self._late)

    def machine_ended(self, run: JobRun, message: str) -> dict[str, Any]:
        """The execution ended without an outcome of the job."""
        reached = self._finalize(run.key)
        if self._open(run) is None:
            return {"status": reached, "more": False}
        return self._failed(run, MACHINE_FAILED, message)

    def _open(self, run: JobRun) -> tuple[Item, Counts] | None:
        """The job with its counts, unless this attempt already has an outcome."""
        found = self._repository.job_and_counts(run.key)
        if found is None or found[0]["attempt"] != run.attempt or status.is_terminal(found[0]):
            return None
        return found

    def _failed(self, run: JobRun, code: str, message: str) -> dict[str, Any]:
        log_step("import failed", level=logging.ERROR, pk=run.key.pk, sk=run.key.sk, code=code)
        self._repository.change_job(run.key, run.attempt, status.FAILED, error=error_of(code, message))
        return {"status": status.FAILED, "more": False}

    def _close(self, key: ImportJobKey, cursor: list[Any]) -> list[Any] | None:
        """Fail open rows from ``[shard, sort key]`` on. Returns where to continue, None at the end."""
        shard, after = cursor
        seen = 0
        while shard < IMPORT_SHARDS:
            pk, _ = key.shard(shard)
            start = None if after is None else {"pk": pk, "sk": after}
            page = self._store.query(IMPORT_TMP, pk, limit=PAGE, start=start)
            rows = [row for row in page.items if row["kind"] == status.ROW and not status.is_terminal(row)]
            self._repository.end_rows(rows, status.FAILED, error=error_of(TIMEOUT, self._late))
            seen += len(page.items)
            shard, after = (shard + 1, None) if page.next_key is None else (shard, page.next_key["sk"])
            if seen >= self._closed_per_call and shard < IMPORT_SHARDS:
                return [shard, after]
        return None
