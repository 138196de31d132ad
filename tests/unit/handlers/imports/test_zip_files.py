"""The wait for one file of an archive: whose token is answered, and that none is left."""

from __future__ import annotations

from typing import Any
from zipfile import ZipInfo

from handlers.core.context import InvokeContext
from handlers.imports.jobs import status
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.service import ImportService
from handlers.imports.zip.archive import CsvEntry
from handlers.imports.zip.callbacks import Callbacks
from handlers.imports.zip.files import ZipFiles, child_of
from handlers.imports.zip.repository import ArchiveRepository, Wait
from handlers.store.memory import MemoryTableStore
from handlers.store.port import Item
from tests.support.clock import ManualClock


class Machine:
    """Which tokens were answered, with what."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str]] = []

    def start(self, machine: str, name: str, payload: Any) -> bool:
        raise AssertionError("nothing is started here")

    def resume(self, token: str, output: Any) -> bool:
        self.answers.append((token, output["status"]))
        return True


class OneFile:
    """An archive with one file, which is unpacked."""

    def __init__(self) -> None:
        self.store, self.machine, clock = MemoryTableStore(), Machine(), ManualClock()
        self.import_repository, zips = ImportRepository(self.store, clock), ArchiveRepository(self.store, clock)
        service = ImportService(self.store, clock, ["airports"], ["files"])
        self.run = JobRun(service.create_zip_import("files", "a.zip", InvokeContext("u1", "t1", "10.0.0.1")).key, 1)
        self.import_repository.begin(self.run.key, 1, {"etag": "e"})
        zips.add_file(
            self.run.key, CsvEntry(0, "a.csv", "airports", 1, ZipInfo("a.csv")), bucket="files", key="zip/0.csv"
        )
        file = zips.file(self.run.key, 0)
        assert file is not None
        self.child = child_of(self.run.key, file)
        self.callbacks = Callbacks(self.import_repository, zips, self.machine)
        self.files = ZipFiles(self.import_repository, zips, self.callbacks, clock)

    def job(self) -> Item:
        job = self.import_repository.job(self.child)
        assert job is not None
        return job

    def end(self) -> None:
        self.import_repository.change_job(self.child, 1, status.PROCESSING, object={})
        self.import_repository.change_job(self.child, 1, status.COMPLETED)
        self.callbacks(self.child)


def test_the_token_of_the_last_try_is_answered_once_and_gone() -> None:
    one = OneFile()
    one.files.trigger(one.run, 0, Wait("first", 0))
    one.files.trigger(one.run, 0, Wait("second", 1))
    one.files.trigger(one.run, 0, Wait("first", 0))
    assert one.job()["taskToken"] == "second"
    one.end()
    one.callbacks(one.child)
    assert one.machine.answers == [("second", "COMPLETED")]
    assert "taskToken" not in one.job()


def test_a_try_after_the_end_is_answered_and_leaves_no_token() -> None:
    """Also the late call of an earlier try, which may die at any point."""
    one = OneFile()
    one.files.trigger(one.run, 0, Wait("first", 0))
    one.end()
    before = one.job()
    one.files.trigger(one.run, 0, Wait("late", 0))
    one.files.trigger(one.run, 0, Wait("second", 1))
    assert one.machine.answers == [("first", "COMPLETED"), ("late", "COMPLETED"), ("second", "COMPLETED")]
    assert one.job() == before
