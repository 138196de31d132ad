"""DUP-01 to DUP-04 for the import route: one file, and each fault at each call; the end must be the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.imports.errors import INVALID_VALUE
from tests.simulation.import_files import REFUSED, SECRET, File, Row
from tests.simulation.import_ports import BUCKET
from tests.simulation.import_strategies import LASTS
from tests.simulation.import_world import ImportSetup, SimulatedImports
from tests.simulation.imports import at_rest
from tests.simulation.one_fault import EveryCall, Recorder
from tests.simulation.plan import FaultPlan, ListedFaults, NoFaults
from tests.simulation.sites import (
    ANSWER_LOST,
    CONFLICT,
    CRASH,
    CRASH_AFTER,
    INVOKE,
    KINDS,
    LONG_HANG,
    SDK_RETRY,
    THROTTLE,
    TWICE,
    TWICE_LATE,
    current_visit,
)
from tests.simulation.workload import CONTEXT
from tests.support.parts import IN_PARTS, PARTS, part_of

#: One row is applied, one is superseded, one is not valid, and one's command is refused.
ROWS = (
    Row(("f01", "1", SECRET), superseded_by=1),
    Row(("f01", "2", SECRET)),
    Row(("f02", "?", SECRET), fails=INVALID_VALUE),
    Row(("x01", "1", REFUSED)),
)


def run(plan: FaultPlan, setup: ImportSetup | None = None) -> SimulatedImports:
    """The file is imported; whoever creates the job meets no faults."""
    world = SimulatedImports(None, NoFaults(), setup)
    file = File(LASTS, ROWS)
    world.drop("imports/j01.csv", file)

    def create() -> None:
        current_visit.set(world.visit("j01", 0, "creator"))
        world.service().create_csv_import(LASTS, BUCKET, "imports/j01.csv", replace(CONTEXT, request_id="j01"))
        world.gate.plan = world.plan = plan

    world.spawn(create, "creator")
    world.run()
    if not world.watcher.violations:
        at_rest(world)
    return world


def final_state(world: SimulatedImports) -> dict[str, Any]:
    """What the end looks like, without times. A row that failed at its command may also tell the command's name."""
    (job,) = world.books.jobs.values()
    assert job.row is not None
    names = ("status", "attempt", "result", "supersededBy", "totalRows", "processedRows", "failedRows", "report")
    rows = [{name: row[name] for name in names if name in row} for _, row in sorted(job.rows.items())]
    return {
        "job": {name: job.row[name] for name in names if name in job.row},
        "rows": rows,
        "reasons": [row["error"] for _, row in sorted(job.rows.items()) if "error" in row],
        "report": [world.bucket.contents[key] for key in job.row["report"]],
        "alarms": (sorted(world.books.alarms), sorted(world.watcher.alarms)),
        "commands": {
            code: {version: row["status"] for version, row in entity.rows.items()}
            for code, entity in sorted(world.watcher.entities.items())
        },
    }


def places(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every call of the import route with each kind of fault that it can suffer."""
    recorder = Recorder()
    run(recorder)
    sites = {site: category for site, category in recorder.sites.items() if is_of_imports(site)}
    assert len(sites) > 40
    return [(site, kind) for site, category in sites.items() for kind in kinds if kind in KINDS[category]]


def is_of_imports(site: str) -> bool:
    """The pipeline's own calls have tests of their own."""
    return site.startswith("j01@") or " notifications" in site


def same_end_everywhere(kinds: tuple[str, ...], part: int) -> None:
    expected = final_state(run(NoFaults()))
    assert [row["status"] for row in expected["rows"]] == ["SUPERSEDED", "COMPLETED", "FAILED", "FAILED"]
    for site, kind in part_of(places(kinds), part):
        plan = ListedFaults({site: kind})
        world = run(plan)
        assert plan.met == {site: kind}
        assert not world.violations, f"{kind} at {site}\n{world.violations}\n{world.story.tell()}"
        assert final_state(world) == expected, f"{kind} at {site}\n{world.story.tell()}"


@IN_PARTS
def test_dup_03_a_crash_before_and_after_each_call(part: int) -> None:
    same_end_everywhere((CRASH, CRASH_AFTER), part)


@IN_PARTS
def test_dup_04_each_call_is_throttled_once(part: int) -> None:
    same_end_everywhere((THROTTLE, CONFLICT), part)


@IN_PARTS
def test_dup_01_dup_02_each_delivery_and_each_call_twice(part: int) -> None:
    same_end_everywhere((TWICE, TWICE_LATE, SDK_RETRY), part)


@pytest.mark.parametrize("kind", [TWICE, TWICE_LATE])
def test_dup_02_every_delivery_twice(kind: str) -> None:
    world = run(EveryCall(INVOKE, kind))
    assert not world.violations, world.story.tell()
    assert final_state(world) == final_state(run(NoFaults()))


@pytest.mark.slow
def test_dup_03_answers_that_are_lost_and_calls_that_come_late() -> None:
    for part in range(PARTS):
        same_end_everywhere((ANSWER_LOST, LONG_HANG), part)
