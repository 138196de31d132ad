"""One pass over an ``open`` index: what it counts, what it logs, where it stops."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from handlers.core.keys import OPEN_SHARDS
from handlers.core.log import LOGGER_NAME
from handlers.store.memory import MemoryTableStore
from handlers.store.open_rows import PAGE, Sweep, SweepReport
from handlers.store.port import COMMANDS, Item
from tests.support.clock import ManualClock

ORDINARY = ("waiting",)


class Place:
    """Rows that are due, by their outcome; ``visited`` in their order."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryTableStore(), ManualClock()
        self.visited: list[str] = []
        self.outcomes: dict[str, str | Exception] = {}
        self.seconds_each = 0.0
        self.sweep = Sweep(self.store, COMMANDS, self.clock, self._heal, ordinary=ORDINARY)

    def add(self, name: str, outcome: str | Exception, *, shard: int = 0, due_in: int = 0) -> None:
        self.outcomes[name] = outcome
        due_at = int(self.clock.now()) + due_in
        self.store.put(COMMANDS, {"pk": "p", "sk": name, "openShard": shard, "dueAt": due_at})

    def _heal(self, row: Item, report: SweepReport) -> str:
        self.visited.append(row["sk"])
        self.clock.advance(self.seconds_each)
        outcome = self.outcomes[row["sk"]]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def run(self, seconds: float = 60) -> SweepReport:
        return self.sweep(self.clock.now() + seconds)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    return [
        (one.levelname, one.message, one.fields["sk"], one.fields.get("outcome"))  # type: ignore[attr-defined]
        for one in caplog.records
    ]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Place:
    monkeypatch.setattr(logging.getLogger(LOGGER_NAME), "propagate", True)
    caplog.set_level(logging.INFO)
    return Place()


def test_edge_65_each_outcome_is_counted_and_all_but_the_ordinary_ones_are_logged(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    for name, outcome in (("a", "restarted"), ("b", "waiting"), ("c", "restarted"), ("d", ValueError("no"))):
        place.add(name, outcome)
    report = place.run()
    assert (report.outcomes, report.errors, report.complete) == (Counter(restarted=2, waiting=1), 1, True)
    assert lines(caplog) == [
        ("INFO", "swept", "a", "restarted"),
        ("INFO", "swept", "c", "restarted"),
        ("ERROR", "sweep failed", "d", None),
    ]


def test_edge_65_only_what_is_due_is_swept_and_at_the_very_second(place: Place) -> None:
    for due_in in (-1, 0, 1):
        place.add(f"in {due_in} s", "restarted", due_in=due_in)
    place.run()
    assert place.visited == ["in -1 s", "in 0 s"]


def test_edge_65_every_shard_is_swept_once_and_each_begins_a_sweep_in_its_turn(place: Place) -> None:
    for shard in range(OPEN_SHARDS):
        place.add(f"{shard:02}", "restarted", shard=shard)
    firsts = []
    for _ in range(OPEN_SHARDS):
        place.visited.clear()
        assert place.run().complete
        assert sorted(place.visited) == [f"{shard:02}" for shard in range(OPEN_SHARDS)]
        firsts.append(place.visited[0])
        place.clock.advance(60)
    assert sorted(firsts) == [f"{shard:02}" for shard in range(OPEN_SHARDS)]


def test_edge_65_a_sweep_goes_through_all_pages(place: Place) -> None:
    for number in range(PAGE * 2 + 1):
        place.add(f"{number:04}", "restarted")
    assert place.run().outcomes == {"restarted": PAGE * 2 + 1}


@pytest.mark.parametrize(("seconds", "visited"), [(0, 0), (1, 1), (1.5, 2), (2, 2), (3, 3)])
def test_edge_65_a_sweep_stops_at_its_deadline_and_says_so(place: Place, seconds: float, visited: int) -> None:
    place.seconds_each = 1
    for name in "abc":
        place.add(name, "restarted")
    place.add("z", "restarted", shard=OPEN_SHARDS - 1)
    place.clock.time -= place.clock.time % (60 * OPEN_SHARDS)  # the first shard begins
    for name in "abcz":
        place.store.put(COMMANDS, {"pk": "p", "sk": name, "openShard": 0 if name != "z" else 15, "dueAt": 0})
    report = place.run(seconds)
    assert (len(place.visited), report.complete) == (visited, False)
