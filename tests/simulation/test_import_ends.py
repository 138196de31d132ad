"""EDGE-25: a job ends within 15 seconds of its last row, and its machine takes at most a transition in ten seconds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from handlers.imports.csv.progress import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS
from infra.capabilities.import_csv import numbers_of
from infra.components.state_machines import load_definition
from infra.configuration.stack_config import StackConfig
from tests.simulation.import_ends import PROFILES, End, EndsWorld, one_late, steady

#: From the first state to the last, beside the turns of a wait.
OWN_TRANSITIONS = 12
WITHIN_SECONDS = 15.0
SECONDS_PER_TRANSITION = 10.0
Profile = Callable[[int, random.Random], list[float]]


def end_of(rows: int, profile: Profile, seed: int) -> End:
    return EndsWorld(rows, seed).run(profile(rows, random.Random(seed)))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("rows", [1, 10, 17, 1_000])
def test_edge_25_a_job_ends_within_seconds_of_its_last_row(rows: int, profile: Profile) -> None:
    for seed in range(2):
        end = end_of(rows, profile, seed)
        assert end.status == "COMPLETED"
        assert 0 <= end.late <= WITHIN_SECONDS, end
        assert end.transitions <= OWN_TRANSITIONS + end.job / SECONDS_PER_TRANSITION, end
        assert end.looks <= 16, "a look for each counter, however many rows"


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.__name__)
def test_edge_25_also_for_100_000_rows(profile: Profile) -> None:
    end = end_of(100_000, profile, 1)
    print(profile.__name__, end)
    assert 0 <= end.late <= WITHIN_SECONDS, end
    assert end.transitions <= OWN_TRANSITIONS + end.job / SECONDS_PER_TRANSITION, end


def test_edge_25_a_wake_up_that_is_lost_costs_no_more_than_the_time_of_the_wait() -> None:
    for profile in (steady, one_late):
        world = EndsWorld(1_000, 1, loses=lambda number: True)
        end = world.run(profile(1_000, random.Random(1)))
        assert end.late <= LONGEST_WAIT_SECONDS + 1, end
        assert end.transitions <= OWN_TRANSITIONS + end.job / SECONDS_PER_TRANSITION, end
    assert end.late > WITHIN_SECONDS, "without the record, nobody is woken"


def test_edge_25_the_longest_import_fits_into_its_execution() -> None:
    """A turn of the wait that runs out has 13 events; an execution has room for 25,000 (service quotas)."""
    hours = 168
    seconds = numbers_of(StackConfig.from_mapping({"importTimeoutHours": hours}))["/TimeoutSeconds"]
    assert seconds / LONGEST_WAIT_SECONDS * 13 < 20_000
    states = load_definition("import_csv")["States"]
    turn = ["wait_rows", "check_rows", "check_rows_result"]
    assert [states[name].get("Next") or states[name].get("Default") for name in turn] == [*turn[1:], turn[0]]
    assert FIRST_WAIT_SECONDS / len(turn) >= SECONDS_PER_TRANSITION
    assert json.dumps(states["wait_rows"]).count("States.Timeout") == 1
