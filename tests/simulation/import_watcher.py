"""The promises of imports, checked whenever a call has changed ``import_tmp``, and once more when all is at rest.

Counters are the rows at every moment; a row comes to one outcome in an attempt, and has one command in it; a job ends
once in an attempt, when all rows have ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.rows import IMPORT_SOURCE
from handlers.commands import status as command_status
from handlers.commands.attributes import ATTRIBUTES
from handlers.imports.jobs import status
from handlers.imports.jobs.counters import counter_of
from handlers.imports.jobs.model import APPLIED, SHARD_COUNTERS
from handlers.imports.keys import IMPORT_SHARDS, ImportRowKey
from handlers.store.port import COMMANDS, IMPORT_TMP, Item
from tests.simulation.import_archives import BY_MACHINE, Archives
from tests.simulation.import_files import SECRET, File, Row
from tests.simulation.keys import version_key
from tests.simulation.watcher import Violation, Watcher

#: What a row or job never changes.
FIXED = ("kind", "jobId", "tableName", "number", "line", "row", "createdAt", "createdBy", "bucket", "key", "parent")
#: What still changes on a job that has its outcome.
AFTER_THE_END = {"taskToken", "openShard", "dueAt"}


@dataclass
class Job:
    """What is known of one import of a file (or of a row on its own, which has no ``row`` of a job)."""

    label: str
    row: Item | None = None
    rows: dict[int, Item] = field(default_factory=dict)
    #: by partition: the counters as stored, and as the rows are
    counted: dict[int, Counter[str]] = field(default_factory=dict)
    actual: dict[int, Counter[str]] = field(default_factory=dict)
    #: by attempt: how often it came to an outcome
    ends: Counter[int] = field(default_factory=Counter)
    was_asked_to_cancel: bool = False


class ImportWatcher:
    """Beside the pipeline's watcher, which gets the violations. ``file_of``: the file of a job's row."""

    def __init__(self, file_of: Callable[[Item], File | None]) -> None:
        self._file_of = file_of
        self.jobs: dict[str, Job] = {}
        self.labels: dict[str, str] = {}
        #: rows on their own
        self.singles: dict[str, Item] = {}
        self.commands: dict[str, list[tuple[str, int]]] = {}
        self.alarms: Counter[str] = Counter()
        self.notifications: Counter[tuple[str, int, str]] = Counter()
        self.archives = Archives(self)
        self.changes = 0
        self._dirty_shards: set[tuple[str, int]] = set()
        self._ended_rows: list[Item] = []
        self._ended_jobs: set[str] = set()

    def watch(self, watcher: Watcher) -> None:
        """Give the violations to it, and read commands there."""
        self._watcher = watcher

    def job(self, ulid: str) -> Job:
        """What is known of a job."""
        known = self.jobs.get(ulid)
        if known is None:
            known = self.jobs[ulid] = Job(self.labels.get(ulid, ulid))
        return known

    @property
    def is_open(self) -> bool:
        """Some job or row has no outcome."""
        jobs = (job.row for job in self.jobs.values() if job.row is not None)
        return any(not status.is_terminal(row) for row in [*jobs, *self.singles.values()])

    # -- at each change -----------------------------------------------------------------------------

    def changed(self, table: str, before: Item | None, after: Item | None) -> None:
        """A row changed. What more than one row must agree on is looked at by ``settled``."""
        if table == COMMANDS and after is not None and before is None and after.get("source") == IMPORT_SOURCE:
            self._published(after)
        if table != IMPORT_TMP or after is None:
            return
        self.changes += 1
        kind = after["kind"]
        self._name(after)
        label = self.label_of(after["pk"], after["sk"])[0]
        if before is not None:
            for name in FIXED:
                if before.get(name) != after.get(name):
                    self.broken("G3", label, f"{name} of {after['pk']} {after['sk']} changed")
        if kind == status.FILE:
            self.archives.file(after)
        if kind in (status.JOB, status.ROW):
            self._status(label, before, after)
        if kind == status.JOB:
            self._job(before, after)
        elif kind == status.ROW:
            self._row(before, after)
        elif kind == status.COUNTERS:
            _, _, ulid, shard = after["pk"].split("#")
            counts = Counter({name: after[name] for name in SHARD_COUNTERS if after.get(name)})
            self.job(ulid).counted[int(shard)] = counts
            self._dirty_shards.add((ulid, int(shard)))

    def settled(self) -> None:
        """A call to the table is complete: whatever it wrote is there."""
        for ulid, shard in self._dirty_shards:
            job = self.job(ulid)
            counted, actual = (_without_zeros(side.get(shard, {})) for side in (job.counted, job.actual))
            if counted != actual:
                self.broken("COUNTERS", job.label, f"partition {shard} counts {counted}, rows: {actual}")
        self._dirty_shards.clear()
        for row in self._ended_rows:
            self._row_ended(row)
        self._ended_rows.clear()
        for ulid in self._ended_jobs:
            self._job_ended(self.job(ulid))
        self._ended_jobs.clear()

    def _name(self, row: Item) -> None:
        """A label for an import: its request id; of a file of an archive, the archive's and its place there."""
        ulid = row["sk"].rpartition("#")[2]
        if "parent" in row:
            parent = row["parent"].rpartition("#")[2]
            self.labels[ulid] = f"{self.labels.get(parent, parent)}.{row['position']}"
        elif "requestId" in row:
            self.labels[ulid] = row["requestId"]

    def _status(self, label: str, before: Item | None, after: Item) -> None:
        if before is None:
            return
        change = f"{after['sk']}: {before['status']} -> {after['status']}"
        if after["attempt"] != before["attempt"]:
            # A row may be left out by an attempt of its job.
            steps = after["attempt"] - before["attempt"]
            if before["status"] != status.FAILED or steps < 1 or (steps > 1 and after["kind"] == status.JOB):
                self.broken("G5", label, f"{change}: attempt {before['attempt']} -> {after['attempt']}")
        elif status.is_terminal(before) and after["status"] != before["status"]:
            self.broken("G5", label, f"{change}: the outcome was left")

    def _job(self, before: Item | None, after: Item) -> None:
        ulid = after["sk"].rpartition("#")[2]
        job = self.job(ulid)
        job.row = after
        if before is None and "parent" in after:
            self.archives.begun(job.label, after)
        job.was_asked_to_cancel |= bool(after.get("cancelRequested")) or after["status"] == status.CANCELLED
        ended_before = before is not None and status.is_terminal(before) and before["attempt"] == after["attempt"]
        if status.is_terminal(after) and not ended_before:
            job.ends[after["attempt"]] += 1
            self._ended_jobs.add(ulid)
        if ended_before and before is not None:
            changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
            if changed - AFTER_THE_END:
                self.broken("G5", job.label, f"{', '.join(sorted(changed))} of the job changed after its end")

    def _row(self, before: Item | None, after: Item) -> None:
        key = ImportRowKey.parse(after["pk"], after["sk"])
        if key.index is None:
            self.singles[after["sk"]] = after
        else:
            ulid, shard = key.name.partition("#")[0], key.index % IMPORT_SHARDS
            job = self.job(ulid)
            job.rows[key.index] = after
            actual = job.actual.setdefault(shard, Counter())
            for row, amount in ((before, -1), (after, 1)):
                if row is not None and status.is_terminal(row):
                    actual[counter_of(row)] += amount
            self._dirty_shards.add((ulid, shard))
        if status.is_terminal(after) and (before is None or before["status"] != after["status"]):
            self._ended_rows.append(after)

    def _published(self, command: Item) -> None:
        """One command for a row and attempt, with the row's content."""
        request = command.get("requestId", "")
        found = ImportRowKey.of_request(command["tenantCode"], request)
        written = self.commands.setdefault(request, [])
        key = version_key(command["pk"], command["sk"])
        written.append((key.entity.code, key.version))
        if found is None:
            self.broken("G3", key.entity.code, f"{key} of an import has the request id {request!r}")
            return
        label, number = self.label_of(found[0].pk, found[0].sk)
        if len(written) > 1:
            self.broken("G3", label, f"row {number} was published twice: {written}")
        row = self._stored(found[0])
        if row is None or row["attempt"] != found[1]:
            self.broken("G3", label, f"row {number} was published as {request}, it is {row}")
            return
        values = row["row"]
        if command[ATTRIBUTES] != {"n": int(values["n"]), "note": values["note"]} or key.entity.code != values["code"]:
            self.broken("G3", label, f"row {number} was published with other content, as {key}")

    def _stored(self, key: ImportRowKey) -> Item | None:
        if key.index is None:
            return self.singles.get(key.sk)
        return self.job(key.name.partition("#")[0]).rows.get(key.index)

    def _row_ended(self, row: Item) -> None:
        """A row has come to its outcome; its command agrees."""
        label, number = self.label_of(row["pk"], row["sk"])
        place = f"row {number} is {row['status']}"
        request = ImportRowKey.parse(row["pk"], row["sk"]).request_id(row["attempt"])
        command = self._command_of(request)
        if row["status"] == status.FAILED:
            error = row.get("error", {})
            if not error.get("type") or not error.get("message"):
                self.broken("G1", label, f"{place} without a reason: {error}")
        if row["status"] == status.COMPLETED and row["result"] == APPLIED:
            if command is None or not command_status.is_done(command):
                state = "absent" if command is None else command["status"]
                self.broken("G1", label, f"{place}, and its command {request} is {state}")
        elif row["status"] == status.FAILED:
            of_another = "commandSk" in row and (command is None or command["sk"] != row["commandSk"])
            if of_another and row["commandSk"].partition("@")[0].endswith(f"#{row['row']['code']}"):
                self.broken("G3", label, f"{place} for {row['commandSk']}, its own command {request} is {command}")
        elif command is not None:
            self.broken("G3", label, f"{place} ({row.get('result')}), and has the command {command['sk']}")

    def _command_of(self, request: str) -> Item | None:
        written = self.commands.get(request)
        if not written:
            return None
        code, version = written[0]
        return self._watcher.entities[code].rows.get(version)

    def _job_ended(self, job: Job) -> None:
        """A job has come to its outcome: all rows have theirs, unless its file was refused."""
        row = job.row
        assert row is not None
        if job.ends[row["attempt"]] > 1:
            self.broken("G5", job.label, f"the job ended {job.ends[row['attempt']]} times in attempt {row['attempt']}")
        if row["pk"].startswith("ZIP_"):
            self.archives.ended(job.label, row)
            return
        if self._file_of(row) is None:
            if job.rows or row["status"] not in (status.FAILED, status.CANCELLED):
                self.broken("G1", job.label, f"a file that can't be imported is {row['status']}, rows: {job.rows}")
            return
        if row["status"] == status.CANCELLED and "object" not in row:
            if job.rows:
                self.broken("G1", job.label, "the job was cancelled before it began, and has rows")
            return
        if row.get("error", {}).get("type") in BY_MACHINE:
            return  # its rows go on; a retry loads what was not
        open_rows = sorted(index for index, one in job.rows.items() if not status.is_terminal(one))
        if open_rows:
            self.broken("G1", job.label, f"the job is {row['status']} and rows {open_rows} have no outcome")
        by_status = Counter(one["status"] for one in job.rows.values())
        stored = {name: row.get(name) for name in ("totalRows", "processedRows", "succeededRows", "failedRows")}
        actual = {
            "totalRows": len(job.rows),
            "processedRows": len(job.rows),
            "succeededRows": by_status[status.COMPLETED],
            "failedRows": by_status[status.FAILED],
        }
        if stored != actual:
            self.broken("COUNTERS", job.label, f"the job ended with {stored}, its rows are {actual}")
        right = status.COMPLETED
        if by_status[status.FAILED]:
            right = status.FAILED
        elif by_status[status.CANCELLED]:
            right = status.CANCELLED
        if row["status"] != right:
            self.broken("G1", job.label, f"the job is {row['status']}, its rows are {dict(by_status)}")

    # -- what others are told -----------------------------------------------------------------------

    def alarm(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """An alarm was delivered, of a job or of a row on its own."""
        identity = attributes["alarmId"]
        label = self.label_of(message["pk"], message["sk"])[0]
        self.alarms[identity] += 1
        attempt = int(identity.rpartition("#")[2])
        row = self._row_named(message["pk"], message["sk"])
        if row is None or attempt > row["attempt"] or (attempt == row["attempt"] and row["status"] != status.FAILED):
            self.broken("G1", label, f"an alarm {identity} for what is {row}")
        self._is_discreet(label, message)

    def notice(self, message: Mapping[str, Any]) -> None:
        """A job's outcome was told."""
        content = message["content"]
        label = self.label_of(message["pk"], message["sk"])[0]
        row = self._row_named(message["pk"], message["sk"])
        if row is None or content["attempt"] > row["attempt"]:
            self.broken("G1", label, f"an event tells what was never stored: {content}")
        elif content["attempt"] == row["attempt"] and content["status"] != row["status"]:
            self.broken("G1", label, f"an event tells {content['status']} of a job that is {row['status']}")
        self.notifications[message["id"], content["attempt"], content["status"]] += 1
        self._is_discreet(label, message)

    def _row_named(self, pk: str, sk: str) -> Item | None:
        return self.singles.get(sk) if pk.startswith("IMPORT#") else self.job(sk.rpartition("#")[2]).row

    def _is_discreet(self, label: str, message: Mapping[str, Any]) -> None:
        if SECRET in repr(message) or "AQC" in repr(message):
            self.broken("G1", label, f"a message holds a token or values of a row: {message}")

    @property
    def repeats(self) -> list[str]:
        """Alarms and outcomes of imports that went out more than once: without faults there are none."""
        sent = [*self.notifications.items(), *self.alarms.items()]
        return [f"{what}: {count} times" for what, count in sent if count > 1]

    # -- at rest ------------------------------------------------------------------------------------

    def at_rest(self, objects: Mapping[str, bytes]) -> None:
        """Nothing runs any more: what must hold now. ``objects`` has the reports."""
        for job in self.jobs.values():
            if job.row is None:
                self.broken("G1", job.label, "rows without a job")
            else:
                self._job_at_rest(job, job.row, objects)
        for row in self.singles.values():
            self._alone_at_rest(row)

    def _alone_at_rest(self, row: Item) -> None:
        label = self.label_of(row["pk"], row["sk"])[0]
        if not status.is_terminal(row):
            self.broken("G4", label, f"the row rests as {row['status']}")
        self._alarmed(label, row)
        self._not_lost(label, "the row", row)

    def _alarmed(self, label: str, row: Item) -> None:
        """One identity for each failure, and none else."""
        identity = f"{row['pk']}#{row['sk']}#{row['attempt']}"
        if (row["status"] == status.FAILED) != (identity in self.alarms):
            self.broken("G1", label, f"{row['status']}, alarms: {sorted(self.alarms)}")

    def _job_at_rest(self, job: Job, row: Item, objects: Mapping[str, bytes]) -> None:
        if not status.is_terminal(row):
            self.broken("G4", job.label, f"the job rests as {row['status']}")
            return
        self._alarmed(job.label, row)
        if "taskToken" in row:
            self.broken("ZIP", job.label, f"the job is {row['status']} and still has its token")
        if (f"{row['pk']}#{row['sk']}", row["attempt"], row["status"]) not in self.notifications:
            self.broken("G1", job.label, f"nobody was told that the job is {row['status']}")
        file = self._file_of(row)
        if file is None or "object" not in row:
            return
        died = row.get("error", {}).get("type") in BY_MACHINE
        if died:
            return  # its alarm asks for a retry, which brings every row to its outcome
        if sorted(job.rows) != list(range(len(file.rows))):
            self.broken("G1", job.label, f"the file has {len(file.rows)} rows, there are {sorted(job.rows)}")
            return
        for index, expected in enumerate(file.rows):
            self._row_at_rest(job, index, expected)
        told = "".join(objects[key].decode("utf-8-sig") for key in row.get("report", ())).splitlines()
        reported = {tuple(line.split(",")[:3:2]) for line in told if not line.startswith("row,")}
        failed = {(str(one["number"]), one["error"]["type"]) for one in job.rows.values() if one["status"] == "FAILED"}
        if reported != failed:
            self.broken("G1", job.label, f"the report tells {sorted(reported)}, FAILED are {sorted(failed)}")

    def _row_at_rest(self, job: Job, index: int, expected: Row) -> None:
        row = job.rows[index]
        place = f"row {index}"
        if expected.superseded_by is not None:
            if row["status"] != status.SUPERSEDED or row["supersededBy"] != expected.superseded_by:
                self.broken("G1", job.label, f"{place} is {row['status']}, expected SUPERSEDED: {expected}")
            return
        if row["status"] == status.CANCELLED:
            if not job.was_asked_to_cancel:
                self.broken("G1", job.label, f"{place} is CANCELLED, and nobody asked for it")
            return
        if expected.fails is not None:
            if row["status"] != status.FAILED or row["error"]["type"] != expected.fails:
                self.broken("G1", job.label, f"{place} is {row['status']} {row.get('error')}, expected {expected}")
            return
        if row["status"] not in (status.COMPLETED, status.FAILED):
            self.broken("G1", job.label, f"{place} is {row['status']}, expected {expected}")
        self._not_lost(job.label, place, row)

    def _not_lost(self, label: str, place: str, row: Item) -> None:
        """The content of a COMPLETED row is stored, or a later version is."""
        if row["status"] != status.COMPLETED:
            return
        values = row["row"]
        wanted = {"n": int(values["n"]), "note": values["note"]}
        entity = self._watcher.entities.get(values["code"])
        versions = {} if entity is None else entity.rows
        equal = [v for v, one in versions.items() if one.get(ATTRIBUTES) == wanted and one["name"] == f"n{values['n']}"]
        if entity is None or not any(command_status.is_done(versions[v]) and v <= entity.applied for v in equal):
            states = {v: versions[v]["status"] for v in equal}
            self.broken("G1", label, f"{place} is COMPLETED ({row['result']}), versions with its content: {states}")

    # -- inside -------------------------------------------------------------------------------------

    def label_of(self, pk: str, sk: str) -> tuple[str, int]:
        """Of a job, a row or a file: the job's label, and the row's number or 0."""
        parts = pk.split("#")
        if len(parts) > 2:
            number = int(sk) if sk.isdigit() else 0
            return self.labels.get(parts[2], parts[2]), number
        ulid = sk.rpartition("#")[2]
        return self.labels.get(ulid, ulid), 0

    def broken(self, guarantee: str, label: str, text: str) -> None:
        """A promise is broken."""
        self._watcher.violations.append(Violation(guarantee, label, text))


def _without_zeros(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number}
