"""The report of failed rows: its columns and reasons, and that it can be corrected and imported."""

from __future__ import annotations

import csv
import io

import pytest

from handlers.imports.files.inspection import REPORT, inspect
from handlers.imports.files.layout import Layout
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION, ImportJob, Reason
from handlers.imports.jobs.report import MOST_REASONS, report_parts, write_report
from handlers.imports.keys import ImportJobKey
from handlers.objects.memory import MemoryObjects
from handlers.store.memory import MemoryTableStore
from tests.support.import_world import BUCKET, CONTEXT, ImportWorld
from tests.unit.handlers.imports.quirks import read

COLUMNS = ("icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid")
#: The values of each column that spreadsheets would run or change; ``'=1`` is in the file as it is here.
ROWS = [
    ["A01", "", "=1+1", "a;=b", "\u3000@x", "!", "-12", "-53.49", "+1.5", "", "two\n- lines"],
    ["A02", "", "'=1", "\uff1dcmd", "it's", "!", "", "1", "2", "\tx", ""],
    ["A03", "", "plain", "", "", "!", "", "1", "2", "", ""],
]


@pytest.fixture(params=[DIRECT, STEP_FUNCTION])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text_of(rows: list[list[str]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def report_of(world: ImportWorld, job: ImportJob) -> bytes:
    return b"".join(world.objects.contents[key] for key in job.report)


# -- columns ----------------------------------------------------------------------------------------


def test_edge_34_the_report_has_the_files_columns_in_their_order(mode: str) -> None:
    """Optional ones in the middle; one that the file doesn't have is not in the report either."""
    optional = ("iata", "tz", "lid", "elevation")
    world = ImportWorld(mode=mode, optional=optional, columns=tuple(name for name in COLUMNS if name not in optional))
    header = ["lon", "tz", "lat", "country", "elevation", "name", "icao", "subd", "iata", "city"]
    row = ["2", "T", "1", "!", "7", "n", "A01", "s", "I", "c"]
    job = world.import_file(text_of([header, row, [*row, "more", "", "still more"]]))
    told, first, second = rows_of(report_of(world, job))
    assert told == ["row", "line", "code", "message", *header]
    assert first[:3] + first[4:] == ["1", "2", "InvalidValue", *row]
    assert second[:3] + second[4:] == ["2", "3", "TooManyValues", *row, "more", "", "still more"]


def test_edge_34_the_order_is_not_that_of_the_stored_map() -> None:
    """DynamoDB gives the values of a map in any order."""
    row = {
        "number": 1,
        "line": 2,
        "error": {"type": "T", "message": "m"},
        "row": {"value 3": "x", "b": "2", "optional": "", "a": "1"},
    }
    (part,) = report_parts(iter([row]), ["a", "b"])
    assert rows_of(part) == [["row", "line", "code", "message", "a", "b"], ["1", "2", "T", "m", "1", "2", "x"]]


# -- reasons ----------------------------------------------------------------------------------------


def test_edge_33_the_reasons_are_counted_by_code_with_the_first_row_of_each(mode: str) -> None:
    world = ImportWorld(mode=mode)
    good = ["A01", "", "n", "", "", "JP", "", "1", "2", "", ""]
    bad = ["A02", "", "n", "", "", "Japan", "", "1", "2", "", ""]
    rows = [list(COLUMNS), good, [*good, "x"], bad, ["A03", *bad[1:]]]
    job = world.import_file(text_of(rows))
    message = "country: 'Japan' is not allowed; expected two letters A-Z"
    assert job.reasons == (
        Reason("InvalidValue", 2, 3, 4, message),
        Reason("TooManyValues", 1, 2, 3, "12 values, but the header names 11 columns"),
    )
    assert job.report_urls == tuple(f"s3://{BUCKET}/{key}" for key in job.report)
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    assert [(one.code, one.rows) for one in world.job(job).reasons] == [("InvalidValue", 2), ("TooManyValues", 1)]


def test_edge_33_a_job_names_the_most_frequent_reasons_only() -> None:
    """The codes of commands that failed are the application's: any number of them must not fill the job's row."""
    store, key = MemoryTableStore(), ImportJobKey("CSV_IMPORT", "t1", "airports", "0" * 26)
    for index in range(2 * MOST_REASONS + 1):
        row_key = key.row(index)
        code = f"Code{index:02d}" if index < 2 * MOST_REASONS - 1 else "Frequent"
        row = {"number": index + 1, "line": index + 2, "row": {"a": "1"}, "error": {"type": code, "message": "m"}}
        store.put("import_tmp", {"pk": row_key.pk, "sk": row_key.sk, "kind": "row", "status": "FAILED", **row})
    written = write_report(store, MemoryObjects("store"), key, 1, ["a"])
    assert len(written.reasons) == MOST_REASONS
    assert written.reasons[:2] == [Reason("Frequent", 2, 40, 41, "m"), Reason("Code00", 1, 1, 2, "m")]


# -- importing it again -------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_edge_28_a_corrected_report_is_imported_as_the_rows_that_it_is_of(mode: str, delimiter: str) -> None:
    """As a spreadsheet saves it: another delimiter, other quotes, no byte order mark."""
    world = ImportWorld(mode=mode)
    failed = world.import_file(text_of([list(COLUMNS), *ROWS]))
    header, *rows = rows_of(report_of(world, failed))
    assert [row[header.index("lat")] for row in rows] == ["-53.49", "1", "1"]
    assert [row[header.index("name")] for row in rows] == ["'=1+1", "''=1", "plain"]
    for row in rows:
        row[header.index("country")] = "JP"
    corrected = world.import_file(text_of([header, *rows], delimiter), "corrected.csv")
    assert (corrected.status, corrected.counts.applied) == ("COMPLETED", 3)
    stored = {row["sk"]: row for row in world.commands()}
    for expected in ROWS:
        command = stored[f"AIRPORT#{expected[0]}@0000000001"]
        values = dict(zip(COLUMNS, expected, strict=True))
        assert command["name"] == values["name"]
        assert {name: command["attributes"][name] for name in ("city", "subd", "tz", "lid")} == {
            name: values[name] for name in ("city", "subd", "tz", "lid")
        }
        assert command["attributes"]["lat"] == float(values["lat"])


def test_edge_28_a_report_that_is_imported_as_it_is_fails_with_the_same_rows(mode: str) -> None:
    world = ImportWorld(mode=mode)
    first = report_of(world, world.import_file(text_of([list(COLUMNS), *ROWS])))
    again = report_of(world, world.import_file(first, "report.csv"))
    assert again == first


def test_edge_28_lines_are_those_of_the_report_also_behind_line_ends_in_its_own_columns() -> None:
    """Somebody wrote notes into the column of messages."""
    header = ["row", "line", "code", "message", *COLUMNS]
    good = ["A01", "", "n", "", "", "JP", "", "1", "2", "", ""]
    rows = [header, ["1", "2", "C", "two\nlines", *good], [], ["2", "3", "C", "m\r\n\r\n", "A02", *good[1:]]]
    outcome = read(text_of([*rows, ["3", "5", "C", "m", *good[:3], "x", *good[4:], "beyond"]]))
    assert [(one.number, one.line) for one in outcome.records] == [(1, 2), (2, 5), (3, 8)]
    assert outcome.inspection.header == list(COLUMNS)
    assert REPORT in outcome.inspection.reasons
    assert outcome.problems == {3: "TooManyValues: 12 values, but the header names 11 columns"}


@pytest.mark.parametrize(
    ("columns", "header", "is_report"),
    [
        (("row", "line", "code", "message"), "row,line,code,message", False),
        (("row", "line", "code", "message"), "row,line,code,message,row,line,code,message", True),
        (("code", "name"), "row,line,code,message,code,name", True),
        (("row", "line", "code", "message", "id"), "row,line,code,message,id", False),
    ],
)
def test_a_tables_own_columns_of_these_names_are_its_own(
    columns: tuple[str, ...], header: str, is_report: bool
) -> None:
    layout = Layout("things", columns, (columns[0],))
    found = inspect(lambda: io.BytesIO(f"{header}\n".encode()), layout, versioned=True)
    assert (REPORT in found.reasons, found.header) == (is_report, list(columns))
