"""The route of an import in memory: outcomes, counters, duplicates, and a crash at every call."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.core.errors import NotFound, RequestConflict, TransientConflict, ValidationError
from handlers.imports.files.layout import REJECT
from handlers.imports.files.limits import CsvLimits
from handlers.imports.jobs import status
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION
from handlers.store.port import COMMANDS, Change
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.import_world import BUCKET, CONTEXT, ImportWorld
from tests.support.parts import IN_PARTS, part_of
from tests.unit.handlers.imports.quirks import QUIRKS

MODES = [DIRECT, STEP_FUNCTION]
HEADER = "icao,iata,name,city,subd,country,elevation,lat,lon,tz,lid\n"


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def quirk(name: str) -> bytes:
    return (QUIRKS / name).read_bytes()


def airports(*names: str) -> bytes:
    """A file of airports; a name of ``!`` makes a row that is not valid."""
    countries = ["" if name == "!" else "JP" for name in names]
    rows = (f"A{index:03d},,{name},,,{countries[index]},,1,2,," for index, name in enumerate(names))
    return (HEADER + "\n".join(rows) + "\n").encode()


def summary(world: ImportWorld) -> tuple[Any, ...]:
    (job,) = world.service.list_imports(CONTEXT)
    counts = job.counts
    return job.status, counts.total, counts.succeeded, counts.failed


def report(world: ImportWorld, keys: tuple[str, ...]) -> list[list[str]]:
    text = b"".join(world.objects.contents[key] for key in keys).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


# -- outcomes ---------------------------------------------------------------------------------------


def test_rows_become_commands_and_the_job_completes(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(airports("a", "b", "c"))
    assert (job.status, job.counts.stored()) == (
        "COMPLETED",
        {
            "totalRows": 3,
            "processedRows": 3,
            "succeededRows": 3,
            "appliedRows": 3,
            "unchangedRows": 0,
            "failedRows": 0,
            "supersededRows": 0,
            "cancelledRows": 0,
        },
    )
    assert [row["name"] for row in world.commands()] == ["a", "b", "c"]
    assert {(row["createdBy"], row["createdIp"], row["source"]) for row in world.commands()} == {
        ("u1", "10.0.0.1", "import")
    }
    told = [message for message in world.topic.messages if message["action"] == "import-status"]
    assert [one["content"]["tableName"] for one in told] == ["airports"]
    assert [(one["content"]["status"], one["content"]["attempt"]) for one in told] == [("COMPLETED", 1)]
    assert told[0]["content"]["totalRows"] == 3


def test_imp_03_the_same_file_again_publishes_nothing(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.import_file(airports("a", "b"))
    job = world.import_file()
    assert (job.status, job.counts.unchanged, job.counts.applied) == ("COMPLETED", 2, 0)
    assert len(world.commands()) == 2


def test_imp_04_only_changed_rows_are_published(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.import_file(airports("a", "b", "c"))
    job = world.import_file(airports("a", "B", "c", "d"))
    assert (job.counts.unchanged, job.counts.applied) == (2, 2)
    assert [(row["code"], row["version"]) for row in world.commands() if row["version"] == 2] == [("A001", 2)]


def test_imp_05_the_last_row_of_a_key_wins(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(quirk("duplicate_keys.csv"))
    assert (job.status, job.counts.applied, job.counts.superseded, job.counts.total) == ("COMPLETED", 30, 15, 45)
    names = {row["code"]: row["name"] for row in world.commands()}
    assert len(names) == len(world.commands()) == 30
    assert names["00AA"] == "Aero B Ranch Airport"
    assert names["00AK"].endswith("(rev 3)")
    assert names["00AS"].endswith("(rev 2)")
    rows = world.rows()
    for row in rows:
        if row["status"] == "SUPERSEDED":
            assert rows[row["supersededBy"]]["row"]["icao"] == row["row"]["icao"]
            assert rows[row["supersededBy"]]["status"] == "COMPLETED"


def test_imp_05_rejected_repeats_fail_naming_the_first(mode: str) -> None:
    world = ImportWorld(mode=mode, on_duplicate=REJECT)
    job = world.import_file(quirk("duplicate_keys.csv"))
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 30, 15)
    messages = [row["error"]["message"] for row in world.rows() if row["status"] == "FAILED"]
    assert messages[0] == "key '00AA' is in row 1 (line 2) already"


def test_imp_06_bad_rows_are_in_the_report_and_the_others_applied(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(quirk("bad_values.csv"))
    assert (job.status, job.counts.total, job.counts.applied, job.counts.failed) == ("FAILED", 60, 50, 10)
    assert job.error == {"type": "RowsFailed", "message": "10 of 60 rows failed; see the report"}
    header, *rows = report(world, job.report)
    assert header[:6] == ["row", "line", "code", "message", "icao", "iata"]
    assert [row[0] for row in rows] == ["3", "9", "14", "20", "26", "31", "37", "43", "50", "58"]
    assert [row[1] for row in rows] == ["4", "10", "15", "21", "27", "32", "38", "44", "51", "59"]
    assert rows[3][2:4] == ["InvalidValue", "lat: '91.5' is not allowed; expected a number from -90 to 90"]


@pytest.mark.parametrize(
    ("key", "content", "message"),
    [
        ("missing.csv", None, "s3://files/missing.csv does not exist or may not be read"),
        ("a.csv", b"icao,name\n1,a\n", "columns 'country', 'lat', 'lon' of table 'airports' are missing"),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\xff\xfe\xfd", "the file is not UTF-16LE throughout: line 1, byte 3"),
    ],
)
def test_imp_09_what_cannot_be_imported_fails_without_rows(
    key: str, content: bytes | None, message: str, mode: str
) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(content, key)
    assert job.status == "FAILED"
    assert job.error is not None
    assert re.search(message, job.error["message"]), job.error
    assert world.rows() == []
    assert world.commands() == []


def test_imp_09_too_many_rows_for_a_direct_import() -> None:
    world = ImportWorld(mode=DIRECT, direct_rows=10)
    job = world.import_file(airports(*["a"] * 11))
    message = "the file has 11 rows; at most 10 are imported directly (importDirectRows)"
    assert (job.status, job.error) == ("FAILED", {"type": "TooManyRows", "message": message})
    assert world.rows() == []


def test_imp_09_a_bucket_that_is_gone(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.put(airports("a"))
    job = world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT, mode=mode)
    del world.source.contents[BUCKET]
    world.run()
    assert world.job(job).error == {"type": "BucketMissing", "message": "bucket files does not exist"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("planes", BUCKET, "a.csv"), "tableName: 'planes' is not allowed; expected one of airports"),
        (("airports", "other", "a.csv"), "bucket: 'other' is not allowed; expected one of files"),
        (("airports", BUCKET, ""), "key: '' is not allowed"),
        (("airports", BUCKET, "é" * 600), "key: .* is not allowed"),
    ],
)
def test_imp_09_wrong_requests_write_nothing(arguments: tuple[str, str, str], message: str) -> None:
    world = ImportWorld()
    with pytest.raises(ValidationError, match=message):
        world.service.create_csv_import(*arguments, CONTEXT)
    with pytest.raises(ValidationError, match="encoding: 'latin-99' is not allowed; expected UTF-8"):
        world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT, encoding="latin-99")
    assert world.images == []


def test_imp_10_a_row_that_is_too_large_fails_alone(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(quirk("big_field.csv"))
    assert (job.counts.applied, job.counts.failed) == (19, 1)
    assert max(len(str(row)) for row in world.rows()) < 10_000


def test_imp_11_1000_rows_are_imported_directly_and_1001_by_the_machine() -> None:
    """Most of the rows repeat, so that few commands are played."""
    rows = [f"A{number % 40:03d},,a,,,JP,,1,2,,\n" for number in range(1_001)]
    for count, expected in ((1_000, DIRECT), (1_001, STEP_FUNCTION)):
        world = ImportWorld(checks=False)
        job = world.import_file((HEADER + "".join(rows[:count])).encode())
        world.check()
        assert (job.status, job.mode, len(world.machine.runs)) == ("COMPLETED", expected, expected == STEP_FUNCTION)
        assert (job.counts.total, job.counts.applied, job.counts.superseded) == (count, 40, count - 40)


def test_imp_11_the_mode_that_is_given_is_used_and_a_large_file_is_not_counted_first() -> None:
    assert ImportWorld().import_file(airports("a"), mode=STEP_FUNCTION).mode == STEP_FUNCTION
    world = ImportWorld(direct_rows=1)
    looked: list[Any] = []
    inspected = world.files.inspected
    world.files.inspected = lambda *given: looked.append(given) or inspected(*given)  # type: ignore[func-returns-value, method-assign]
    assert world.import_file(airports("x" * 4_096)).mode == STEP_FUNCTION
    assert len(looked) == 1, "the loader had looked at it before it started the machine"
    with pytest.raises(ValidationError, match="mode: 'direct' is not allowed; expected one of DIRECT, STEP_FUNCTION"):
        world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT, mode="direct")


def test_imp_15_a_command_that_fails_fails_its_row(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.fails = lambda command: command["code"] == "A001"
    job = world.import_file(airports("a", "b", "c"))
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 2, 1)
    (row,) = (row for row in world.rows() if row["status"] == "FAILED")
    assert row["error"] == {"type": "Refused", "message": "the target refused it"}
    again = world.import_file()
    assert (again.counts.unchanged, again.counts.failed) == (2, 1)
    assert report(world, again.report)[1][2] == "LatestFailed"


def with_an_equal_open_version() -> tuple[ImportWorld, Callable[[int], bool]]:
    """The row of a second file, whose message is to be delivered, is equal to a command that has not ended."""
    world = ImportWorld()
    for name in ("one.csv", "two.csv"):
        world.put(airports("a"), name)
        world.service.create_csv_import("airports", BUCKET, name, CONTEXT)
        while others := [one for one in world.pending if one[0] not in ("pipeline", "queue")]:
            world.pending.remove(others[0])
            assert others[0][1](1)
        (message,) = (one for one in world.pending if one[0] == "queue")
        if name == "one.csv":
            world.pending.remove(message)
            assert message[1](1)
    return world, message[1]


@pytest.mark.parametrize(
    ("fails", "expected"), [(False, ("COMPLETED", "UNCHANGED", None)), (True, ("FAILED", None, "LatestFailed"))]
)
def test_a_row_equal_to_a_version_that_has_not_ended_waits_for_its_end(fails: bool, expected: tuple[Any, ...]) -> None:
    world, deliver = with_an_equal_open_version()
    world.fails = lambda command: fails
    assert not deliver(1)
    assert sorted(row["status"] for row in world.rows()) == ["CREATED", "PROCESSING"]
    world.run()
    (row,) = (row for row in world.rows() if "commandSk" not in row)
    assert (row["status"], row.get("result"), row.get("error", {}).get("type")) == expected


def test_imp_19_a_row_equal_to_a_version_that_does_not_end_fails_and_names_it() -> None:
    world, deliver = with_an_equal_open_version()
    assert deliver(5)
    (row,) = (row for row in world.rows() if row["status"] == "FAILED")
    assert row["error"]["type"] == "LatestOpen"
    assert "AIRPORT#A000@0000000001" in row["error"]["message"]


def test_a_row_equal_to_a_version_that_was_skipped_fails() -> None:
    """Skipped is DONE for its successors, but its content is not applied, and publishing it again is not a change."""
    world, deliver = with_an_equal_open_version()
    (command,) = world.commands()
    world.memory.update(COMMANDS, command["pk"], command["sk"], Change(set={"status": "skipped"}))
    assert deliver(1)
    (row,) = (row for row in world.rows() if row["status"] == "FAILED")
    assert row["error"]["type"] == "LatestSkipped"


@pytest.mark.parametrize("versioned", [True, False])
def test_imp_16_an_object_that_is_replaced_meanwhile(versioned: bool, mode: str) -> None:
    world = ImportWorld(versioned=versioned)
    world.put(airports("a", "b"))
    job = world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT, mode=mode)
    opened = world.source.open
    replaced: list[bool] = []

    def open_and_replace(info: Any) -> Any:
        stream = opened(info)
        if not replaced:
            replaced.append(True)
            world.put(airports("x", "y"))
        return stream

    world.source.open = open_and_replace  # type: ignore[method-assign]
    world.run()
    if versioned:
        assert [row["name"] for row in world.commands()] == ["a", "b"]
    else:
        error = world.job(job).error
        assert error is not None
        assert error["message"] == "s3://files/a.csv was replaced or removed while it was read"
        assert world.commands() == []


def test_imp_06_the_report_has_the_columns_of_the_file_whatever_is_wrong_with_its_first_row(mode: str) -> None:
    """Rows 1 to 3 can't be read: malformed quotes, too long, a value too many. Row 4 is not valid."""
    world = ImportWorld(mode=mode)
    good = airports("!").decode().splitlines()[1]
    lines = [
        HEADER.strip(),
        'A1,,"a"b,,,JP,,1,2,,',
        f"A2,,{'x' * 200_000},,,JP,,1,2,,",
        "A3,,c,,,JP,,1,2,,,extra",
        good,
    ]
    job = world.import_file("\n".join(lines).encode())
    header, *rows = report(world, job.report)
    assert header[:4] == ["row", "line", "code", "message"]
    assert sorted(header[4:]) == sorted(HEADER.strip().split(","))
    assert [row[2] for row in rows] == ["MalformedQuotes", "RowTooLong", "TooManyValues", "InvalidValue"]
    cells = [dict(zip(header, row, strict=False)) for row in rows]
    assert [(one["icao"], one["name"]) for one in cells] == [("", ""), ("", ""), ("A3", "c"), ("A000", "!")]
    assert [row[len(header) :] for row in rows] == [[], [], ["extra"], []]


def test_imp_17_formulas_are_neutralised_in_the_report_and_kept_in_the_data(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.fails = lambda command: True
    job = world.import_file(quirk("formula.csv"))
    cells = [cell for row in report(world, job.report)[1:] for cell in row]
    left = [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [cell for cell in left if not re.fullmatch(r"[+-][0-9.]+", cell)] == []
    original = {row["name"] for row in world.commands()}
    dangerous = {name for name in original if name.startswith(("=", "+", "-", "@", "\t"))}
    assert len(dangerous) >= 5
    assert {f"'{name}" for name in dangerous} <= set(cells)


def test_imp_19_a_row_that_fails_on_each_receive_ends_with_its_reason(mode: str) -> None:
    world = ImportWorld(mode=mode)
    strategy = world.worker._tables.of("airports").strategy

    def broken(row: Any) -> Any:
        raise KeyError("a defect")

    strategy.map = broken  # type: ignore[method-assign]
    job = world.import_file(airports("a"))
    assert (job.status, job.counts.failed) == ("FAILED", 1)
    assert report(world, job.report)[1][2:4] == ["KeyError", "'a defect'"]
    assert world.dead == []


def test_a_file_without_rows_completes(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(quirk("header_only.csv"))
    assert (job.status, job.counts.total, job.counts.processed) == ("COMPLETED", 0, 0)


def test_a_row_on_its_own() -> None:
    world = ImportWorld()
    row = dict(zip(HEADER.strip().split(","), ["A1", "", "a", "", "", "JP", "", "1", "2", "", ""], strict=True))
    context = replace(CONTEXT, request_id="r1")
    first = world.service.create_import("airports", {**row, "icao": "A01"}, context)
    assert world.service.create_import("airports", {**row, "icao": "A01"}, context) == first
    with pytest.raises(RequestConflict, match="requestId 'r1' was used"):
        world.service.create_import("airports", {**row, "icao": "A02"}, context)
    world.service.create_import("airports", {**row, "country": "Japan"}, CONTEXT)
    world.run()
    found = sorted((one["status"], one["row"]["icao"]) for one in world.rows())
    assert found == [("COMPLETED", "A01"), ("FAILED", "A1")]
    assert len(world.commands()) == 1
    (alarm,) = world.alarms.messages
    failed = next(f"{one['pk']}#{one['sk']}" for one in world.rows() if one["status"] == "FAILED")
    assert alarm["id"] == failed
    assert alarm["content"]["errorMessage"] == "import of a row, table airports, failed: InvalidValue"


def test_a_file_that_fails_raises_one_alarm_without_its_content() -> None:
    world = ImportWorld()
    job = world.import_file(airports("a", "!", "!"))
    world.import_file(airports("a"))
    assert world.alarm_ids() == [f"{job.id}#1"]
    (alarm,) = world.alarms.messages
    assert alarm["content"]["errorMessage"] == "import, table airports, failed: RowsFailed, 2 of 3 rows"
    refused = world.import_file(b"")
    assert world.alarms.messages[-1]["content"]["errorMessage"] == "import, table airports, failed: EmptyFile"
    assert world.alarm_ids() == sorted([f"{job.id}#1", f"{refused.id}#1"])


def test_the_same_request_id_gives_the_first_job() -> None:
    world = ImportWorld()
    context = replace(CONTEXT, request_id="r1")
    first = world.import_file(airports("a"), context=context)
    assert world.import_file(context=context).id == first.id
    assert len(world.rows(status.JOB)) == 1
    world.put(b"", "b.csv")
    with pytest.raises(RequestConflict):
        world.service.create_csv_import("airports", BUCKET, "b.csv", context)


def test_jobs_belong_to_their_tenant(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(airports("a"))
    other = replace(CONTEXT, tenant_code="t2")
    with pytest.raises(NotFound):
        world.service.get_import(job.id, other)
    assert world.service.list_imports(other) == []
    assert [one.id for one in world.service.list_imports(CONTEXT, table="airports")] == [job.id]


def test_imp_08_a_job_whose_counters_are_always_being_written_ends_all_the_same(mode: str) -> None:
    """As on AWS: reads of several items at once are refused while one of them is written."""
    world = ImportWorld(mode=mode)

    def refused(_: Any) -> None:
        raise TransientConflict("another transaction works on one of the items")

    world.store.get_together = refused
    job = world.import_file(airports("a", "!", *"cdefghijklmnopqrstuvwxyz"))
    assert world.dead == []
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 25, 1)
    assert job.error == {"type": "RowsFailed", "message": "1 of 26 rows failed; see the report"}


def test_rows_are_spread_over_16_partitions(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.import_file(airports(*["a"] * 48))
    assert set(Counter(row["pk"] for row in world.rows()).values()) == {3}
    assert len({row["pk"] for row in world.rows(status.COUNTERS)}) == 16


# -- duplicates and crashes -------------------------------------------------------------------------

FILE = airports("a", "!", "c", "d") + b"A000,,again,,,JP,,1,2,,\nA009,x,too,many,values,JP,,1,2,,,,\n"


def scenario(world: ImportWorld) -> tuple[Any, ...]:
    world.fails = lambda command: command["code"] == "A003"
    world.import_file(FILE)
    world.check_history()
    assert world.dead == []
    (job,) = world.service.list_imports(CONTEXT)
    assert world.alarm_ids() == [f"{job.id}#1"]
    return world.outcome()


def test_dup_03_the_scenario_ends_as_designed(mode: str) -> None:
    world = ImportWorld(mode=mode)
    scenario(world)
    assert [(row["status"], row.get("result")) for row in world.rows()] == [
        ("SUPERSEDED", None),
        ("FAILED", None),
        ("COMPLETED", "APPLIED"),
        ("FAILED", None),
        ("COMPLETED", "APPLIED"),
        ("FAILED", None),
    ]
    assert summary(world) == ("FAILED", 6, 2, 3)


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("twice", [True, False])
def test_imp_08_dup_02_duplicates_in_any_order(seed: int, twice: bool, mode: str) -> None:
    assert comparable(ImportWorld(seed=seed, twice=twice, mode=mode)) == comparable(ImportWorld())


@IN_PARTS
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_imp_08_dup_03_a_crash_at_each_call(fault: str, mode: str, part: int) -> None:
    """Counters are the rows after every delivery; no row is lost, none applied twice."""
    expected = comparable(ImportWorld())
    world = ImportWorld(mode=mode)
    assert comparable(world) == expected
    calls = world.gate.calls
    assert len(calls) > 50
    for number in part_of(range(1, len(calls) + 1), part):
        faulty = ImportWorld(Gate(fault, number), mode=mode)
        assert comparable(faulty) == expected, f"{fault} call {number}: {calls[number - 1]}"


def comparable(world: ImportWorld) -> tuple[Any, ...]:
    """Ids of jobs are random, so reports are compared by content."""
    rows, commands, objects = scenario(world)
    return rows, commands, [body for _, body in objects]


def test_limits_are_those_of_the_loader() -> None:
    world = ImportWorld()
    world.files._limits = CsvLimits(row_bytes=100)
    assert world.import_file(airports("a")).counts.failed == 1


def test_dup_a_row_that_is_delivered_again_while_in_progress_is_published_and_reported_once() -> None:
    """The second delivery has all of its turn before each call of the first; the row waits for its command."""
    calls = interrupted_turn(-1)
    assert calls > 3
    for at in range(calls):
        interrupted_turn(at)


def interrupted_turn(at: int) -> int:
    """How many calls the first delivery makes; the second has its turn before call number ``at`` of them."""
    world = ImportWorld()
    world.put(airports("a"))
    world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT)
    while others := [one for one in world.pending if one[0] != "queue"]:
        world.pending.remove(others[0])
        others[0][1](1)
    ((_, deliver),) = world.pending
    calls = 0

    def look(_: str) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            world.gate.checkpoint = lambda _: None
            assert deliver(1)
            world.gate.checkpoint = look

    world.gate.checkpoint = look
    assert deliver(1)
    world.gate.checkpoint = lambda _: None
    (row,) = world.rows()
    assert row["status"] == "PROCESSING", f"call {at}: the command has no outcome yet"
    world.run()
    (row,) = world.rows()
    assert (row["status"], row["result"], len(world.commands())) == ("COMPLETED", "APPLIED", 1)
    return calls


def test_edge_20_23_the_job_shows_the_encoding_and_the_ignored_rows(mode: str) -> None:
    world = ImportWorld(mode=mode)
    content = (HEADER + "A001,,東京駅,ひらがな,,JP,,1,2,,\n,,,,,,,,,,\n\x1a").encode("cp932")
    job = world.import_file(content)
    assert (job.status, job.counts.total, job.encoding, job.ignored) == ("COMPLETED", 1, "CP932", 2)


def test_edge_20_a_file_that_is_not_certain_writes_no_row_until_it_is_named(mode: str) -> None:
    world = ImportWorld(mode=mode)
    content = (HEADER + "A001,,Москва,,,JP,,1,2,,\n").encode("cp1251")
    refused = world.import_file(content)
    assert (refused.status, refused.counts.total, refused.encoding) == ("FAILED", None, None)
    assert refused.error is not None
    assert refused.error["type"] == "UnknownEncoding"
    assert re.search(r"line 2, byte 7: 0xCC.*CP1251", refused.error["message"])
    assert world.commands() == []
    named = world.import_file(content, encoding="cp1251")
    assert (named.status, named.counts.applied, named.encoding) == ("COMPLETED", 1, "CP1251")
