"""Cancelling the import of a file, at any moment of it, with duplicates and crashes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from handlers.core.errors import NotFound, WrongStatus
from handlers.imports.csv.direct_loader import ROWS_PER_LOOK
from handlers.imports.jobs import status
from handlers.imports.jobs.cancel import Canceller
from handlers.imports.jobs.model import MODES, ImportJob
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.service import ImportService
from tests.support.gate import AFTER, BEFORE, Gate, Gated
from tests.support.import_world import BUCKET, CONTEXT, ImportWorld
from tests.support.parts import IN_PARTS, part_of
from tests.unit.handlers.imports.test_route import airports

FILE = airports("a", "!", "c", "d") + b"A000,,again,,,JP,,1,2,,\nA009,x,too,many,values,JP,,1,2,,,,\n"


def created(world: ImportWorld, content: bytes = FILE) -> ImportJob:
    world.put(content)
    return world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT, mode=world.mode)


def check_end(world: ImportWorld, job: ImportJob) -> ImportJob:
    """Every row has one outcome, one count; a cancelled row has no command, each command a row that was applied."""
    world.check()
    world.check_history()
    assert world.dead == []
    rows, ended = world.rows(), world.job(job)
    assert status.is_terminal({"status": ended.status})
    assert not ended.is_cancelling
    assert all(status.is_terminal(row) for row in rows)
    if ended.counts.total is not None:
        assert ended.counts.processed == ended.counts.total == len(rows)
    else:
        assert rows == []
    published = {(row["commandSk"]) for row in rows if "commandSk" in row}
    assert published == {command["sk"] for command in world.commands()}
    assert [row for row in rows if row["status"] == status.CANCELLED and "commandSk" in row] == []
    return ended


def test_a_job_that_nobody_began_is_cancelled_at_once() -> None:
    world = ImportWorld()
    job = created(world)
    assert world.service.cancel_import(job.id, CONTEXT).status == "CANCELLED"
    world.run()
    assert check_end(world, job).counts.total is None
    assert world.rows() == []
    told = [one["content"]["status"] for one in world.topic.messages if one["action"] == "import-status"]
    assert told == ["CANCELLED"]


def test_rows_without_a_command_are_cancelled_and_the_others_end() -> None:
    world = ImportWorld()
    job = created(world, airports(*"abcdefgh"))
    world.run_until(lambda: len(world.commands()) == 3)
    assert world.service.cancel_import(job.id, CONTEXT).is_cancelling
    world.run_until(lambda: False, only="loader")
    assert sum(row["status"] == "CANCELLED" for row in world.rows()) == 5
    world.run()
    ended = check_end(world, job)
    assert (ended.status, ended.counts.applied, ended.counts.cancelled) == ("CANCELLED", 3, 5)
    assert len(world.commands()) == 3


def test_rows_that_failed_before_make_the_job_fail_with_its_report() -> None:
    world = ImportWorld()
    job = created(world, airports("!", *"abcdefgh"))
    world.run_until(lambda: any(row["status"] == "FAILED" for row in world.rows()))
    world.service.cancel_import(job.id, CONTEXT)
    world.run_until(lambda: False, only="loader")
    world.run()
    ended = check_end(world, job)
    assert (ended.status, ended.counts.failed, len(ended.report)) == ("FAILED", 1, 1)
    assert ended.counts.cancelled > 0


def test_rows_that_are_not_written_yet_are_written_as_cancelled() -> None:
    world = ImportWorld()
    job = created(world, airports(*["a"] * (ROWS_PER_LOOK + 20)))
    at = {"call": 0}

    def cancel_on_the_way(what: str) -> None:
        at["call"] += what == "put"
        if what == "put" and at["call"] == ROWS_PER_LOOK // 2:
            world.service.cancel_import(job.id, CONTEXT)

    world.gate.checkpoint = cancel_on_the_way
    world.run_until(lambda: world.job(job).counts.total is not None)
    statuses = [row["status"] for row in world.rows()]
    assert statuses == ["CREATED"] * ROWS_PER_LOOK + ["CANCELLED"] * 20
    world.run()
    assert check_end(world, job).status == "CANCELLED"


def test_what_has_its_outcome_is_not_cancelled_and_cancelled_is_said_again() -> None:
    world = ImportWorld()
    job = world.import_file(airports("a"))
    with pytest.raises(WrongStatus, match="COMPLETED; only an import without outcome is cancelled"):
        world.service.cancel_import(job.id, CONTEXT)
    other = created(world)
    with pytest.raises(NotFound):
        world.service.cancel_import(other.id, replace(CONTEXT, tenant_code="t2"))
    assert world.service.cancel_import(other.id, CONTEXT) == world.service.cancel_import(other.id, CONTEXT)


def test_a_job_that_begins_while_it_is_cancelled_is_not_left_with_open_rows() -> None:
    world, gate = ImportWorld(), Gate()
    job = created(world)
    store: Any = Gated(world.memory, gate)
    gate.checkpoint = lambda what: None if what != "update" else world.run_until(lambda: False, only="loader")
    service = ImportService(store, world.clock, ["airports"], [BUCKET])
    assert service.cancel_import(job.id, CONTEXT).is_cancelling
    world.run_until(lambda: False, only="loader")
    world.run()
    ended = check_end(world, job)
    assert (ended.counts.total, ended.counts.cancelled) == (6, 4)


def cancelled_at(call: int, *, at_once: bool = False, **world_options: Any) -> tuple[ImportWorld, ImportJob]:
    """The route, with a cancel right before one of its calls; ``at_once``: also the rows are cancelled there."""
    world = ImportWorld(**world_options)
    world.fails = lambda command: command["code"] == "A003"
    job = created(world)

    def cancel(_: str) -> None:
        world.check()
        if len(world.gate.calls) == call:
            try:
                world.service.cancel_import(job.id, CONTEXT)
                if at_once:
                    Canceller(world.memory, ImportRepository(world.memory, world.clock))(job.key)
            except WrongStatus:
                assert status.is_terminal({"status": world.job(job).status})

    world.gate.checkpoint = cancel
    world.run()
    return world, job


@IN_PARTS
@pytest.mark.parametrize("mode", MODES)
def test_g5_cancelled_between_any_two_calls(mode: str, part: int) -> None:
    """Whatever the moment: every row ends once, no cancelled row is applied."""
    outcomes = set()
    for seed, at_once in itertools.product(range(2), (False, True)):
        world, job = cancelled_at(0, seed=seed, mode=mode)
        # Only before the first call is there nothing yet.
        for call in (1, *part_of(range(2, len(world.gate.calls) + 1), part)):
            world, job = cancelled_at(call, seed=seed, at_once=at_once, mode=mode)
            ended = check_end(world, job)
            outcomes.add((ended.status, ended.counts.cancelled))
    assert {("CANCELLED", 0), ("FAILED", 0), ("FAILED", 3)} <= outcomes, outcomes


@IN_PARTS
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_imp_08_dup_03_cancelled_with_a_crash_at_each_call(fault: str, mode: str, part: int) -> None:
    for cancel in (12, 40):
        calls = len(cancelled_at(cancel, mode=mode)[0].gate.calls)
        for number in part_of(range(1, calls + 1), part):
            world, job = cancelled_at(cancel, gate=Gate(fault, number), mode=mode)
            check_end(world, job)


@pytest.mark.parametrize("seed", range(20))
def test_imp_08_dup_02_cancelled_with_duplicates(seed: int) -> None:
    for cancel in range(10, 90, 20):
        world, job = cancelled_at(cancel, seed=seed, twice=True)
        check_end(world, job)
