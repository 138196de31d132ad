"""Entries of archives that are not imported: each is listed with its reason, as the documentation says."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from handlers.imports.jobs.model import ImportJob
from tests.support.zip_world import CONTEXT, HEADER, ZipWorld, airports, archive
from tests.unit.handlers.imports.test_archive import encrypted

PAGE = Path(__file__).resolve().parents[4] / "docs" / "imports.md"
NAME = "20250101000000-airports.csv"


def report(world: ZipWorld, job: ImportJob) -> list[dict[str, str]]:
    (key,) = job.report
    text = world.objects.contents[key].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_edge_30_what_is_skipped_is_reported_by_job_files_and_report() -> None:
    others = {"./notes.txt": b"x", "__MACOSX/._a.csv": b"x", "x/.hidden.csv": b"x", "x/": b""}
    world = ZipWorld()
    job = world.import_archive(archive(airports("a"), **others))
    assert (job.status, job.error, job.files, job.skipped_files, job.failed_files) == ("COMPLETED", None, 1, 3, 0)
    expected = [
        ("notes.txt", "NotCsv", "its name does not end in .csv, .jsonl or .ndjson"),
        ("__MACOSX/._a.csv", "ResourceFork", "added by an archiver of macOS"),
        ("x/.hidden.csv", "Hidden", "hidden: a part of its name begins with a dot"),
    ]
    imported, *skipped = world.files(job)
    assert (imported.name, imported.status) == ("20250100000001-airports.csv", "COMPLETED")
    assert {file.status for file in skipped} == {"SKIPPED"}
    assert [(file.name, *(file.error or {}).values()) for file in skipped] == expected
    assert job.report_urls == (f"s3://store/{job.report[0]}",)
    imported_line, *lines = report(world, job)
    assert (imported_line["status"], imported_line["rows"]) == ("COMPLETED", "1")
    assert [(line["file"], line["code"], line["message"]) for line in lines] == expected
    assert {line["status"] for line in lines} == {"SKIPPED"}
    world.check()


def test_edge_30_an_archive_of_files_only_has_no_report() -> None:
    world = ZipWorld()
    job = world.import_archive(archive(airports("a"), **{"./20250101000000-airports.csv": airports("b")}))
    assert (job.status, job.files, job.skipped_files, job.report) == ("COMPLETED", 2, 0, ())
    assert [file.counts.total for file in world.files(job)] == [1, 1]


def test_edge_30_skipped_entries_do_not_count_as_files() -> None:
    world = ZipWorld()
    job = world.create(archive(airports("a"), **{"readme.md": b"x"}))
    world.service.cancel_import(job.id, CONTEXT)
    world.run()
    assert world.job(job).status == "CANCELLED"
    world = ZipWorld()
    job = world.import_archive(archive(HEADER[4:].encode(), **{"readme.md": b"x"}))
    assert (job.status, job.files, job.failed_files) == ("FAILED", 1, 1)
    assert job.error is not None
    assert job.error["message"].startswith("1 of 1 files failed: 20250100000001-airports.csv (MissingColumn)")


# -- the documentation --------------------------------------------------------------------------------


def of(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Two good files, and behind them one of this name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("20240101000000-airports.csv", airports("a"))
        file.writestr("20240102000000-airports.csv", airports("b"))
        file.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def damaged(content: bytes) -> bytes:
    at = content.index(b"damaged")
    return content[:at] + b"DAMAGED" + content[at + 7 :]


def patched(content: bytes) -> bytes:
    """Bit 5 of the flags, which Python's module does not support (APPNOTE.TXT 4.4.4)."""
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.rindex(signature) + offset
        content = content[:at] + b"\x20" + content[at + 1 :]
    return content


def only(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return buffer.getvalue()


CASES: dict[str, list[Callable[[], bytes]]] = {
    "NotAnArchive": [lambda: b"icao\n", lambda: of(NAME, b"x")[:-30]],
    "EmptyArchive": [lambda: only(), lambda: only("a/")],
    "NoCsvFiles": [lambda: only("readme.txt")],
    "UnsafeName": [lambda: of("../a.csv", b"x"), lambda: of("a\\..\\..\\a.csv", b"x")],
    "TooManyEntries": [lambda: only(*(f"{number}.csv" for number in range(1_001)))],
    "ArchiveTooLarge": [lambda: of(NAME, bytes(10_000_001), zipfile.ZIP_STORED)],
    "ArchiveRatio": [lambda: of(NAME, bytes(2_000_000))],
    "UnreadableEntry": [
        lambda: encrypted(of(NAME, b"x")),
        lambda: damaged(of(NAME, b"damaged", zipfile.ZIP_STORED)),
        lambda: of(NAME, b"x", zipfile.ZIP_BZIP2),
        lambda: patched(of(NAME, b"x")),
    ],
    "NoTable": [lambda: of("airports.csv", airports("c"))],
    "UnknownTable": [lambda: of("20250101000000-planes.csv", airports("c"))],
    "MissingColumn": [lambda: of(NAME, HEADER[5:].encode())],
}


def documented() -> dict[str, str]:
    """Code to what is imported nevertheless."""
    table = PAGE.read_text(encoding="utf-8").partition("| problem | code | what is imported |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\|.*\| `(\w+)`[^|]* \| (nothing|the other files) \|$", table, re.MULTILINE))


@pytest.mark.parametrize("code", CASES)
def test_edge_32_archives_are_imported_as_far_as_the_documentation_says(code: str) -> None:
    for made in CASES[code]:
        world = ZipWorld()
        job = world.import_archive(made())
        files = world.files(job)
        assert job.status == "FAILED"
        assert job.error is not None
        if documented()[code] == "nothing":
            assert (job.error["type"], files, job.counts.applied) == (code, [], 0)
        else:
            outcomes = {file.name: (file.status, (file.error or {}).get("type")) for file in files}
            assert sorted(outcomes.values(), key=str) == [("COMPLETED", None), ("COMPLETED", None), ("FAILED", code)]
            assert job.error["type"] == "FilesFailed"
            assert [line["code"] for line in report(world, job) if line["status"] == "FAILED"] == [code]


def test_edge_32_each_case_of_the_documentation_is_tried() -> None:
    assert list(documented()) == list(CASES)
