"""ORD-17, and the table of docs/spec/defects.md."""

from __future__ import annotations

import pytest

from tests.simulation.handshake import (
    Count,
    Model,
    Step,
    Store,
    check,
    done_without_wake_if_seen_absent,
    finished_if_no_successor,
    park,
    publish,
    read_predecessor,
    read_successor,
    read_whether_successor,
    reschedule,
    resume_itself,
    store_token,
    unless_seen_absent,
    wake,
    write_done,
)

DONE_FIRST: list[Step] = [write_done, read_successor, wake]
DONE_LAST: list[Step] = [read_successor, wake, write_done]
#: STANDARD stores a token, EXPRESS parks the row.
VARIANTS = pytest.mark.parametrize("mark", [store_token, park], ids=["token", "park"])


def waiting(mark: Step, *, looks_again: bool = True, in_two_calls: bool = True) -> list[Step]:
    second_half = [read_predecessor, resume_itself] if in_two_calls else [reschedule]
    return [check, mark, *(second_half if looks_again else [])]


@VARIANTS
@pytest.mark.parametrize(
    ("looks_again", "done_first", "expected"),
    [
        (False, False, Count(10, 8, 0)),
        (False, True, Count(10, 2, 0)),
        (True, False, Count(20, 7, 1)),
        (True, True, Count(20, 0, 6)),
    ],
)
def test_ord_17_both_halves_are_needed(mark: Step, looks_again: bool, done_first: bool, expected: Count) -> None:
    wait = waiting(mark, looks_again=looks_again, in_two_calls=False)
    assert Model(DONE_FIRST if done_first else DONE_LAST, wait).count() == expected


@VARIANTS
def test_ord_17_a_crash_at_every_point_loses_nothing_when_the_steps_are_repeated(mark: Step) -> None:
    found = Model(DONE_FIRST, waiting(mark), crashes=2).count()
    assert found.interleavings > 10_000
    assert found.lost == 0


@VARIANTS
@pytest.mark.parametrize(("done_first", "looks_again"), [(False, True), (True, False)])
def test_ord_17_with_crashes_each_half_left_out_still_loses(mark: Step, done_first: bool, looks_again: bool) -> None:
    steps = DONE_FIRST if done_first else DONE_LAST
    assert Model(steps, waiting(mark, looks_again=looks_again), crashes=1).count().lost > 0


@VARIANTS
def test_ord_17_a_side_that_dies_for_good_needs_the_timeout(mark: Step) -> None:
    assert Model(DONE_FIRST, waiting(mark), crashes=1, restarts=False).count().lost > 0
    assert Model(DONE_FIRST, waiting(mark), crashes=1, restarts=False, timeout=True).count().lost == 0


@VARIANTS
@pytest.mark.parametrize("crashes", [0, 1])
def test_ord_17_the_short_way_without_a_successor(mark: Step, crashes: int) -> None:
    """One transaction {own row finished, successor's row absent}, else the long way."""
    finish = [finished_if_no_successor, *map(unless_seen_absent, DONE_FIRST)]
    start = Store(successor_row=False)
    assert Model(finish, [publish, *waiting(mark)], start, crashes=crashes).count().lost == 0


@VARIANTS
def test_ord_17_the_short_way_must_be_one_transaction(mark: Step) -> None:
    """A look first and a write later lose the successor that was published and looked again between them."""
    finish = [read_whether_successor, done_without_wake_if_seen_absent, *map(unless_seen_absent, DONE_FIRST)]
    assert Model(finish, [publish, *waiting(mark)], Store(successor_row=False)).count().lost > 0
