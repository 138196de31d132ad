"""ORD-17 for INLINE."""

from __future__ import annotations

import pytest

from tests.simulation.consumers import (
    BROKEN,
    CLAIM_OVER_A_CLAIM,
    CLAIMED_ONLY,
    CONSUMER,
    DONE_WITHOUT_CLAIM,
    NO_LOOK_BEHIND,
    ONE_STEP_BEHIND,
    Process,
    Row,
    World,
    search,
)

PARKED = Row(parked=True)


def world(*records: int, rows: tuple[Row, ...] = (Row(), Row()), deaths: int = 0, leases: int = 0) -> World:
    """One consumer for each record, by its version."""
    processes = tuple(Process(CONSUMER, record, record) for record in sorted(records))
    return World(rows, processes, deaths=deaths, leases=leases)


@pytest.mark.parametrize(
    ("start", "at_least"),
    [
        pytest.param(world(1, 2, deaths=2), 3_000, id="two consumers that die twice"),
        pytest.param(world(1, 1, 2), 15_000, id="the predecessor comes to two"),
        pytest.param(world(1, 2, 2, leases=1), 30_000, id="the successor comes to two, a lease ends"),
        pytest.param(world(1, rows=(Row(), PARKED, PARKED), deaths=2), 300, id="one goes on with two and dies twice"),
        pytest.param(world(1, 2, 3, rows=(Row(), Row(), Row())), 40_000, id="three versions", marks=pytest.mark.slow),
        pytest.param(
            world(1, 2, 3, rows=(Row(), Row(), Row()), deaths=1),
            100_000,
            id="three versions, one dies",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_ord_17_whatever_the_order_of_steps_all_are_done_in_order_and_once(start: World, at_least: int) -> None:
    found = search(start)
    assert found.wrong == frozenset()
    assert found.worlds > at_least


@pytest.mark.parametrize("broken", [one for one in BROKEN if one != ONE_STEP_BEHIND])
def test_ord_17_each_part_of_the_handshake_is_needed(broken: str) -> None:
    expected = {CLAIM_OVER_A_CLAIM: "claim taken over", DONE_WITHOUT_CLAIM: "DONE of another run's"}
    deaths = 1 if broken in (NO_LOOK_BEHIND, CLAIMED_ONLY) else 0
    assert search(world(1, 2, deaths=deaths), broken).wrong == {expected.get(broken, "lost")}


def test_ord_17_a_record_that_comes_again_looks_behind_all_that_was_gone_on_with() -> None:
    start = world(1, rows=(Row(), PARKED, PARKED), deaths=1)
    assert search(start).wrong == frozenset()
    assert search(start, ONE_STEP_BEHIND).wrong == {"lost"}
