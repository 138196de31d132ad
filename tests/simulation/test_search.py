"""ORD-14: hypothesis looks for small combinations of faults, and makes a failing one smaller."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.command_line import faults_text
from tests.simulation.plan import ListedFaults
from tests.simulation.simulate import draw_setup, simulate
from tests.simulation.sites import ALL_KINDS

STATES = (
    *("start", "check_version", "wait_prev_command", "park", "set_ttl_command", "history_copy", "transform_data"),
    *("sync_data(data)", "sync_data(mail)", "finish", "record_failure", "ended_outside"),
)
SITES = st.builds(
    "e0{}@{} {}#{}.{}".format,
    st.integers(1, 2),
    st.integers(1, 3),
    st.sampled_from(STATES),
    st.integers(1, 3),
    st.integers(0, 5),
)


@pytest.mark.parametrize("examples", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_ord_14_small_combinations_of_faults(examples: int) -> None:
    everywhere = list(HealthCheck)
    chosen = settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=everywhere)
    chosen(no_combination_breaks_a_guarantee)()


@given(
    seed=st.integers(0, 7),
    entities=st.integers(1, 2),
    versions=st.integers(1, 3),
    faults=st.dictionaries(SITES, st.sampled_from(ALL_KINDS), max_size=6),
)
def no_combination_breaks_a_guarantee(seed: int, entities: int, versions: int, faults: dict[str, str]) -> None:
    plan = ListedFaults(faults)
    outcome = simulate(seed, entities=entities, versions=versions, plan=plan, setup=draw_setup(seed), tell=False)
    command = (
        f".venv/bin/python -m tests.simulation --seed {seed} --entities {entities} --versions {versions} "
        f"--faults '{faults_text(plan.met)}'"
    )
    assert not outcome.violations, outcome.report(command)
