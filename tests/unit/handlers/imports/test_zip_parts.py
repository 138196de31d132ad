"""The parts of an archive's import on their own: unpacking in steps, ranges, the report, what is asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import pytest

from handlers.core.errors import NotFound, RequestConflict, ValidationError
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.jobs.model import Counts
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.keys import ImportJobKey
from handlers.imports.service import ImportService
from handlers.imports.strategy import load_import_tables
from handlers.imports.zip.archive import ZipLimits
from handlers.imports.zip.callbacks import Callbacks
from handlers.imports.zip.files import ZipCanceller, ZipFiles
from handlers.imports.zip.finalize import ImportedFile
from handlers.imports.zip.loader import UNPACK_SECONDS, ZipLoader
from handlers.imports.zip.object_ranges import ObjectRanges
from handlers.imports.zip.report import files_report
from handlers.imports.zip.repository import ArchiveRepository, Wait
from handlers.objects.memory import MemoryObjects, MemorySource
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.memory import MemoryTableStore
from tests.support.clock import ManualClock
from tests.support.gate import Gate, Gated
from tests.support.import_world import CONTEXT
from tests.support.zip_world import BUCKET, airports, archive


class SlowObjects(MemoryObjects):
    """Each object takes its time."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        super().__init__("store")
        self._clock = clock
        self._seconds = seconds

    def write(self, key: str, blocks: Iterable[bytes], **options: Any) -> int:
        self._clock.advance(self._seconds)
        return super().write(key, blocks, **options)


class LoaderWorld:
    def __init__(self, content: bytes, *, seconds: float = 0, versioned: bool = True, **limits: int) -> None:
        self.clock, self.store = ManualClock(), MemoryTableStore()
        store = self.store
        self.source = MemorySource(BUCKET, versioned=versioned)
        self.source.put(BUCKET, "a.zip", content)
        self.objects = SlowObjects(self.clock, seconds)
        self.service = ImportService(store, self.clock, ["airports"], [BUCKET])
        self.job = self.service.create_zip_import(BUCKET, "a.zip", CONTEXT)
        self.run = JobRun(self.job.key, 1)
        self.files = ArchiveRepository(store, self.clock)
        import_repository = ImportRepository(store, self.clock)
        tables = load_import_tables(["tests.modules.airports"], {"store": store, "clock": self.clock})
        self.load = ZipLoader(
            import_repository, self.files, self.source, self.objects, tables, self.clock, ZipLimits(**limits)
        )

    def unpacked(self) -> list[str]:
        return [file["name"] for file in self.files.files(self.job.key)]


def test_files_are_unpacked_over_several_calls_each_of_them_once() -> None:
    world = LoaderWorld(archive(*[airports("a")] * 5), seconds=UNPACK_SECONDS / 2)
    answers = [world.load(world.run) for _ in range(4)]
    assert answers == [{"result": "more"}, {"result": "more"}, *[{"result": "ready", "positions": [0, 1, 2, 3, 4]}] * 2]
    assert world.objects.calls == ["write"] * 5
    assert sorted(world.objects.contents) == [f"zip/t1/{world.job.key.ulid}/1/{number:04d}.csv" for number in range(5)]
    assert set(world.objects.contents.values()) == {airports("a")}


def test_a_slow_file_is_unpacked_all_the_same() -> None:
    world = LoaderWorld(archive(*[airports("a")] * 2), seconds=10 * UNPACK_SECONDS)
    assert [world.load(world.run)["result"] for _ in range(2)] == ["more", "ready"]


@pytest.mark.parametrize("versioned", [True, False])
def test_an_archive_that_is_replaced_while_it_is_unpacked(versioned: bool) -> None:
    world = LoaderWorld(archive(*[airports("a")] * 2), seconds=UNPACK_SECONDS, versioned=versioned)
    assert world.load(world.run) == {"result": "more"}
    world.source.put(BUCKET, "a.zip", archive(airports("b")))
    answer = world.load(world.run)
    job = world.service.get_import(world.job.id, CONTEXT)
    if versioned:
        assert (answer["result"], len(world.unpacked())) == ("ready", 2)
        assert set(world.objects.contents.values()) == {airports("a")}
    else:
        assert (answer, job.status) == ({"result": "ended"}, "FAILED")
        assert job.error is not None
        assert job.error["type"] == "ObjectChanged"


def test_zip_08_limits_are_those_that_are_given() -> None:
    world = LoaderWorld(archive(airports("a"), airports("b")), entries=1)
    assert world.load(world.run) == {"result": "ended"}
    job = world.service.get_import(world.job.id, CONTEXT)
    assert job.error == {
        "type": "TooManyEntries",
        "message": "the archive has 2 entries; at most 1 are allowed (zipMaxEntries)",
    }
    assert (world.unpacked(), world.objects.contents) == ([], {})
    assert world.load(world.run) == {"result": "ended"}
    assert world.load(JobRun(world.job.key, 2)) == {"result": "ended"}


def test_an_archive_that_is_gone() -> None:
    world = LoaderWorld(archive(airports("a")))
    world.source.contents[BUCKET].clear()
    assert world.load(world.run) == {"result": "ended"}
    job = world.service.get_import(world.job.id, CONTEXT)
    assert job.error is not None
    assert (job.status, job.error["type"]) == ("FAILED", "ObjectMissing")


def test_ranges_are_read_ahead_and_no_more_is_kept() -> None:
    source = MemorySource(BUCKET)
    source.put(BUCKET, "a", bytes(range(100)))
    ranges = ObjectRanges(source, source.find(BUCKET, "a"), ahead=10)
    assert ranges.size == 100
    for start in range(0, 100, 5):
        assert ranges.read(start, 5) == bytes(range(start, start + 5))
    assert ranges.requests == 10
    assert ranges.read(20, 30) == bytes(range(20, 50))
    assert ranges.read(96, 10) == bytes(range(96, 100))
    assert ranges.requests == 12


def test_the_report_names_each_file_and_no_spreadsheet_runs_it() -> None:
    error = {"type": "RowsFailed", "message": "1 of 3 rows failed; see the report"}
    files = [
        ImportedFile("=cmd.csv", None, "FAILED", Counts(None), error={"type": "NoTable", "message": "no table"}),
        ImportedFile(
            "a,b.csv", "airports", "FAILED", Counts(3, 1, 1, 1), "CSV_IMPORT#j", error, ("reports/1", "2"), "CP932"
        ),
    ]
    text = files_report(files).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    named = ["file", "table", "status", "code", "message", "rows", "succeeded", "failed", "encoding", "job", "report"]
    assert header == named
    assert rows == [
        ["'=cmd.csv", "", "FAILED", "NoTable", "no table", "0", "0", "0", "", "", ""],
        [
            *("a,b.csv", "airports", "FAILED", "RowsFailed", error["message"]),
            *("3", "2", "1", "CP932", "CSV_IMPORT#j", "reports/1 2"),
        ],
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bucket": "other"}, "bucket: 'other' is not allowed; expected one of files"),
        ({"object_key": ""}, "key: '' is not allowed"),
        ({"table": "planes"}, "tableName: 'planes' is not allowed; expected one of airports"),
        ({"encoding": "latin-99"}, "encoding: 'latin-99' is not allowed"),
    ],
)
def test_bad_input_is_reported_before_anything_is_written(given: dict[str, Any], message: str) -> None:
    store = MemoryTableStore()
    service = ImportService(store, ManualClock(), ["airports"], [BUCKET])
    arguments = {"bucket": BUCKET, "object_key": "a.zip", **given}
    with pytest.raises(ValidationError, match=message):
        service.create_zip_import(context=CONTEXT, **arguments)
    assert store.scan("import_tmp").items == []


def test_a_request_id_gives_the_first_job_again() -> None:
    service = ImportService(MemoryTableStore(), ManualClock(), ["airports"], [BUCKET])
    context = CONTEXT.__class__("u1", "t1", "10.0.0.1", "r1")
    first = service.create_zip_import(BUCKET, "a.zip", context)
    assert (first.table, first.status, first.files, first.counts.total) == ("ZIP", "CREATED", None, None)
    assert service.create_zip_import(BUCKET, "a.zip", context).id == first.id
    with pytest.raises(RequestConflict):
        service.create_zip_import(BUCKET, "b.zip", context)
    of_a_table = service.create_zip_import(BUCKET, "a.zip", context, table="airports")
    assert (of_a_table.table, of_a_table.id != first.id) == ("airports", True)


def test_the_files_of_another_tenant_or_of_no_archive_are_not_listed() -> None:
    service = ImportService(MemoryTableStore(), ManualClock(), ["airports"], [BUCKET])
    job = service.create_zip_import(BUCKET, "a.zip", CONTEXT)
    other = CONTEXT.__class__("u1", "t2", "10.0.0.1")
    for ask in (service.get_import, service.list_files, service.cancel_import):
        with pytest.raises(NotFound):
            ask(job.id, other)
    csv_job = service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT)
    with pytest.raises(ValidationError, match="expected the id of an archive's import"):
        service.list_files(csv_job.id, CONTEXT)
    assert service.list_files(job.id, CONTEXT) == []


def test_the_jobs_of_files_are_known_by_archive_and_position() -> None:
    archive_key = ImportJobKey("ZIP_IMPORT", "t1", "ZIP", "01KDVDNA0095Z7JFW9NZ4T3EPK")
    keys = [archive_key.child(table, position) for table in ("airports", "b") for position in range(50)]
    assert len(set(keys)) == 100
    assert len({key.ulid for key in keys}) == 50
    assert {key.ulid[:10] for key in keys} == {archive_key.ulid[:10]}
    assert archive_key.child("airports", 3) == keys[3]


def test_zip_07_a_trigger_that_is_overtaken_by_the_end_of_its_file_leaves_no_job_running() -> None:
    """The file is given up before each call of the trigger: then its job is not opened, or is cancelled."""
    seen = [overtaken(at) for at in range(4)]
    assert seen == [None, None, None, "CANCELLED"]


def overtaken(at: int) -> str | None:
    """What becomes of the job if the file is given up before call number ``at`` of the trigger."""
    world, gate = LoaderWorld(archive(airports("a"))), Gate()
    world.load(world.run)
    store: Any = Gated(world.store, gate)
    import_repository, files, workflows = (
        ImportRepository(store, world.clock),
        ArchiveRepository(store, world.clock),
        MemoryWorkflows(),
    )
    zip_files = ZipFiles(import_repository, files, Callbacks(import_repository, files, workflows), world.clock)

    def look(_: str) -> None:
        if len(gate.calls) == at + 1:
            gate.checkpoint = lambda _: None
            assert zip_files.cancel(world.run, 0, {"type": "Timeout", "message": "m"}) == {"result": "ended"}

    gate.checkpoint = look
    zip_files.trigger(world.run, 0, Wait("token", 0))
    if at == 3:
        assert len(gate.calls) == 3
        zip_files.cancel(world.run, 0, {"type": "Timeout", "message": "m"})
    job = world.store.get("import_tmp", *key_of(world.run.key.child("airports", 0)))
    return None if job is None else str(job["status"])


def key_of(key: ImportJobKey) -> tuple[str, str]:
    return key.pk, key.sk


def test_the_running_file_of_an_import_that_is_cancelled_is_cancelled_too() -> None:
    world = LoaderWorld(archive(airports("a"), airports("b")))
    world.load(world.run)
    import_repository = ImportRepository(world.store, world.clock)
    zip_files = ZipFiles(
        import_repository, world.files, Callbacks(import_repository, world.files, MemoryWorkflows()), world.clock
    )
    zip_files.trigger(world.run, 0, Wait("token", 0))
    world.service.cancel_import(world.job.id, CONTEXT)
    ZipCanceller(import_repository, world.files)(world.run.key)
    assert [job.status for job in world.service.list_imports(CONTEXT)] == ["CANCELLED"]
    zip_files.trigger(world.run, 1, Wait("token", 0))
    assert len(world.service.list_imports(CONTEXT)) == 1


def test_a_damaged_file_fails_alone() -> None:
    damaged = bytearray(archive(airports("first"), airports("second")))
    damaged[damaged.index(b"first")] = 0
    world = LoaderWorld(bytes(damaged))
    assert world.load(world.run) == {"result": "ready", "positions": [0, 1]}
    assert [file.get("error", {}).get("type") for file in world.files.files(world.run.key)] == ["UnreadableEntry", None]
