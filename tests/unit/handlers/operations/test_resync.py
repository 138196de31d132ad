from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cli.operate.resync import plain, rendered
from handlers.commands.model import Command, CommandInput
from handlers.commands.targets.registry import APPLIED, SKIPPED
from handlers.core.context import InvokeContext
from handlers.core.errors import TransientThrottle
from handlers.operations.checkpoint import REMEMBERED_FAILURES, Checkpoint, TakenOver
from handlers.operations.resync import Resync, ResyncSelection, count_rows
from handlers.store.port import DATA, TASKS
from tests.modules.airports import AirportCard
from tests.modules.orders import OrderSummary
from tests.support.pipelines import World, order

SELECTION = ResyncSelection("search", ("ORDER",))


class Search:
    """A target that is conditional on the version, as all must be."""

    def __init__(self) -> None:
        self.calls: list[Command] = []
        self.behaviour: Any = lambda command: None

    def up(self, command: Command) -> object:
        self.calls.append(command)
        return self.behaviour(command)

    def codes(self) -> list[str]:
        return [command.code for command in self.calls]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def search() -> Search:
    return Search()


def publish(world: World, count: int, tenant: str = "t1") -> list[str]:
    codes = [f"o{number:03d}" for number in range(count)]
    for code in codes:
        world.apply(world.publish(order(0, code=code, n=code), InvokeContext("u1", tenant)))
    return codes


def resync(world: World, search: Search, run_id: str = "r1", **options: Any) -> Resync:
    options.setdefault("sleep", world.clock.advance)
    return Resync(world.store, world.clock, search, decoded=world.attributes.decoded, run_id=run_id, **options)


def test_ops_06_every_row_is_handed_over_as_the_command_that_made_it(world: World, search: Search) -> None:
    codes = publish(world, 7)
    world.publish_and_apply(order(1, code="o003", name="second", n="new"))
    world.store.put(DATA, {"pk": "ORDER_SUMMARY#t1", "sk": "ORDER#o001", "version": 1, "total": 3})
    outcome = resync(world, search, page_items=3).run(SELECTION)
    assert sorted(search.codes()) == codes
    assert (outcome.status, outcome.counts.handed, outcome.counts.failed) == ("COMPLETED", 7, 0)
    changed = next(command for command in search.calls if command.code == "o003")
    assert (changed.version, changed.attributes, str(changed.key)) == (2, {"n": "new"}, "TENANT#t1 ORDER#o003@2")
    assert (changed.name, changed.created_by, changed.tenant_code) == ("second", "u1", "t1")


def test_one_bad_row_does_not_stop_the_rest(world: World, search: Search) -> None:
    codes = publish(world, 5)

    def behaviour(command: Command) -> None:
        if command.code == "o002":
            raise RuntimeError("too long")

    search.behaviour = behaviour
    rows: list[tuple[str, str, str]] = []
    outcome = resync(world, search).run(SELECTION, on_row=lambda *row: rows.append(row))
    assert sorted(search.codes()) == codes
    assert (outcome.counts.handed, outcome.counts.failed) == (4, 1)
    assert outcome.failures == [{"key": "TENANT#t1 ORDER#o002", "error": "RuntimeError: too long"}]
    assert ("TENANT#t1 ORDER#o002", "FAILED", "RuntimeError: too long") in rows
    assert len(rows) == 5


def test_edge_54_what_the_target_did_is_counted(world: World, search: Search) -> None:
    publish(world, 6)
    answers = {"o000": APPLIED, "o001": APPLIED, "o002": SKIPPED, "o003": None, "o004": "whatever"}

    def behaviour(command: Command) -> object:
        if command.code == "o005":
            raise RuntimeError("index is full " + "x" * 100_000)
        return answers[command.code]

    search.behaviour = behaviour
    rows: list[tuple[str, str, str]] = []
    outcome = resync(world, search, page_items=2).run(SELECTION, on_row=lambda *row: rows.append(row))
    counts = outcome.counts
    assert (counts.handed, counts.applied, counts.kept, counts.unreported, counts.failed) == (5, 2, 1, 2, 1)
    assert [one for _, one, _ in rows] == [APPLIED, APPLIED, SKIPPED, "HANDED", "HANDED", "FAILED"]
    text = rendered("search", outcome)
    numbers = {line.rsplit("  ", 1)[0].strip(): line.split()[-1] for line in text.splitlines() if line.startswith("  ")}
    assert numbers["applied"] == "2"
    assert numbers["skipped, the target has a later version"] == "1"
    assert numbers["unknown, the target returned nothing"] == "2"
    assert numbers["rows failed"] == "1"
    assert len(outcome.failures[0]["error"]) <= 300
    assert plain("search", outcome)["counts"] == {
        "handed": 5,
        "failed": 1,
        "skipped": 0,
        "applied": 2,
        "kept": 1,
        "unreported": 2,
    }


@pytest.mark.parametrize(("handler", "kind"), [(OrderSummary, "ORDER_SUMMARY"), (AirportCard, "AIRPORT_CARD")])
def test_edge_54_a_repaired_projection_is_written_anew(handler: type, kind: str) -> None:
    """The documented condition lets the same version through, and no lower one."""
    world = World()
    type_ = "ORDER" if kind == "ORDER_SUMMARY" else "AIRPORT"
    content = {"elevation": 100, "lat": 1, "lon": 1, "lines": []}
    for version in range(2):
        world.publish_and_apply(CommandInput(type_, "o1", f"v{version}", content, version=version))
    target = handler(world.store)
    selection = ResyncSelection("sample", (type_,))
    first = resync(world, target).run(selection)
    good = world.store.get(DATA, f"{kind}#t1", f"{type_}#o1")
    assert good is not None
    assert (first.counts.applied, good["version"]) == (1, 2)

    world.store.put(DATA, {"pk": good["pk"], "sk": good["sk"], "version": 2, "wrong": True})  # what a bug wrote
    again = resync(world, target, "r2").run(selection)
    assert (again.counts.applied, again.counts.kept) == (1, 0)
    assert world.store.get(DATA, good["pk"], good["sk"]) == good

    world.store.put(DATA, {**good, "version": 3})
    late = resync(world, target, "r3").run(selection)
    assert (late.counts.applied, late.counts.kept) == (0, 1)
    assert world.store.get(DATA, good["pk"], good["sk"]) == {**good, "version": 3}


def test_edge_54_a_checkpoint_of_the_greatest_size_fits_into_an_item(world: World) -> None:
    checkpoint = Checkpoint("RESYNC#*", "t#*", "r1", "2026-01-01T00:00:00.000Z")
    for _ in range(200):
        checkpoint.note_failure("k" * 3_072, "RuntimeError: " + "\U0001f600" * 100_000)
    assert len(json.dumps(checkpoint.failures, ensure_ascii=False).encode()) < 400 * 1024


def interrupted(world: World, search: Search, after: int) -> None:
    class Stopped(BaseException):
        pass

    def behaviour(command: Command) -> None:
        if len(search.calls) > after:
            raise Stopped

    search.behaviour = behaviour
    with pytest.raises(Stopped):
        resync(world, search, page_items=2).run(SELECTION)
    search.behaviour = lambda command: None


def test_ops_06_an_interrupted_run_goes_on_from_its_checkpoint(world: World, search: Search) -> None:
    codes = publish(world, 9)
    interrupted(world, search, after=5)
    assert search.codes() == codes[:6]
    search.calls.clear()
    outcome = resync(world, search, "r2", page_items=2).run(SELECTION)
    assert search.codes() == codes[4:]  # the page that was not finished comes again
    assert (outcome.resumed, outcome.counts.handed, outcome.status) == (True, 9, "COMPLETED")
    search.calls.clear()
    again = resync(world, search, "r3").run(SELECTION)
    assert (again.resumed, search.codes()) == (False, codes)


def test_an_old_checkpoint_without_outcomes_is_continued(world: World, search: Search) -> None:
    publish(world, 5)
    interrupted(world, search, after=3)
    (row,) = world.store.scan(TASKS).items
    world.store.put(TASKS, {name: value for name, value in row.items() if name not in ("applied", "kept")})
    counts = resync(world, search, "r2").run(SELECTION).counts
    assert (counts.handed, counts.applied, counts.kept) == (5, 0, 0)


def test_restart_begins_at_the_first_row(world: World, search: Search) -> None:
    codes = publish(world, 5)
    interrupted(world, search, after=3)
    search.calls.clear()
    outcome = resync(world, search, "r2").run(SELECTION, restart=True)
    assert (outcome.resumed, outcome.counts.handed, search.codes()) == (False, 5, codes)


def test_a_run_that_was_taken_over_stops_after_its_page(world: World, search: Search) -> None:
    publish(world, 6)
    finished: list[Checkpoint] = []

    def behaviour(command: Command) -> None:
        search.behaviour = lambda command: None
        finished.append(resync(world, search, "second").run(SELECTION))

    search.behaviour = behaviour
    with pytest.raises(TakenOver):
        resync(world, search, "first", page_items=2).run(SELECTION)
    assert finished[0].counts.handed == 6
    (row,) = world.store.scan(TASKS).items
    assert (row["pk"], row["sk"], row["runId"], row["status"]) == ("RESYNC#*", "search#*", "second", "COMPLETED")


def test_selection_by_tenant_and_type(world: World, search: Search) -> None:
    publish(world, 3)
    publish(world, 2, tenant="t2")
    selection = ResyncSelection("search", ("ORDER",), tenant_code="t2")
    assert count_rows(world.store, world.clock, selection) == 2
    assert count_rows(world.store, world.clock, ResyncSelection("search", ("AIRPORT", "HOTEL"))) == 0
    both = ResyncSelection("search", ("AIRPORT", "ORDER"))
    assert count_rows(world.store, world.clock, both) == 5
    assert count_rows(world.store, world.clock, replace(both, type="AIRPORT")) == 0
    resync(world, search).run(selection)
    assert [command.tenant_code for command in search.calls] == ["t2", "t2"]


def test_a_rate_limit_spreads_the_rows(world: World, search: Search) -> None:
    publish(world, 11)
    begin = world.clock.now()
    resync(world, search, rate=5).run(SELECTION)
    assert world.clock.now() - begin == pytest.approx(2.0)


def test_rows_that_went_away_are_counted_apart(world: World, search: Search) -> None:
    publish(world, 3)
    items = world.memory._items
    items[DATA, "TENANT#t1", "ORDER#o001"]["ttl"] = 1
    outcome = resync(world, search).run(SELECTION)
    assert (outcome.counts.handed, outcome.counts.skipped, outcome.counts.total) == (2, 1, 3)


def test_deleted_rows_are_handed_over_too(world: World, search: Search) -> None:
    publish(world, 1)
    deleted = world.publisher.publish_partial_async(
        "TENANT#t1", "ORDER#o000", 1, {"is_deleted": True}, InvokeContext("u1", "t1")
    )
    assert deleted is not None
    items = world.memory._items
    items[DATA, "TENANT#t1", "ORDER#o000"].update(isDeleted=True, version=2, csk=deleted.sk)
    resync(world, search).run(SELECTION)
    assert [(command.version, command.is_deleted) for command in search.calls] == [(2, True)]


def test_passing_errors_are_tried_again_and_then_counted(world: World, search: Search) -> None:
    publish(world, 2)

    def behaviour(command: Command) -> None:
        if command.code == "o000" or len(search.calls) < 5:
            raise TransientThrottle("slow down")

    search.behaviour = behaviour
    outcome = resync(world, search).run(SELECTION)
    assert search.codes() == ["o000"] * 3 + ["o001"] * 2
    assert (outcome.counts.handed, outcome.counts.failed) == (1, 1)


def test_the_checkpoint_stays_small_however_many_rows_fail(world: World, search: Search) -> None:
    publish(world, REMEMBERED_FAILURES + 20)

    def behaviour(command: Command) -> None:
        raise RuntimeError("down")

    search.behaviour = behaviour
    outcome = resync(world, search).run(SELECTION)
    assert (outcome.counts.failed, len(outcome.failures)) == (REMEMBERED_FAILURES + 20, REMEMBERED_FAILURES)


def test_large_attributes_come_from_the_bucket(search: Search) -> None:
    world = World(inline_limit=1024)
    world.publish_and_apply(order(0, text="x" * 2000))
    assert "attributes" not in world.memory._items[DATA, "TENANT#t1", "ORDER#o1"]
    resync(world, search).run(SELECTION)
    assert [command.attributes for command in search.calls] == [{"text": "x" * 2000}]
