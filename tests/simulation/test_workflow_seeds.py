"""WF-01, WF-03 to WF-06, OPS-04 and SAGA-01 to SAGA-03 under faults, all of them from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.simulation.command_line import run_seeds
from tests.simulation.plan import ListedFaults, NoFaults
from tests.simulation.sites import ABORT, CRASH, CRASH_AFTER, HANG, KINDS, LONG_HANG, LOST, SDK_RETRY, TWICE, TWICE_LATE
from tests.simulation.workflows import Result, simulate_workflows, summary
from tests.support.parts import IN_PARTS, part_of

SMALL: dict[str, Any] = {"transfers": 1, "approvals": 1, "others": 0}
#: Seeds of the small world: the transfer works; its second step is refused, so that the first is undone.
SHAPES = {"transfer SUCCEEDED": 12, "transfer FAILED AccountClosed": 17}


@pytest.mark.parametrize("seed", range(40))
def test_saga_03_wf_03_wf_04_wf_05_wf_06_ops_04_promises_hold_under_faults(seed: int) -> None:
    result = simulate_workflows(seed)
    assert not result.violations, result.report()
    assert result.ends.total() >= 9


@pytest.mark.parametrize("seed", range(100, 106))
def test_saga_01_saga_02_wf_01_without_faults_the_ends_are_the_asked_ones(seed: int) -> None:
    result = simulate_workflows(seed, plan=NoFaults())
    assert not result.violations, result.report()
    platform = [end for end in result.ends if "Lambda" in end or "Runtime" in end or "UndoFailed" in end]
    assert (platform, result.faults) == ([], {})
    assert result.ends["three_steps SUCCEEDED"] == 1


def test_the_faults_and_the_ends_are_met() -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    results = [simulate_workflows(seed) for seed in (4, 14)]  # few that between them have everything
    kinds = {kind for one in results for kind in one.faults.values()}
    assert kinds >= {ABORT, CRASH, CRASH_AFTER, HANG, LONG_HANG, SDK_RETRY, TWICE, TWICE_LATE}, kinds
    ends = {end for one in results for end in one.ends}
    assert ends >= {
        "approval SUCCEEDED",
        "approval FAILED Rejected",
        "approval FAILED Expired",
        "beats FAILED Lost",
        "beats SUCCEEDED",
        "transfer SUCCEEDED",
        "transfer FAILED NotFound",
    }, ends
    assert sum(one.log_lines for one in results) > 300


@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first, second = simulate_workflows(seed), simulate_workflows(seed)
    assert (first.digest, first.faults) == (second.digest, second.faults)
    assert simulate_workflows(seed + 1).digest != first.digest


@dataclass
class Recorder:
    """A plan without faults that notes where one could be."""

    sites: dict[str, str] = field(default_factory=dict)

    def at(self, site: str, category: str, now: float) -> str | None:
        """See FaultPlan."""
        self.sites[site] = category
        return None


def places(seed: int, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every call of the workflows' states and of the people who answer, with each kind of fault that it can suffer."""
    recorder = Recorder()
    simulate_workflows(seed, plan=recorder, **SMALL)
    sites = {site: category for site, category in recorder.sites.items() if site.startswith(("r01@", "p01@"))}
    assert len(sites) > 30
    return [(site, kind) for site, category in sites.items() for kind in kinds if kind in KINDS[category]]


def with_fault(seed: int, site: str, kind: str) -> Result:
    plan = ListedFaults({site: kind})
    result = simulate_workflows(seed, plan=plan, **SMALL)
    assert not result.violations, f"{kind} at {site}\n{result.report()}"
    return result


def same_ends_everywhere(shape: str, kinds: tuple[str, ...], part: int) -> None:
    seed = SHAPES[shape]
    assert simulate_workflows(seed, plan=NoFaults(), **SMALL).ends[shape] == 1
    for site, kind in part_of(places(seed, kinds), part):
        result = with_fault(seed, site, kind)
        if kind != ABORT:
            assert result.ends[shape] == 1, f"{kind} at {site}: {result.ends}"


@IN_PARTS
@pytest.mark.parametrize("shape", SHAPES)
def test_saga_03_a_crash_or_a_duplicate_at_every_call(shape: str, part: int) -> None:
    """One such fault changes no end: the machine's Retry brings the saga through, and the approval with it."""
    same_ends_everywhere(shape, (CRASH, CRASH_AFTER, LOST, TWICE_LATE), part)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_saga_03_every_other_fault_at_every_call(shape: str) -> None:
    """Aborted executions are started again by an operator."""
    seed = SHAPES[shape]
    others = tuple(dict.fromkeys(kind for kinds in KINDS.values() for kind in kinds))
    for site, kind in places(seed, others):
        with_fault(seed, site, kind)


@pytest.mark.slow
def test_saga_03_wf_04_two_thousand_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    results = run_seeds(simulate_workflows, range(2000), 2)
    with capsys.disabled():
        print(f"\n{summary(results, sum(one.seconds for one in results))}")
    broken = [one for one in results if one.violations]
    assert not broken, "\n".join(one.report() for one in broken[:3])
