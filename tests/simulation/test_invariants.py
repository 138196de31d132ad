"""The invariants themselves: a store that breaks a promise is found out, and the story says what happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from handlers.store.conditions import Condition
from handlers.store.memory import Listener, MemoryTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY, Change, Item
from tests.simulation.__main__ import replay_command
from tests.simulation.command_line import faults_text, parse_faults
from tests.simulation.simulate import Outcome, shrink, simulate

#: They begin where each of the broken stores soon meets something that it spoils.
SEEDS = range(15, 55)
ENTITIES, VERSIONS = 3, 4
SUBJECT = re.compile(r" +\d+\.\d+ +(e\d\d)")


class Unconditional(MemoryTableStore):
    """Forgets the conditions of writes to one table."""

    table = DATA

    def put(self, table: str, item: Item, condition: Condition | None = None) -> None:
        """See TableStore."""
        super().put(table, item, None if table == self.table else condition)

    def update(self, table: str, pk: str, sk: str, change: Change, condition: Condition | None = None) -> Item:
        """See TableStore."""
        return super().update(table, pk, sk, change, None if table == self.table else condition)


class UnconditionalCommands(Unconditional):
    """The same for commands."""

    table = COMMANDS


class UnconditionalHistory(Unconditional):
    """The same for history."""

    table = HISTORY


@cache
def first_violation(memory: Callable[[Listener], MemoryTableStore]) -> Outcome:
    for seed in SEEDS:
        outcome = simulate(seed, entities=ENTITIES, versions=VERSIONS, memory=memory)
        if outcome.violations:
            return outcome
    raise AssertionError(f"{memory} broke nothing in {len(SEEDS)} seeds")


@pytest.mark.parametrize(
    ("memory", "guarantees"),
    [
        (Unconditional, {"G2", "G3"}),
        (UnconditionalCommands, {"G2", "G3", "G5"}),
        (UnconditionalHistory, {"G3"}),
    ],
)
def test_a_store_that_breaks_a_promise_is_found_out(memory: Any, guarantees: set[str]) -> None:
    outcome = first_violation(memory)
    first = outcome.violations[0]
    assert first.guarantee in guarantees
    report = outcome.report(replay_command(outcome.seed, ENTITIES, VERSIONS))
    assert str(first) in report
    assert f"--seed {outcome.seed}" in report
    told_of = {match[1] for match in map(SUBJECT.match, outcome.story.splitlines()) if match}
    assert told_of == {first.entity}


def test_a_violation_is_made_smaller_and_replays_from_its_faults() -> None:
    outcome = first_violation(UnconditionalHistory)
    smaller, names = shrink(outcome, entities=ENTITIES, versions=VERSIONS, memory=UnconditionalHistory)
    assert smaller.violations[0].guarantee == outcome.violations[0].guarantee
    assert len(smaller.faults) <= min(len(outcome.faults), 3)
    assert names
    assert parse_faults(faults_text(smaller.faults)) == smaller.faults
