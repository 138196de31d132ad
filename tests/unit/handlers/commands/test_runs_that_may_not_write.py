"""Each conditional write of a run, on a row that lacks exactly one of the things that it is conditional on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.commands import status
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.store.port import COMMANDS, Change, Item
from tests.support.pipelines import LEASE_SECONDS, World, order

ENTERED = 1_000
Write = Callable[[Progress, Run, Item], object]

#: Writes of a run that holds the claim; of one that may be any but must find no other's claim; of a run that waits.
WITH_CLAIM: dict[str, Write] = {
    "enter": lambda progress, run, row: progress.enter(run, status.SYNC_DATA),
    "leave": lambda progress, run, row: progress.leave(run, status.SYNC_DATA, {("targets", "t"): {"outcome": "x"}}),
    "done": lambda progress, run, row: progress.done(run),
    "done without successor": lambda progress, run, row: progress.done_without_successor(run),
}
WITHOUT_OTHERS: dict[str, Write] = {
    "note_check": lambda progress, run, row: progress.note_check(run),
    "claim": lambda progress, run, row: progress.claim(run, row),
    "restart": lambda progress, run, row: progress.restart(run, row.get("restart", 0), 1),
    "fail": lambda progress, run, row: progress.fail(run, status.SYNC_DATA, {"type": "X", "message": "m"}),
}
WAITING: dict[str, Write] = {
    "wait": lambda progress, run, row: progress.wait(run, "token", ENTERED),
    "park": lambda progress, run, row: progress.park(run),
}
OPEN_ONLY: dict[str, Write] = {
    "take back restart": lambda progress, run, row: progress.take_back_restart(run, row["restart"], 1),
    "look again": lambda progress, run, row: progress.reschedule(run, row, 1),
}
ALL = {**WITH_CLAIM, **WITHOUT_OTHERS, **WAITING, **OPEN_ONLY}


def rank_of(state: str, phase: str) -> int:
    return status.rank_of(1, state, phase)


FAILED = {"status": "check_version:FAILED", "rank": rank_of(status.CHECK_VERSION, status.FAILED)}
DONE = {"status": "finish:STARTED", "rank": rank_of(status.FINISH, status.STARTED)}
OTHER_ATTEMPT = {"attempt": 2}
OTHER_ROW = {"id": "of a later row with this key"}
CLAIMED_BY_ANOTHER = {"runId": "another run"}


class Place:
    """A command that ``run`` works on; ``holds``: with a live claim."""

    def __init__(self, detail: str, *, holds: bool) -> None:
        self.world = World(detail=detail)
        self.run = self.world.publish(order(0, n=1))
        lease = int(self.world.clock.now()) + LEASE_SECONDS
        self.change(restart=1, **({"runId": self.run.run_id, "leaseUntil": lease} if holds else {}))

    def change(self, **fields: Any) -> None:
        self.world.store.update(COMMANDS, self.run.key.pk, self.run.key.sk, Change(set=dict(fields)))

    def row(self) -> Item:
        return self.world.row(1)

    def write(self, name: str, seen: Item) -> None:
        """The write; whether it says that it was refused is each write's own affair."""
        try:
            ALL[name](self.world.pipeline.progress, self.run, seen)
        except LostRun:
            return


@pytest.fixture(params=["full", "terminal"])
def detail(request: Any) -> str:
    return str(request.param)


def place_for(name: str, detail: str) -> Place:
    return Place(detail, holds=name in WITH_CLAIM)


@pytest.mark.parametrize("name", ALL)
def test_each_write_is_made_where_nothing_is_against_it(name: str, detail: str) -> None:
    """Else the tests below would show nothing."""
    place = place_for(name, detail)
    before = place.row()
    place.write(name, before)
    assert (place.row() != before) is not (name == "note_check" and detail == "terminal")


@pytest.mark.parametrize("lack", [FAILED, DONE, OTHER_ATTEMPT, OTHER_ROW], ids=["failed", "done", "attempt", "row"])
@pytest.mark.parametrize("name", [name for name in ALL if name != "look again"])
def test_edge_63_no_run_writes_on_a_command_that_has_ended_or_is_anothers(
    name: str, lack: dict[str, Any], detail: str
) -> None:
    place = place_for(name, detail)
    seen = place.row()
    place.change(**lack)
    before = place.row()
    place.write(name, {**seen, "rank": 0})
    assert place.row() == before


@pytest.mark.parametrize("name", [*WITH_CLAIM, *WITHOUT_OTHERS, *WAITING])
def test_edge_63_no_run_writes_over_anothers_live_claim(name: str, detail: str) -> None:
    place = place_for(name, detail)
    place.change(leaseUntil=int(place.world.clock.now()) + 1, **CLAIMED_BY_ANOTHER)
    before = place.row()
    place.write(name, before)
    assert place.row() == before


@pytest.mark.parametrize("name", WITH_CLAIM)
def test_edge_63_no_run_goes_on_without_a_claim(name: str, detail: str) -> None:
    place = Place(detail, holds=False)
    before = place.row()
    place.write(name, before)
    assert place.row() == before


@pytest.mark.parametrize("name", [*WITHOUT_OTHERS, *WAITING])
def test_edge_64_a_claim_is_free_at_the_very_second_at_which_its_lease_ends(name: str, detail: str) -> None:
    place = Place(detail, holds=False)
    place.change(leaseUntil=int(place.world.clock.now()), **CLAIMED_BY_ANOTHER)
    before = place.row()
    place.write(name, before)
    assert (place.row() != before) is not (name == "note_check" and detail == "terminal")


@pytest.mark.parametrize("name", WAITING)
def test_edge_63_a_run_that_holds_its_claim_does_not_wait_again(name: str, detail: str) -> None:
    """A late call of its wait: the command goes on already."""
    place = Place(detail, holds=True)
    before = place.row()
    place.write(name, before)
    assert place.row() == before


@pytest.mark.parametrize(("entered", "token"), [(ENTERED - 1, "stored"), (ENTERED, "token"), (ENTERED + 1, "token")])
def test_edge_63_the_token_of_the_latest_wait_is_kept(entered: int, token: str, detail: str) -> None:
    place = Place(detail, holds=False)
    place.change(taskToken="stored", tokenEnteredAt=ENTERED)
    try:
        place.world.pipeline.progress.wait(place.run, "token", entered)
    except LostRun:
        assert entered < ENTERED
    assert place.row()["taskToken"] == token


@pytest.mark.parametrize("lack", [OTHER_ATTEMPT, OTHER_ROW, {"rank": 0}], ids=["attempt", "row", "moved on"])
def test_edge_63_the_sweeper_puts_off_only_what_it_has_seen(lack: dict[str, Any]) -> None:
    place = Place("full", holds=False)
    seen = place.row()
    place.change(**lack)
    before = place.row()
    place.write("look again", seen)
    assert place.row() == before


def test_edge_63_the_sweeper_puts_nothing_back_into_the_open_index() -> None:
    place = Place("full", holds=False)
    seen = place.row()
    place.world.store.update(COMMANDS, place.run.key.pk, place.run.key.sk, Change(remove=("openShard", "dueAt")))
    place.write("look again", seen)
    assert "dueAt" not in place.row()


@pytest.mark.parametrize("lack", [OTHER_ATTEMPT, OTHER_ROW, DONE], ids=["attempt", "row", "done"])
def test_edge_63_an_alarm_is_noted_on_the_failure_that_it_reports(lack: dict[str, Any]) -> None:
    place = Place("full", holds=False)
    place.change(**{**FAILED, **lack})
    before = place.row()
    place.world.pipeline.progress.alarmed(place.run)
    assert place.row() == before


def test_edge_63_a_late_wait_on_a_failed_command_leaves_no_token() -> None:
    """The whole state, not only its write: nobody waits for anything afterwards."""
    world = World()
    world.publish(order(0, n=1))
    run = world.publish(order(1, n=2))
    world.pipeline.progress.fail(run, status.WAIT_PREV_COMMAND, {"type": "X", "message": "m"})
    before = world.row(2)
    world.workflows.open_tokens.add("late")
    assert world.pipeline.wait(run, "late", "2026-01-01T00:00:00Z") == {"waiting": False}
    assert world.row(2) == before
    assert "late" not in world.workflows.open_tokens


@pytest.mark.parametrize("lack", [FAILED, OTHER_ATTEMPT, CLAIMED_BY_ANOTHER], ids=["failed", "attempt", "claimed"])
def test_edge_63_an_execution_that_may_not_park_its_command_ends(lack: dict[str, Any]) -> None:
    """Whoever owns the command goes on with it; the machine reads the answer."""
    place = Place("terminal", holds=False)
    run = place.world.publish(order(1, n=2))
    lacking = {"leaseUntil": int(place.world.clock.now()) + 1, **lack}
    place.world.store.update(COMMANDS, run.key.pk, run.key.sk, Change(set=lacking))
    before = place.world.row(2)
    assert place.world.pipeline.park(run) == {"result": 1}
    assert place.world.row(2) == before


def test_a_claim_of_a_row_that_is_beyond_its_status_is_one_write() -> None:
    """The rank was read: a write that can't raise it is not tried."""
    place = Place("full", holds=False)
    place.change(rank=rank_of(status.SYNC_DATA, status.STARTED))
    tried: list[str] = []
    update = place.world.store.update

    def counted(*given: Any) -> Item:
        tried.append("update")
        return update(*given)

    place.world.store.update = counted  # type: ignore[method-assign, assignment]
    place.world.pipeline.progress.claim(place.run, place.row())
    assert (tried, place.row()["runId"]) == (["update"], place.run.run_id)
