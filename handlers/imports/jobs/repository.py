"""The rows of imports and the counters of their jobs: a row's outcome and its count are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handlers.core.clock import Clock, iso
from handlers.core.error_text import error_of
from handlers.core.errors import TransientConflict
from handlers.core.expiry import SECONDS_PER_DAY
from handlers.imports.errors import RowProblem
from handlers.imports.jobs import status
from handlers.imports.jobs.counters import counter_of, counting, expectations
from handlers.imports.jobs.model import APPLIED, STEP_FUNCTION, UNCHANGED, Counts, job_key_of
from handlers.imports.jobs.open_index import MARKS, WAIT_MARKS
from handlers.imports.keys import IMPORT_SHARDS, ImportJobKey, ImportRowKey
from handlers.store.conditions import Condition, Path, absent, equals
from handlers.store.port import (
    IMPORT_TMP,
    Change,
    ConditionFailed,
    Item,
    Put,
    TableStore,
    TransactionFailed,
    Update,
    Write,
)

#: Rows are kept as long as request ids, on which the idempotency of their commands is based.
ROW_DAYS = 30
#: Rows that get the same outcome in one transaction, which conflicts with other rows that end meanwhile.
ROWS_PER_WRITE = 50
#: Retries on conflicts with rows of the same partition that end at the same moment.
MAX_CONFLICTS = 20
#: Takes key, number, line, values and status of a row and returns the row.
NewRow = Callable[[ImportRowKey, int, int, Mapping[str, Any], str], Item]
#: An outcome that is known from the start: a problem, or the index of the row that supersedes it.
End = RowProblem | int


class ImportRepository:
    """Reads and writes ``import_tmp``. Every write may be repeated."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # -- jobs -----------------------------------------------------------------------------------------

    def job(self, key: ImportJobKey) -> Item | None:
        """The job's row."""
        return self._store.get(IMPORT_TMP, key.pk, key.sk)

    def job_and_counts(self, key: ImportJobKey) -> tuple[Item, Counts] | None:
        """The job with its counters, in one consistent read if possible; None if there is no such job.

        DynamoDB rejects a transaction of reads while one of its items is being written (Developer Guide, "Transaction
        conflict handling"), as the counters of a running job constantly are. Then they are read one by one, after the
        job: counters only grow once the number of rows is known, so a sum that has reached it is exact (decision 0136).
        """
        shards = [(IMPORT_TMP, *key.shard(number)) for number in range(IMPORT_SHARDS)]
        found: list[Item | None]
        try:
            job, *found = self._store.get_together([(IMPORT_TMP, key.pk, key.sk), *shards])
        except TransientConflict:
            job = self.job(key)
            found = [self._store.get(*shard) for shard in shards]
        return None if job is None else (job, Counts.of(job, found))

    def open_shards(self, key: ImportJobKey) -> None:
        """Create the job's counters, once."""
        expires = self._expires()
        puts = []
        for number in range(IMPORT_SHARDS):
            pk, sk = key.shard(number)
            item = {"pk": pk, "sk": sk, "kind": status.COUNTERS, "jobId": key.id, "ttl": expires}
            puts.append(Put(IMPORT_TMP, item, absent("pk")))
        try:
            self._store.transact(puts)
        except TransactionFailed:
            return  # an earlier call has created all of them

    def expect(self, key: ImportJobKey, rows: int) -> None:
        """Write to the job's counters how many rows they will count, once. See ``expectations``."""
        try:
            if rows:
                self.transact(expectations(key, rows))
        except TransactionFailed:
            return  # an earlier call has reported them

    def change_job(self, key: ImportJobKey, attempt: int, new: str, **fields: Any) -> bool:
        """Set a job's status and the fields that belong to it. False: it has progressed further, or is gone."""
        condition = equals("attempt", attempt) & status.may_become(status.JOB, new)
        gone = (*MARKS, *WAIT_MARKS) if new in status.TERMINAL else ()
        return self.update_job(key, Change(set=self.becomes(new, **fields), remove=gone), condition)

    def update_job(self, key: ImportJobKey, change: Change, condition: Condition) -> bool:
        """Change a job's row. False: the condition did not hold."""
        try:
            self._store.update(IMPORT_TMP, key.pk, key.sk, change, condition)
        except ConditionFailed:
            return False
        return True

    def begin(self, key: ImportJobKey, attempt: int, pinned: Mapping[str, Any]) -> None:
        """Set PROCESSING and pin the object to read; the first call wins."""
        change = Change(set=self.becomes(status.PROCESSING), set_once={"object": dict(pinned)})
        condition = equals("attempt", attempt) & status.may_become(status.JOB, status.PROCESSING)
        self.update_job(key, change, condition)

    def decide(self, key: ImportJobKey, attempt: int, mode: str) -> str | None:
        """Decide how the job's file is imported; the first call wins. Returns the mode, None for an advanced job."""
        condition = equals("attempt", attempt) & status.may_become(status.JOB, status.PROCESSING)
        try:
            found = self._store.update(IMPORT_TMP, key.pk, key.sk, Change(set_once={"mode": mode}), condition)
        except ConditionFailed:
            return None
        return str(found["mode"])

    # -- rows -----------------------------------------------------------------------------------------

    def row(self, key: ImportRowKey) -> Item | None:
        """One row."""
        return self._store.get(IMPORT_TMP, key.pk, key.sk)

    def rows(self, keys: Sequence[ImportRowKey]) -> dict[ImportRowKey, Item | None]:
        """Up to 100 rows in one call; one that was not read is missing."""
        of_place = {(IMPORT_TMP, key.pk, key.sk): key for key in keys}
        return {of_place[place]: row for place, row in self._store.get_each(list(of_place)).items()}

    def add(self, job: Item, key: ImportRowKey, number: int, line: int, values: Mapping[str, Any]) -> None:
        """Add a row to be processed. An existing row is unchanged."""
        item = self.new_rows(job)(key, number, line, values, status.CREATED)
        try:
            self._store.put(IMPORT_TMP, item, absent("pk"))
        except ConditionFailed:
            return

    def ended(
        self, job: Item, key: ImportRowKey, number: int, line: int, values: Mapping[str, Any], end: End | None
    ) -> Item:
        """A row with an outcome that is known from the start; ``end`` None: the job is being cancelled."""
        new_row = self.new_rows(job)
        if end is None:
            return new_row(key, number, line, values, status.CANCELLED)
        if isinstance(end, RowProblem):
            item = new_row(key, number, line, values, status.FAILED)
            item["error"] = error_of(end.code, end.message)
        else:
            item = new_row(key, number, line, values, status.SUPERSEDED)
            item["supersededBy"] = end
        return item

    def published(self, row: Item, command: Item) -> Update:
        """Set PROCESSING, in the transaction of the row's command, so that no cancelled row gets a command."""
        change = Change(set=self.becomes(status.PROCESSING, commandPk=command["pk"], commandSk=command["sk"]))
        condition = equals("attempt", row["attempt"]) & status.may_become(status.ROW, status.PROCESSING)
        return Update(IMPORT_TMP, row["pk"], row["sk"], change, condition)

    def applied(self, row: Item, command: Item) -> list[Write]:
        """Set COMPLETED and count, in the transaction that writes and applies the row's command."""
        fields = {"result": APPLIED, "commandPk": command["pk"], "commandSk": command["sk"]}
        change = Change(set=self.becomes(status.COMPLETED, **fields), remove=() if job_key_of(row) else MARKS)
        condition = equals("attempt", row["attempt"]) & equals("status", status.CREATED)
        update = Update(IMPORT_TMP, row["pk"], row["sk"], change, condition)
        counted = self._counted({**row, "status": status.COMPLETED, **fields})
        return [update] if counted is None else [update, counted]

    def end_rows(self, rows: Sequence[Item], new: str, **fields: Any) -> None:
        """Set CANCELLED or FAILED and count, for rows of one partition; rows that have ended are unchanged."""
        for start in range(0, len(rows), ROWS_PER_WRITE):
            left = list(rows[start : start + ROWS_PER_WRITE])
            while left:
                counted = self._counted({**left[0], "status": new, **fields}, len(left))
                assert counted is not None
                try:
                    self.transact([*(self._ended(row, new, fields) for row in left), counted])
                    break
                except TransactionFailed as error:
                    if len(left) in error.failed:
                        raise
                    left = [row for number, row in enumerate(left) if number not in error.failed]

    def reset_rows(self, rows: Sequence[Item], attempt: int) -> None:
        """Reset FAILED rows of one partition to CREATED in a later attempt and uncount them; others are unchanged."""
        change = Change(set=self.becomes(status.CREATED, attempt=attempt), remove=("error", "commandPk", "commandSk"))
        for start in range(0, len(rows), ROWS_PER_WRITE):
            left = list(rows[start : start + ROWS_PER_WRITE])
            while left:
                counted = self._counted(left[0], -len(left))
                assert counted is not None
                guards = (equals("attempt", row["attempt"]) & status.may_be_retried() for row in left)
                resets = [
                    Update(IMPORT_TMP, row["pk"], row["sk"], change, guard)
                    for row, guard in zip(left, guards, strict=True)
                ]
                try:
                    self.transact([*resets, counted])
                    break
                except TransactionFailed as error:
                    if len(left) in error.failed:
                        raise
                    left = [row for number, row in enumerate(left) if number not in error.failed]

    def _ended(self, row: Item, new: str, fields: Mapping[str, Any]) -> Update:
        condition = equals("attempt", row["attempt"]) & status.may_become(status.ROW, new)
        return Update(IMPORT_TMP, row["pk"], row["sk"], Change(set=self.becomes(new, **fields)), condition)

    def complete(self, row: Item, attempt: int, result: str, **fields: Any) -> bool:
        """Set COMPLETED, as APPLIED or UNCHANGED, and count. False: the row has an outcome or is in another attempt."""
        return self._end(row, attempt, status.COMPLETED, {"result": result, **fields})

    def fail(self, row: Item, attempt: int, kind: str, message: str, **fields: Any) -> bool:
        """Set FAILED and count. False: as for ``complete``."""
        return self._end(row, attempt, status.FAILED, {"error": error_of(kind, message), **fields})

    def unchanged(self, row: Item) -> bool:
        """Set COMPLETED without a command. False: as for ``complete``, or a command was published, which decides."""
        return self._end(row, row["attempt"], status.COMPLETED, {"result": UNCHANGED}, unpublished=True)

    def refuse(self, row: Item, kind: str, message: str) -> bool:
        """Set FAILED without a command. False: as for ``unchanged``."""
        return self._end(row, row["attempt"], status.FAILED, {"error": error_of(kind, message)}, unpublished=True)

    def _end(self, row: Item, attempt: int, new: str, fields: Mapping[str, Any], *, unpublished: bool = False) -> bool:
        condition = equals("attempt", attempt) & status.may_become(status.ROW, new)
        if unpublished:
            condition &= equals("status", status.CREATED)
        change = Change(set=self.becomes(new, **fields), remove=() if job_key_of(row) else MARKS)
        writes: list[Write] = [Update(IMPORT_TMP, row["pk"], row["sk"], change, condition)]
        counted = self._counted({**row, "status": new, **fields})
        if counted is not None:
            writes.append(counted)
        try:
            self.transact(writes)
        except TransactionFailed as error:
            if 0 not in error.failed:
                raise
            return False
        return True

    def _counted(self, row: Item, rows: int = 1) -> Update | None:
        """The count of the outcome of one or several rows of a partition; None for a single row without a job."""
        job = job_key_of(row)
        if job is None:
            return None
        index = ImportRowKey.parse(row["pk"], row["sk"]).index
        assert index is not None
        pk, sk = job.shard(index % IMPORT_SHARDS)
        return Update(IMPORT_TMP, pk, sk, Change(add=counting({counter_of(row): rows})))

    def transact(self, writes: Sequence[Write]) -> None:
        """Retry on conflicts, which are short: rows of one partition share a counter. Raises TransactionFailed."""
        for number in range(MAX_CONFLICTS):
            try:
                return self._store.transact(writes)
            except TransientConflict:
                if number == MAX_CONFLICTS - 1:
                    raise
        return None

    def new_rows(self, job: Item) -> NewRow:
        """A function that creates rows of a job's file from key, number, line, values and status."""
        now = iso(self._clock.now())
        common = {
            "kind": status.ROW,
            "jobId": job["id"],
            "tableName": job["tableName"],
            "tenantCode": job["tenantCode"],
            "attempt": 1,
            "createdAt": now,
            "createdBy": job.get("createdBy", ""),
            "createdIp": job.get("createdIp", ""),
            "updatedAt": now,
            "ttl": self._expires(),
        }
        if job.get("mode") == STEP_FUNCTION:
            # The state machine ends the job, not its rows.
            common["mode"] = STEP_FUNCTION

        def new_row(key: ImportRowKey, number: int, line: int, values: Mapping[str, Any], new: str) -> Item:
            own = {"pk": key.pk, "sk": key.sk, "number": number, "line": line, "row": dict(values), "status": new}
            return {**own, **common}

        return new_row

    def becomes(self, new: str, **fields: Any) -> dict[Path, Any]:
        """The fields of a status change."""
        changed: dict[Path, Any] = {"status": new, "updatedAt": iso(self._clock.now())}
        changed.update(fields)
        return changed

    def _expires(self) -> int:
        return int(self._clock.now()) + ROW_DAYS * SECONDS_PER_DAY
