"""JSON Lines on the route that both modes share: rows, report, retry, cancel and what goes wrong on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from handlers.core.values.json_values import sized_item
from handlers.imports.errors import RowProblem
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.keys import ImportJobKey
from handlers.imports.rows.row_batches import RowBatches
from handlers.store.port import Put, Write
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.import_world import CONTEXT, ImportWorld
from tests.unit.handlers.imports.test_machine import outcome

MODES = (DIRECT, STEP_FUNCTION)


def airport(code: str, **changes: Any) -> str:
    row = {"icao": code, "name": f"n {code}", "country": "US", "lat": "1", "lon": "2.5", **changes}
    return json.dumps({name: value for name, value in row.items() if value is not None}, ensure_ascii=False)


GOOD = [airport(f"AAA{number}") for number in range(7)]
MIXED = [
    *GOOD[:2],
    "",
    "{",
    airport("BBB1", lat=91.5),
    airport("BBB2", name={"en": ["x", "é"]}, city=None),
    airport("BBB3", unknown=1),
    airport("BBB4", lon=None),
    airport("BBB5", name="x" * 190_000),
    airport("AAA0", name="later"),
    *GOOD[3:],
]


@pytest.mark.parametrize("lines", [GOOD, MIXED, []], ids=["good", "mixed", "none"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_imp_20_a_file_has_the_same_outcome_in_both_modes(lines: list[str], end: str) -> None:
    content = "".join(line + end for line in lines).encode()
    worlds = [ImportWorld(mode=mode) for mode in MODES]
    direct, machine = (outcome(world, world.import_file(content, "a.jsonl")) for world in worlds)
    assert machine == direct
    (run,) = worlds[1].machine.runs.values()
    assert ("import-jsonl" in run.visited, "import-csv" in run.visited) == (bool(lines), False)
    copies = [key for key in worlds[1].objects.contents if key.startswith("normalised/")]
    assert bool(copies) == (lines is MIXED or (bool(lines) and end == "\r\n")), "a copy only where the Map needs one"


@pytest.mark.parametrize("mode", MODES)
def test_imp_20_what_becomes_of_good_and_bad_rows(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file("\n".join(MIXED).encode(), "a.ndjson")
    assert (job.status, job.ignored, job.encoding) == ("FAILED", 1, "UTF-8")
    assert (job.counts.total, job.counts.applied, job.counts.superseded, job.counts.failed) == (13, 6, 1, 6)
    ended = {row["number"]: (row["line"], row["status"], row.get("error", {}).get("type")) for row in world.rows()}
    assert ended[1] == (1, "SUPERSEDED", None)
    assert ended[3] == (4, "FAILED", "InvalidJson")
    assert ended[4] == (5, "FAILED", "TypeError"), "the strategy got a number"
    assert ended[6] == (7, "FAILED", "UnknownColumn")
    assert ended[7] == (8, "FAILED", "MissingColumn")
    assert ended[8] == (9, "FAILED", "RowTooLong")
    body = world.objects.contents[job.report[0]].decode("utf-8-sig").splitlines()
    assert body[0] == "row,line,code,message,icao,name,country,lat,lon,iata,city,subd,elevation,tz,lid"
    assert [line.split(",")[:3] for line in body[1:]] == [
        [str(number), str(line), str(code)] for number, (line, status, code) in sorted(ended.items()) if code
    ]
    (nested,) = [line for line in body if ",BBB2," in line]
    assert nested.endswith('BBB2,"{""en"":[""x"",""é""]}",US,1,2.5,,,,,,')
    assert ",BBB1,n BBB1,US,91.5,2.5," in "\n".join(body)


@pytest.mark.parametrize("mode", MODES)
def test_imp_20_a_retry_tries_what_another_attempt_may_mend(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file("\n".join([*GOOD, "{", airport("BBB1", lat=91.5)]).encode(), "a.jsonl")
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    again = world.job(job)
    assert (again.status, again.attempt, again.counts.applied, again.counts.failed) == ("FAILED", 2, 7, 2)
    assert {row["number"]: row["attempt"] for row in world.rows() if row["status"] == "FAILED"} == {8: 1, 9: 2}


@pytest.mark.parametrize("mode", MODES)
def test_imp_20_a_cancelled_file_has_an_outcome_for_each_row(mode: str) -> None:
    world = ImportWorld(mode=mode)
    world.put("\n".join(GOOD).encode(), "a.jsonl")
    job = world.service.create_csv_import("airports", "files", "a.jsonl", CONTEXT, mode=mode)
    world.run_until(lambda: world.job(job).counts.processed > 0)
    world.service.cancel_import(job.id, CONTEXT)
    world.run()
    ended = world.job(job)
    assert (ended.status, ended.counts.processed) == ("CANCELLED", 7)


@pytest.mark.parametrize("mode", MODES)
def test_imp_20_another_encoding_fails_the_job_without_a_row(mode: str) -> None:
    world = ImportWorld(mode=mode)
    job = world.import_file(f"{GOOD[0]}\n{airport('BBB1', name='é')}".encode("latin-1"), "a.jsonl")
    assert job.error is not None
    assert job.error["type"] == "UnknownEncoding"
    assert "line 2, byte 27: 0xE9, invalid continuation byte" in job.error["message"]
    assert (job.status, world.rows()) == ("FAILED", [])


@pytest.mark.parametrize("when", [BEFORE, AFTER])
def test_imp_20_a_crash_at_each_call_changes_nothing(when: str) -> None:
    content = "\n".join(MIXED[:6]).encode()

    def run(gate: Gate, *, twice: bool = False) -> tuple[Any, ...]:
        world = ImportWorld(gate, mode=STEP_FUNCTION, twice=twice)
        world.import_file(content, "a.jsonl")
        world.heal()
        world.check_history()
        return world.outcome()

    calm = Gate()
    expected = run(calm)
    assert run(Gate(), twice=True)[:2] == expected[:2]
    for number in range(1, len(calm.calls) + 1, 3):
        assert run(Gate(when, number))[:2] == expected[:2], f"call {number}"


def test_imp_20_rows_of_nested_values_share_a_transaction_within_its_size() -> None:
    """A transaction has 4 MB at most, and a list of small numbers takes more in the table than as JSON."""
    world = ImportWorld(mode=STEP_FUNCTION)
    sizes: list[int] = []

    class Measured(ImportRepository):
        def transact(self, writes: Sequence[Write]) -> None:
            sizes.append(sum(sized_item(write.item)[1] for write in writes if isinstance(write, Put)))
            super().transact(writes)

    repository = Measured(world.memory, world.clock)
    job = {"id": "CSV_IMPORT#t1#airports#" + "A" * 26, "tableName": "airports", "tenantCode": "t1"}
    key = ImportJobKey.parse_id(job["id"])
    repository.open_shards(key)
    sizes.clear()
    values = {"lat": [1] * 90_000}
    problem = RowProblem("InvalidValue", "no")
    rows = [repository.ended(job, key.row(index), index + 1, index + 1, values, problem) for index in range(30)]
    assert RowBatches(repository).write(rows) == 30
    assert 5 < len(sizes) < 15
    assert max(sizes) < 4_000_000


def test_imp_20_the_map_hands_on_what_the_loader_looked_at() -> None:
    """A strategy must not find 1.0 in one mode and 1 in the other."""
    world = ImportWorld()
    job = {"id": "CSV_IMPORT#t1#airports#" + "A" * 26, "key": "a.jsonl", "tableName": "airports", "tenantCode": "t1"}
    run = JobRun(ImportJobKey.parse_id(job["id"]), 1)
    item = {"index": 4, "row": {**json.loads(airport("AAA1")), "lat": 1.0}}
    (row,) = world.rows_handler.rows(run, job, [item])
    assert (type(row["row"]["lat"]), row["number"], row["line"]) == (int, 5, 5)
