"""The sweeper of imports: finds jobs and rows that a lost message or record or a crash left open, and heals them.

It decides on consistent reads and writes conditionally, so it may run at any time, twice, or concurrently with work
that it takes for dead. Rows of a file aren't in the index: their job is, and the open rows of a job without progress
are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from contract.rows import CANCEL_REQUESTED, RESTART
from handlers.core.clock import Clock, seconds_of
from handlers.core.error_text import error_of
from handlers.imports.jobs import status
from handlers.imports.jobs.model import STEP_FUNCTION, Counts
from handlers.imports.jobs.open_index import LOOK_SECONDS, MARKS
from handlers.imports.keys import IMPORT_SHARDS, ZIP_IMPORT_KIND, ImportJobKey
from handlers.imports.rows.command_outcomes import settle_published
from handlers.imports.table_stream import row_message
from handlers.imports.zip.files import child_of
from handlers.store.conditions import Path, equals
from handlers.store.open_rows import Sweep, SweepReport
from handlers.store.port import COMMANDS, IMPORT_TMP, Change, ConditionFailed, Item, TableStore

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.topics.port import Topic

TIMEOUT = "Timeout"
SECONDS_PER_HOUR = 3_600
#: Grace period beyond ``importTimeoutHours`` for a state machine to end its job itself.
MACHINE_GRACE_SECONDS = 2 * SECONDS_PER_HOUR
#: Per check of a job: rows read, and open rows processed.
READ_PER_LOOK = 20_000
ROWS_PER_LOOK = 200
PAGE = 100
#: Delay after a check that did not reach the end of the job's rows.
NEXT_PART_SECONDS = 60
#: The delay between checks is doubled at most this many times: to an hour.
MAX_DOUBLED = 2


class ImportSweeper:
    """Checks every due job and single row."""

    def __init__(
        self,
        store: TableStore,
        repository: ImportRepository,
        clock: Clock,
        topic: Topic,
        answer: Callable[[ImportJobKey], None],
        table: str,
        *,
        timeout_hours: int,
    ) -> None:
        """``topic``: the main topic; ``table``: the table's name in messages; ``answer`` notifies a file's archive."""
        self._store = store
        self._repository = repository
        self._clock = clock
        self._topic = topic
        self._answer = answer
        self._table = table
        self._seconds = timeout_hours * SECONDS_PER_HOUR
        self._late = error_of(TIMEOUT, f"no outcome within {timeout_hours} hours (importTimeoutHours)")
        self.sweep = Sweep(store, IMPORT_TMP, clock, self._heal, ordinary=("runs", "moved on"))

    def _heal(self, found: Item, report: SweepReport) -> str:
        row = self._store.get(IMPORT_TMP, found["pk"], found["sk"])
        if row is None or "dueAt" not in row or row["dueAt"] > self._clock.now():
            return "moved on"  # the index lags behind the table
        if status.is_terminal(row):
            return self._outcome("closed", row)
        report.oldest_seconds = max(report.oldest_seconds, self._clock.now() - seconds_of(row["startedAt"]))
        if row["kind"] == status.ROW:
            return self._single(row)
        key = ImportJobKey.parse_id(row["id"])
        return self._archive(key, row) if key.kind == ZIP_IMPORT_KIND else self._job(key, row)

    # -- rows on their own ------------------------------------------------------------------------------

    def _single(self, row: Item) -> str:
        if self._age(row["startedAt"]) >= self._seconds:
            self._repository.fail(row, row["attempt"], **_named(self._late))
            return "timed out"
        if not self._reschedule(row, **self._later(row)):
            return "moved on"
        self._heal_rows([row])
        return "looked after"

    # -- jobs -------------------------------------------------------------------------------------------

    def _job(self, key: ImportJobKey, row: Item) -> str:
        found = self._repository.job_and_counts(key)
        if found is None or found[0] != row:
            return "moved on"
        _, counts = found
        grace = MACHINE_GRACE_SECONDS if row.get("mode") == STEP_FUNCTION else 0
        if self._age(row["startedAt"]) >= self._seconds + grace:
            return self._close(key, row, counts)
        if row["status"] != status.PROCESSING:
            return self._outcome("started again", row, **self._later(row))
        if row.get("lookedAt", 0) != counts.processed:
            return self._outcome("runs", row, lookedAt=counts.processed, dueAt=self._due(LOOK_SECONDS))
        if counts.total is None or counts.is_complete:
            return self._outcome("started again", row, **self._later(row))
        if CANCEL_REQUESTED in row:
            # This change triggers cancelling the waiting rows (``JobStream``).
            return self._outcome("cancelled again", row, **self._later(row))
        return self._look_at_rows(key, row)

    def _look_at_rows(self, key: ImportJobKey, row: Item) -> str:
        """Heal some open rows; the next check continues after them."""
        rows, cursor = self._open_rows(key, row.get("cursor", [0, ""]), ROWS_PER_LOOK)
        self._heal_rows(rows)
        seconds = LOOK_SECONDS if cursor[0] == 0 else NEXT_PART_SECONDS
        return self._outcome("looked after", row, cursor=cursor, dueAt=self._due(seconds))

    def _close(self, key: ImportJobKey, row: Item, counts: Counts) -> str:
        """Fail rows that are still open, or the job if none is. A complete job gets a last chance to end normally."""
        rows, cursor = self._open_rows(key, row.get("closing", [0, ""]), READ_PER_LOOK)
        by_partition: dict[str, list[Item]] = {}
        for one in rows:
            by_partition.setdefault(one["pk"], []).append(one)
        for part in by_partition.values():
            self._repository.end_rows(part, status.FAILED, error=self._late)
        if cursor[0] != 0 or rows:
            return self._outcome("rows timed out", row, closing=cursor, dueAt=self._due(NEXT_PART_SECONDS))
        if counts.is_complete and "lastChance" not in row:
            return self._outcome("started again", row, lastChance=True, **self._later(row))
        self._repository.change_job(key, row["attempt"], status.FAILED, error=self._late)
        return "timed out"

    def _archive(self, key: ImportJobKey, row: Item) -> str:
        """Files of an archive have their own jobs, and each start changes the archive's job."""
        if self._age(row["updatedAt"]) >= self._seconds + MACHINE_GRACE_SECONDS:
            self._repository.change_job(key, row["attempt"], status.FAILED, error=self._late)
            return "timed out"
        begun = row["status"] == status.PROCESSING
        if "current" in row:
            self._answer_for_file(key, row["current"])
        return self._outcome("runs" if begun else "started again", row, **self._later(row, begun=begun))

    def _answer_for_file(self, key: ImportJobKey, position: int) -> None:
        """The state machine waits for a file: if that has ended, the wake-up was lost and is sent now."""
        file = self._store.get(IMPORT_TMP, *key.file(position))
        if file is not None:
            self._answer(child_of(key, file))

    # -- both -------------------------------------------------------------------------------------------

    def _heal_rows(self, rows: list[Item]) -> None:
        """Queue waiting rows again, and settle others by the outcome of their command."""
        waiting = []
        for row in rows:
            if row["status"] == status.CREATED:
                waiting.append(row_message(row, self._table))
            else:
                settle_published(self._repository, row, self._store.get(COMMANDS, row["commandPk"], row["commandSk"]))
        unsent = self._topic.publish_many(waiting) if waiting else {}
        if unsent:
            raise next(iter(unsent.values()))

    def _open_rows(self, key: ImportJobKey, cursor: list[Any], most: int) -> tuple[list[Item], list[Any]]:
        """About ``most`` open rows from ``[partition, sort key]`` on, and where to continue: ``[0, ""]`` at the end."""
        (shard, after), rows, read = cursor, list[Item](), 0
        while shard < IMPORT_SHARDS and len(rows) < most and read < READ_PER_LOOK:
            pk, _ = key.shard(shard)
            page = self._store.query(IMPORT_TMP, pk, limit=PAGE, start={"pk": pk, "sk": after} if after else None)
            rows += [one for one in page.items if one["kind"] == status.ROW and not status.is_terminal(one)]
            read += len(page.items)
            shard, after = (shard + 1, "") if page.next_key is None else (shard, page.next_key["sk"])
        return rows, [shard, after] if shard < IMPORT_SHARDS else [0, ""]

    def _later(self, row: Item, *, begun: bool = False) -> dict[str, Any]:
        """The time of the next check, soon at first; ``RESTART`` triggers loading a job again (``JobStream``)."""
        known = row.get(RESTART, 0)
        due_at = self._due(LOOK_SECONDS * 2 ** min(known + 1, MAX_DOUBLED))
        return {"dueAt": due_at} if begun else {"dueAt": due_at, RESTART: known + 1}

    def _outcome(self, outcome: str, row: Item, **fields: Any) -> str:
        return outcome if self._reschedule(row, **fields) else "moved on"

    def _reschedule(self, row: Item, **fields: Any) -> bool:
        """Schedule the next check, or remove a row with an outcome from the index. False: another writer was faster."""
        changed: dict[Path, Any] = {}
        changed.update(fields)
        change = Change(remove=MARKS) if status.is_terminal(row) else Change(set=changed)
        same = equals("attempt", row["attempt"]) & equals("status", row["status"]) & equals("dueAt", row["dueAt"])
        try:
            self._store.update(IMPORT_TMP, row["pk"], row["sk"], change, same)
        except ConditionFailed:
            return False
        return True

    def _due(self, seconds: float) -> int:
        return int(self._clock.now() + seconds)

    def _age(self, moment: str) -> float:
        return self._clock.now() - seconds_of(moment)


def _named(error: Mapping[str, str]) -> dict[str, str]:
    return {"kind": error["type"], "message": error["message"]}
