"""A right that the functions lack is no fault of the rows: none is FAILED, and the import goes on when it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.commands.model import CommandInput
from handlers.core.errors import ValidationError
from handlers.imports.jobs.model import MODES, ImportJob
from handlers.imports.strategy import Row
from tests.support.import_world import CONTEXT, ImportWorld
from tests.unit.handlers.imports.test_cancel import check_end, created
from tests.unit.handlers.imports.test_route import airports
from tests.unit.handlers.test_failure_policy import answered


def denied_code(world: ImportWorld, right: list[bool]) -> None:
    """The strategy's own call of AWS."""
    strategy = world.worker._tables.of("airports").strategy
    map_row = strategy.map

    def map_with_right(row: Row) -> CommandInput:
        if not right:
            raise answered("AccessDeniedException")
        return map_row(row)

    strategy.map = map_with_right  # type: ignore[method-assign]


def denied_table(world: ImportWorld, right: list[bool]) -> None:
    """The publisher's reads."""
    publisher: Any = world.worker._publisher
    reads = publisher._rows.latest_command

    def read(key: Any) -> Any:
        if not right:
            raise answered("AccessDeniedException")
        return reads(key)

    publisher._rows.latest_command = read


def held(denied: Callable[[ImportWorld, list[bool]], None], mode: str) -> tuple[ImportWorld, ImportJob]:
    """An import whose rows all wait for a right, and after that for their messages."""
    world, right = ImportWorld(mode=mode), list[bool]()
    denied(world, right)
    job = created(world, airports(*"abc"))
    world.run_until(lambda: len(world.dead) == 3)
    assert world.dead == ["queue"] * 3  # delivered five times, then in the dead-letter queue
    assert [row["status"] for row in world.rows()] == ["CREATED"] * 3
    assert (world.job(job).status, world.job(job).counts.failed) == ("PROCESSING", 0)
    right.append(True)
    world.dead.clear()
    return world, job


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("denied", [denied_code, denied_table])
def test_no_row_fails_and_a_redrive_of_the_queue_goes_on(
    denied: Callable[[ImportWorld, list[bool]], None], mode: str
) -> None:
    world, job = held(denied, mode)
    for message in list(world.topic.messages):
        world._sent(message)
    world.run()
    ended = check_end(world, job)
    assert (ended.status, ended.counts.applied) == ("COMPLETED", 3)


def test_the_sweeper_goes_on_without_a_redrive() -> None:
    world, job = held(denied_code, "DIRECT")
    world.heal(hours=2)
    assert check_end(world, job).counts.applied == 3


def test_a_retry_goes_on_after_the_job_s_timeout() -> None:
    world, job = held(denied_code, "STEP_FUNCTION")
    world.run()  # nothing else happens until the machine's time is over
    assert {row["error"]["type"] for row in world.rows()} == {"Timeout"}
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    ended = check_end(world, job)
    assert (ended.status, ended.counts.applied) == ("COMPLETED", 3)


def test_a_row_on_its_own_waits_too() -> None:
    world, right = ImportWorld(), list[bool]()
    denied_code(world, right)
    world.service.create_import("airports", ROW, CONTEXT)
    world.run()
    assert [row["status"] for row in world.rows()] == ["CREATED"]
    right.append(True)
    world.heal(hours=2)
    assert [row["status"] for row in world.rows()] == ["COMPLETED"]


def test_what_is_wrong_with_a_row_is_its_failure_still() -> None:
    world = ImportWorld()
    strategy = world.worker._tables.of("airports").strategy

    def validate(row: Any) -> None:
        if row["name"] == "b":
            raise ValidationError("name", "b", "another one")

    strategy.validate = validate  # type: ignore[method-assign]
    job = world.import_file(airports(*"ab"))
    assert (job.status, job.counts.failed, world.dead) == ("FAILED", 1, [])


_HEAD, _LINE = airports("a").decode().split()
ROW = dict(zip(_HEAD.split(","), _LINE.split(","), strict=True))
