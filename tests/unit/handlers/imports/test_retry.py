"""Trying the failed rows of a file again: what runs, what stays, and every way in which it may be interrupted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.core.errors import NotFound, ValidationError, WrongStatus
from handlers.imports.job_stream import JobStream
from handlers.imports.jobs import status
from handlers.imports.jobs.cancel import Canceller
from handlers.imports.jobs.model import MODES, ImportJob
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.jobs.retry import RowResetter
from handlers.store.port import COMMANDS, Change
from handlers.store.values import item_to_dynamo
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.import_world import CONTEXT, ImportWorld
from tests.support.parts import IN_PARTS, part_of
from tests.unit.handlers.imports.test_cancel import check_end, created
from tests.unit.handlers.imports.test_route import airports

FILE = airports(*"abcdef") + b"A009,x,too,many,values,JP,,1,2,,,,\n"


def refuse(world: ImportWorld, *names: str) -> None:
    """Rows of these names are not valid, until that is fixed."""
    strategy = world.worker._tables.of("airports").strategy

    def validate(row: Any) -> None:
        if row["name"] in names:
            raise ValidationError("name", row["name"], "another one")

    strategy.validate = validate  # type: ignore[method-assign]


def retried(world: ImportWorld, job: ImportJob) -> ImportJob:
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    return check_end(world, job)


def sent(world: ImportWorld) -> list[str]:
    return [one["sk"] for one in world.topic.messages if one["action"] == "import-execute"]


def test_imp_07_only_the_failed_rows_run_and_the_job_completes() -> None:
    world = ImportWorld()
    refuse(world, "b", "e")
    job = world.import_file(airports(*"abcdef"))
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 4, 2)
    before = sent(world)
    refuse(world)
    opened = world.service.retry_failed_rows(job.id, CONTEXT)
    assert (opened.status, opened.attempt, opened.error, opened.report) == ("CREATED", 2, None, ())
    world.run()
    ended = check_end(world, job)
    assert (ended.status, ended.counts.applied, ended.counts.failed) == ("COMPLETED", 6, 0)
    assert sorted(sent(world)[len(before) :]) == ["000000001", "000000004"]
    assert [row["attempt"] for row in world.rows()] == [1, 2, 1, 1, 2, 1]
    assert world.alarm_ids() == [f"{job.id}#1"]
    told = [one["content"]["status"] for one in world.topic.messages if one["action"] == "import-status"]
    assert told == ["FAILED", "COMPLETED"]


def test_imp_07_rows_that_fail_again_are_in_a_report_of_their_own_attempt() -> None:
    world = ImportWorld()
    refuse(world, "b", "e")
    job = world.import_file(airports(*"abcdef"))
    refuse(world, "e")
    again = retried(world, job)
    assert (again.status, again.attempt, again.counts.applied, again.counts.failed) == ("FAILED", 2, 5, 1)
    assert again.report[0].endswith("/2/failed-rows-001.csv")
    assert world.alarm_ids() == [f"{job.id}#1", f"{job.id}#2"]
    refuse(world)
    assert retried(world, job).status == "COMPLETED"
    assert [row["attempt"] for row in world.rows()] == [1, 2, 1, 1, 3, 1]


def test_what_the_file_makes_fail_stays() -> None:
    world = ImportWorld()
    job = world.import_file(FILE)
    assert job.counts.failed == 1
    assert retried(world, job).counts.failed == 1
    assert world.rows()[-1]["attempt"] == 1


def test_imp_15_a_row_whose_command_failed_completes_once_that_was_redriven() -> None:
    world = ImportWorld()
    world.fails = lambda command: command["code"] == "A001"
    job = world.import_file(airports("a", "b"))
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    assert (world.job(job).status, world.rows()[1]["error"]["type"]) == ("FAILED", "LatestFailed")
    (failed,) = (one for one in world.commands() if one["status"].endswith("FAILED"))
    world.memory.update(COMMANDS, failed["pk"], failed["sk"], Change(set={"status": "finish:FINISHED"}))
    world.run()
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    ended = world.job(job)
    assert (ended.status, ended.counts.applied, ended.counts.unchanged) == ("COMPLETED", 1, 1)
    assert len(world.commands()) == 2


def test_g5_the_end_of_the_first_attempt_s_command_reported_late_changes_nothing() -> None:
    world = ImportWorld()
    world.fails = lambda command: command["code"] == "A001"
    job = world.import_file(airports("a", "b"))
    told = [item for table, item in world.images if table == COMMANDS and item.get("status") == "sync_data:FAILED"]
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run_until(lambda: world.rows()[1]["attempt"] == 2)
    before = world.rows()[1]
    assert before["status"] == status.CREATED
    record = {"eventName": "MODIFY", "dynamodb": {"NewImage": item_to_dynamo(told[0])}}
    assert world.outcomes.on_stream_records([record]) == {}
    assert world.rows()[1] == before


def test_imp_09_a_file_that_was_missing_is_loaded() -> None:
    world = ImportWorld()
    job = world.import_file(None)
    assert (job.status, job.error) != ("COMPLETED", None)
    world.put(airports("a"))
    assert retried(world, job).status == "COMPLETED"


def test_what_may_not_be_retried() -> None:
    world = ImportWorld()
    job = world.import_file(airports("a"))
    with pytest.raises(WrongStatus, match="COMPLETED; only a FAILED import is retried"):
        world.service.retry_failed_rows(job.id, CONTEXT)
    failed = world.import_file(airports("!"))
    with pytest.raises(NotFound):
        world.service.retry_failed_rows(failed.id, replace(CONTEXT, tenant_code="t2"))


def scenario(gate: Gate | None = None, *, cancel_at: int = 0, **options: Any) -> tuple[ImportWorld, ImportJob, int]:
    """A job that fails and is retried; answers also the calls before the retry."""
    world = ImportWorld(gate, **options)
    refuse(world, "b", "e")
    job = created(world, FILE)
    world.run()
    begin = len(world.gate.calls)
    refuse(world)

    def cancel(_: str) -> None:
        world.check()
        if cancel_at and len(world.gate.calls) == begin + cancel_at:
            try:
                world.service.cancel_import(job.id, CONTEXT)
                Canceller(world.memory, ImportRepository(world.memory, world.clock))(job.key)
            except WrongStatus:
                assert status.is_terminal({"status": world.job(job).status})

    world.gate.checkpoint = cancel
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    check_end(world, job)
    return world, job, begin


def ends(world: ImportWorld) -> tuple[Any, ...]:
    rows, commands, objects = world.outcome()
    return rows, commands, [body for _, body in objects]


@IN_PARTS
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_imp_07_dup_03_a_crash_at_each_call_of_a_retry(fault: str, mode: str, part: int) -> None:
    world, _, begin = scenario(mode=mode)
    expected, calls = ends(world), len(world.gate.calls)
    assert world.rows()[1]["status"] == "COMPLETED"
    for number in part_of(range(begin + 1, calls + 1), part):
        assert ends(scenario(Gate(fault, number), mode=mode)[0]) == expected, f"{fault} call {number}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(20))
def test_imp_07_dup_02_a_retry_with_duplicates(seed: int, mode: str) -> None:
    assert ends(scenario(seed=seed, twice=True, mode=mode)[0]) == ends(scenario(mode=mode)[0])


@IN_PARTS
@pytest.mark.parametrize("mode", MODES)
def test_g5_a_retry_is_cancelled_between_any_two_calls(mode: str, part: int) -> None:
    world, job, begin = scenario(mode=mode)
    outcomes = set()
    for call in part_of(range(1, len(world.gate.calls) - begin + 1), part):
        world, job, _ = scenario(cancel_at=call, mode=mode)
        outcomes.add((world.job(job).status, world.job(job).counts.cancelled))
    assert {("FAILED", 2), ("FAILED", 0)} <= outcomes, outcomes


@IN_PARTS
def test_g5_another_call_resets_the_rows_between_any_two_calls(part: int) -> None:
    world, _, begin = scenario()
    expected, calls = ends(world), len(world.gate.calls)
    for call in part_of(range(begin + 1, calls + 1), part):
        world = ImportWorld()
        refuse(world, "b", "e")
        job = created(world, FILE)
        world.run()
        refuse(world)

        def reset(_: str, call: int = call, world: ImportWorld = world, job: ImportJob = job) -> None:
            world.check()
            if len(world.gate.calls) == call:
                RowResetter(world.memory, ImportRepository(world.memory, world.clock))(job.key)

        world.gate.checkpoint = reset
        assert retried(world, job).counts.applied == 6
        assert ends(world) == expected


def test_imp_07_many_failed_rows_of_one_partition() -> None:
    world = ImportWorld()
    names = ["b" if number % 4 else "a" for number in range(16 * 4)]
    refuse(world, "b")
    job = world.import_file(airports(*names))
    assert job.counts.failed == 48
    refuse(world)
    assert retried(world, job).counts.applied == len(names)


def by_pages(world: ImportWorld, rows: int) -> None:
    """As if a call's time were over after so many rows."""
    repository = ImportRepository(world.store, world.clock)
    resetter = RowResetter(world.store, repository, rows_per_call=rows)
    world.jobs = JobStream(world.loader.load, Canceller(world.store, repository), resetter)


def many_failed(gate: Gate | None = None, **options: Any) -> tuple[ImportWorld, ImportJob, int]:
    world = ImportWorld(gate, **options)
    refuse(world, "b")
    job = created(world, airports(*"ab" * 8))
    world.run()
    begin = len(world.gate.calls)
    refuse(world)
    by_pages(world, 5)
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    return world, job, begin


@IN_PARTS
@pytest.mark.parametrize("mode", MODES)
def test_imp_07_more_failed_rows_than_one_call_can_reset(mode: str, part: int) -> None:
    world, job, begin = many_failed(mode=mode)
    assert world.job(job).attempt == 2
    ended = check_end(world, job)
    assert (ended.status, ended.counts.applied, ended.counts.failed) == ("COMPLETED", 16, 0)
    # In each of 16 partitions are a row and its counter.
    pages = {image["resetCursor"][0] for _, image in world.images if "resetCursor" in image}
    assert pages == {3, 6, 9, 12, 15}
    expected = ends(world)
    for fault in (BEFORE, AFTER):
        for number in part_of(range(begin + 1, begin + 60, 2), part):
            again = many_failed(Gate(fault, number), mode=mode, checks=False)[0]
            assert ends(again) == expected, f"{fault} call {number}"


def test_imp_07_a_second_retry_begins_with_the_first_row_again() -> None:
    world, job, _ = many_failed()
    world = ImportWorld()
    refuse(world, "b")
    job = world.import_file(airports(*"ab" * 8))
    by_pages(world, 5)
    assert retried(world, job).counts.failed == 8
    refuse(world)
    assert retried(world, job).status == "COMPLETED"


@IN_PARTS
@pytest.mark.parametrize("mode", MODES)
def test_g5_a_job_fails_and_is_retried_while_its_loader_writes_and_its_rows_run(mode: str, part: int) -> None:
    """As when a machine dies: what works for the first attempt goes on beside the second."""
    expected = ends(scenario(mode=mode)[0])[1]
    calls = len(scenario(mode=mode)[0].gate.calls)
    for call in part_of(range(1, calls + 1), part):
        world = ImportWorld(mode=mode)
        job = created(world, FILE)

        def fail_and_retry(_: str, call: int = call, world: ImportWorld = world, job: ImportJob = job) -> None:
            world.check()
            if len(world.gate.calls) == call:
                import_repository = ImportRepository(world.memory, world.clock)
                import_repository.change_job(
                    job.key, 1, status.FAILED, error={"type": "MapFailed", "message": "it died"}
                )
                if world.job(job).status == status.FAILED:
                    world.service.retry_failed_rows(job.id, CONTEXT)

        world.gate.checkpoint = fail_and_retry
        world.run()
        ended = check_end(world, job)
        assert (ended.status, ended.counts.applied, ended.counts.failed) == ("FAILED", 6, 1), f"call {call}"
        assert ends(world)[1] == expected


def test_a_retry_that_is_cancelled_before_it_begins_may_be_asked_for_again() -> None:
    world = ImportWorld()
    refuse(world, "b")
    job = world.import_file(airports("a", "b"))
    world.service.retry_failed_rows(job.id, CONTEXT)
    assert world.service.cancel_import(job.id, CONTEXT).is_cancelling
    world.run()
    ended = check_end(world, job)
    assert (ended.status, ended.counts.failed, ended.counts.total) == ("FAILED", 1, 2)
    assert [row["attempt"] for row in world.rows()] == [1, 1]
    refuse(world)
    assert retried(world, job).status == "COMPLETED"


@pytest.mark.parametrize("step", ["loader", "import stream", "queue", "commands stream"])
def test_g1_the_sweeper_heals_a_retry(step: str) -> None:
    world = ImportWorld()
    refuse(world, "b", "e")
    job = created(world, FILE)
    world.run()
    begin = len(world.delivered)
    refuse(world)
    world.lost = lambda name, number: name == step and number < begin + 12
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.heal(hours=6)
    assert check_end(world, job).counts.applied == 6
