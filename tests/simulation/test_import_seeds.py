"""Imports under faults, all of them from a seed: counters are the rows, no row is lost or applied twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from contract.state_machines import INLINE
from handlers.store.port import Item
from tests.simulation.command_line import run_seeds
from tests.simulation.import_archives import Archives
from tests.simulation.imports import Result, draw_setup, simulate_imports, summary
from tests.simulation.plan import NoFaults
from tests.simulation.sites import CRASH, CRASH_AFTER, HANG, LONG_HANG, SDK_RETRY, TWICE, TWICE_LATE


@pytest.mark.parametrize("seed", range(36))
def test_dup_01_dup_04_imp_08_imp_15_promises_hold_under_faults(seed: int) -> None:
    result = simulate_imports(seed)
    assert not result.violations, result.report()


@pytest.mark.parametrize("seed", range(100, 112))
def test_imp_15_without_faults_rows_fail_only_for_their_own_reasons(seed: int) -> None:
    result = simulate_imports(seed, plan=NoFaults(), refusals=False)
    assert not result.violations, result.report()
    assert (result.faults, result.discarded, result.dead) == ({}, 0, 0)
    assert set(result.reasons) <= {"InvalidValue", "TooManyValues", "RepeatedKey"}


@pytest.mark.parametrize("seed", range(12))
def test_inl_01_rows_that_are_published_asynchronously_are_applied_by_the_streams_consumer(seed: int) -> None:
    result = simulate_imports(seed, setup=replace(draw_setup(seed), command_workflow=INLINE))
    assert not result.violations, result.report()


@pytest.mark.parametrize("seed", range(100, 104))
def test_edge_65_without_faults_and_duplicates_each_outcome_is_sent_once(seed: int) -> None:
    setup = replace(draw_setup(seed), duplicate=0.0)
    result = simulate_imports(seed, plan=NoFaults(), refusals=False, setup=setup)
    assert not result.violations, result.report()
    assert (result.faults, result.repeats) == ({}, ())


def test_an_error_of_the_watcher_is_reported_and_not_mistaken_for_the_table_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(_: Archives, row: Item) -> None:
        raise KeyError(row["kind"])

    monkeypatch.setattr(Archives, "file", blind)
    results = [simulate_imports(seed) for seed in (1, 3)]  # they have archives
    found = [one for result in results for one in result.violations]
    assert {one.guarantee for one in found} == {"WATCHER"}
    assert all(one.text.endswith("KeyError: 'file'") for one in found), found


def test_the_faults_and_the_ends_are_met() -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    results = [simulate_imports(seed) for seed in (1, 3, 9)]  # few that between them have everything
    kinds = {kind for one in results for kind in one.faults.values()}
    assert kinds >= {CRASH, CRASH_AFTER, HANG, LONG_HANG, SDK_RETRY, TWICE, TWICE_LATE}, kinds
    ends: Counter[str] = sum((one.ends for one in results), Counter())
    assert set(ends) >= {
        *("job COMPLETED", "job FAILED", "job CANCELLED", "archive FAILED", "archive CANCELLED"),
        *("row APPLIED", "row UNCHANGED", "row FAILED", "row CANCELLED", "row SUPERSEDED"),
    }, ends
    machines: Counter[str] = sum((one.machines for one in results), Counter())
    assert set(machines) >= {"import-csv SUCCEEDED", "import-zip SUCCEEDED"}, machines
    reasons: Counter[str] = sum((one.reasons for one in results), Counter())
    assert set(reasons) >= {"InvalidValue", "TooManyValues", "RepeatedKey", "Refused", "WaitExpired"}, reasons


@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first, second = simulate_imports(seed), simulate_imports(seed)
    assert (first.digest, first.faults) == (second.digest, second.faults)
    assert simulate_imports(seed + 1).digest != first.digest


@pytest.mark.slow
def test_dup_01_dup_04_imp_08_imp_15_two_thousand_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    results = run_seeds(simulate_imports, range(2000), 2)
    with capsys.disabled():
        print(f"\n{summary(results, sum(one.seconds for one in results))}")
    broken: list[Result] = [one for one in results if one.violations]
    assert not broken, "\n".join(one.report() for one in broken[:3])
