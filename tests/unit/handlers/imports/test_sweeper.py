"""The imports' sweeper: what is lost on the way is found in the ``open`` index and ends as if it were not."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.imports.jobs import status
from handlers.imports.jobs.model import STEP_FUNCTION
from handlers.imports.jobs.open_index import LOOK_SECONDS
from handlers.imports.sweeper import NEXT_PART_SECONDS, PAGE, ROWS_PER_LOOK
from handlers.store.port import COMMANDS, IMPORT_TMP, Change
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.import_world import BUCKET, CONTEXT, TIMEOUT_HOURS, ImportWorld
from tests.support.parts import IN_PARTS, part_of
from tests.unit.handlers.imports.test_route import FILE, airports, comparable

STEPS = ("loader", "import stream", "queue", "commands stream")
ROW = dict(
    zip(
        ["icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid"],
        [""] * 11,
        strict=True,
    )
)
VALID = {**ROW, "icao": "A01", "name": "a", "country": "JP", "lat": "1", "lon": "2"}


def healed(world: ImportWorld, content: bytes = FILE, hours: int = 4) -> ImportWorld:
    world.fails = lambda command: command["code"] == "A003"
    world.put(content)
    world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT)
    world.heal(hours)
    world.check_history()
    assert indexed(world) == 0
    return world


def indexed(world: ImportWorld) -> int:
    later = int(world.clock.now()) + 10**9
    return sum(len(world.memory.due(IMPORT_TMP, shard, later, limit=100).items) for shard in range(16))


def ends(world: ImportWorld) -> tuple[Any, ...]:
    rows, commands, objects = world.outcome()
    return rows, commands, [body for _, body in objects]


def test_g1_each_delivery_may_be_lost() -> None:
    """A record given up, a message gone, an event that never came: the end is the same."""
    expected = comparable(ImportWorld())
    deliveries = healed(ImportWorld()).delivered
    assert set(STEPS) < set(deliveries)
    for number in range(1, len(deliveries) + 1):
        if deliveries[number - 1] == "pipeline":
            continue  # the commands' own sweeper looks after those
        world = ImportWorld()
        world.lost = lambda _, found, number=number: found == number  # type: ignore[misc]
        assert ends(healed(world)) == expected, f"{deliveries[number - 1]}, delivery {number}"


@pytest.mark.parametrize("step", STEPS)
def test_g1_an_outage_of_a_step(step: str) -> None:
    """Everything of a kind is lost for half a day; nobody's time is over by then."""
    expected = comparable(ImportWorld())
    world = ImportWorld()
    begin = world.clock.now()
    world.lost = lambda name, _: name == step and world.clock.now() < begin + TIMEOUT_HOURS / 2 * 3600
    assert ends(healed(world, hours=TIMEOUT_HOURS)) == expected


@IN_PARTS
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_g1_the_sweeper_stops_at_each_of_its_calls(fault: str, part: int) -> None:
    """It comes again: what it had begun is repeated."""
    expected = comparable(ImportWorld())

    def run(gate: Gate) -> ImportWorld:
        world = ImportWorld(gate)
        world.lost = lambda name, number: name in ("queue", "commands stream") and number < 40
        return healed(world)

    calls = run(Gate()).gate.calls
    for number in part_of(range(60, len(calls) + 1, 3), part):
        assert ends(run(Gate(fault, number))) == expected, f"{fault} call {number}: {calls[number - 1]}"


def test_imp_19_a_job_that_is_never_loaded_fails_in_time() -> None:
    world = ImportWorld()
    begin = world.clock.now()
    world.lost = lambda name, _: name == "loader"
    job = world.import_file(airports("a"))
    world.heal()
    ended = world.job(job)
    assert ended.status == "FAILED"
    assert ended.error == {"type": "Timeout", "message": "no outcome within 24 hours (importTimeoutHours)"}
    assert world.alarm_ids() == [f"{job.id}#1"]
    assert world.clock.now() - begin < (TIMEOUT_HOURS + 4) * 3600
    assert indexed(world) == 0


@pytest.mark.parametrize("step", ["queue", "pipeline"])
def test_imp_19_rows_without_progress_fail_with_the_reason_and_the_job_ends(step: str) -> None:
    world = ImportWorld()
    world.lost = lambda name, number: name == step
    job = world.import_file(airports(*"abc"))
    world.heal()
    ended = world.job(job)
    assert (ended.status, ended.counts.failed, ended.counts.total) == ("FAILED", 3, 3)
    assert {row["error"]["type"] for row in world.rows()} == {"Timeout"}
    assert len(ended.report) == 1
    assert ended.error == {"type": "RowsFailed", "message": "3 of 3 rows failed; see the report"}
    assert world.alarm_ids() == [f"{job.id}#1"]


@pytest.mark.parametrize(("rows", "seconds"), [(2, LOOK_SECONDS), (ROWS_PER_LOOK + 2 * PAGE, NEXT_PART_SECONDS)])
def test_the_next_look_comes_soon_only_where_rows_are_left(rows: int, seconds: int) -> None:
    world = ImportWorld(checks=False)
    world.lost = lambda name, _: name == "queue"
    job = world.import_file(airports(*["a"] * rows))
    world.clock.advance(LOOK_SECONDS)
    assert world.sweeper.sweep(world.clock.now() + 300).outcomes == {"looked after": 1}
    row = world.memory.get(IMPORT_TMP, job.key.pk, job.key.sk)
    assert row is not None
    assert row["dueAt"] == int(world.clock.now()) + seconds


@pytest.mark.parametrize("lost", [1, 2])
def test_a_row_on_its_own_is_queued_again_and_gets_its_commands_outcome(lost: int) -> None:
    world = ImportWorld()
    world.service.create_import("airports", VALID, CONTEXT)
    steps = {1: "queue", 2: "commands stream"}
    world.lost = lambda name, number: name == steps[lost] and number < 8
    world.heal()
    assert [(row["status"], row["result"]) for row in world.rows()] == [("COMPLETED", "APPLIED")]
    assert indexed(world) == 0


def test_imp_19_a_row_on_its_own_fails_in_time() -> None:
    world = ImportWorld()
    world.service.create_import("airports", VALID, CONTEXT)
    world.lost = lambda name, number: name == "queue"
    world.heal()
    (row,) = world.rows()
    assert (row["status"], row["error"]["type"]) == ("FAILED", "Timeout")
    assert len(world.alarm_ids()) == 1


def test_a_job_with_progress_is_left_alone() -> None:
    """Each look finds a row more: nothing is queued again."""
    world = ImportWorld()
    world.put(airports(*"abcdefgh"))
    world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT)
    world.run_until(lambda: "loader" in world.delivered and world.rows() != [])
    sent = 8
    for _ in range(4):
        before = sum(status.is_terminal(row) for row in world.rows())
        world.run_until(lambda before=before: sum(status.is_terminal(row) for row in world.rows()) > before)  # type: ignore[misc]
        world.clock.advance(3600)
        report = world.sweeper.sweep(world.clock.now() + 100)
        assert set(report.outcomes) == {"runs"}
    world.run()
    assert sum(message["action"] == "import-execute" for message in world.topic.messages) == sent


def test_many_open_rows_are_looked_after_in_parts() -> None:
    rows = ROWS_PER_LOOK + 3 * PAGE
    world = ImportWorld()
    world.lost = lambda name, number: name == "queue" and world.clock.now() < begin + 1800
    begin = world.clock.now()
    job = world.import_file(airports(*["a"] * rows))
    did = world.heal()
    assert world.job(job).counts.applied == rows
    assert sum("looked after" in one for one in did) > 1


def test_a_look_goes_on_where_the_last_one_stopped() -> None:
    """Rows whose commands take long don't hide the one behind them whose command is done."""
    rows = ROWS_PER_LOOK + 2 * PAGE
    world = ImportWorld()
    world.lost = lambda name, _: name in ("pipeline", "commands stream")
    world.import_file(airports(*["a"] * rows))
    last = max(world.rows(), key=lambda row: (int(row["pk"].rpartition("#")[2]), row["sk"]))
    done = Change(set={"status": "finish:FINISHED"})
    world.memory.update(COMMANDS, last["commandPk"], last["commandSk"], done)
    for _ in range(15):
        world.clock.advance(300)
        world.sweeper.sweep(world.clock.now() + 100)
        world.run()
    assert [row["number"] for row in world.rows() if row["status"] == "COMPLETED"] == [last["number"]]


def test_a_machine_has_time_to_end_its_job_itself() -> None:
    world = ImportWorld()
    world.lost = lambda name, number: name == "queue"
    job = world.import_file(airports("a"))
    world.memory.update(IMPORT_TMP, job.key.pk, job.key.sk, Change(set={"mode": STEP_FUNCTION}))
    begin = world.clock.now()
    world.heal()
    assert world.clock.now() - begin >= (TIMEOUT_HOURS + 2) * 3600
    assert world.job(job).status == "FAILED"


def test_g1_a_machine_that_died_unheard_leaves_no_job_whose_rows_have_ended() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.lost = lambda name, _: name in ("wait_rows", "check_rows")
    job = world.import_file(airports(*"ab!"))
    assert (world.job(job).status, world.job(job).counts.processed) == ("PROCESSING", 3)
    world.heal(hours=4)
    assert (world.job(job).status, world.job(job).counts.failed, len(world.job(job).report)) == ("FAILED", 1, 1)
    assert indexed(world) == 0


def test_imp_13_a_machine_that_died_before_it_wrote_fails_in_time_and_is_retried() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.lost = lambda name, _: name == "csv_rows_handler"
    job = world.import_file(airports(*"abc"))
    world.heal()
    ended = world.job(job)
    assert (ended.status, ended.error and ended.error["type"], ended.counts.processed) == ("FAILED", "Timeout", 0)
    world.lost = lambda name, _: False
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    assert (world.job(job).status, world.job(job).counts.applied) == ("COMPLETED", 3)


def test_what_has_its_outcome_leaves_the_index() -> None:
    world = ImportWorld()
    job = world.import_file(airports("a"))
    assert indexed(world) == 0
    marks = {"openShard": 3, "dueAt": int(world.clock.now())}
    world.memory.update(IMPORT_TMP, job.key.pk, job.key.sk, Change(set=marks))
    assert world.sweeper.sweep(world.clock.now() + 100).outcomes == {"closed": 1}
    assert indexed(world) == 0


def test_an_archive_is_begun_again_until_its_machine_has_and_fails_when_it_stands_still() -> None:
    world = ImportWorld()
    key = {"pk": "ZIP_IMPORT#t1", "sk": f"ZIP#{'0' * 26}"}
    name = f"{key['pk']}#{key['sk']}"
    now = world.clock.now()
    moment = "2026-01-01T00:00:00.000Z"
    marks = {"openShard": 1, "dueAt": int(now), "startedAt": moment}
    row = {**key, **marks, "id": name, "kind": "job", "tableName": "ZIP", "tenantCode": "t1", "attempt": 1}
    world.memory.put(IMPORT_TMP, {**row, "status": "CREATED", "updatedAt": moment, "createdAt": moment})

    def outcome() -> dict[str, int]:
        return dict(world.sweeper.sweep(world.clock.now() + 100).outcomes)

    def found() -> Any:
        return world.memory.get(IMPORT_TMP, key["pk"], key["sk"])

    assert outcome() == {"started again": 1}
    assert found()["restart"] == 1
    world.memory.update(IMPORT_TMP, key["pk"], key["sk"], Change(set={"status": "PROCESSING"}))
    world.clock.advance(3600)
    assert outcome() == {"runs": 1}
    assert found()["restart"] == 1
    world.clock.advance((TIMEOUT_HOURS + 2) * 3600)
    assert outcome() == {"timed out": 1}
    assert (found()["status"], found()["error"]["type"]) == ("FAILED", "Timeout")
