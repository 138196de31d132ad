"""HOUSE-03: ranks are stored with rows, so the numbers stay what they were, whatever states are added."""

from __future__ import annotations

from itertools import pairwise

import pytest

from contract import command_status
from handlers.commands import status
from tests.support.pipelines import World

FIXED = {
    "publish": (1000, 1001),
    "check_version": (1010, 1011),
    "wait_prev_command": (1020, 1021),
    "set_ttl_command": (1030, 1031),
    "history_copy": (1040, 1041),
    "transform_data": (1050, 1051),
    "sync_data": (1060, 1061),
    "finish": (1070, 1071),
}


@pytest.mark.parametrize("state", FIXED)
def test_house_03_ranks_are_fixed_numbers(state: str) -> None:
    ranks = tuple(status.rank_of(1, state, phase) for phase in ("STARTED", "FINISHED"))
    assert ranks == FIXED[state]
    assert status.rank_of(1, state, "FAILED") == 1900
    assert status.rank_of(3, state, "STARTED") == FIXED[state][0] + 2000


def test_house_03_each_state_has_a_pinned_rank_of_its_own_with_a_gap_after_it() -> None:
    assert set(command_status.STATE_RANKS) == set(FIXED)
    ranks = sorted(command_status.STATE_RANKS.values())
    assert min(after - before for before, after in pairwise(ranks)) > 2
    assert status.skipped_rank(1) == 1990
    assert ranks[-1] + 1 < command_status.FAILED_RANK < command_status.SKIPPED_RANK < command_status.ATTEMPT_RANK


def test_the_words_of_whole_statuses_are_made_of_states_and_phases() -> None:
    assert status.status_of(status.FINISH, status.FINISHED) == command_status.DONE
    assert status.status_of(status.SYNC_DATA, status.FAILED).endswith(command_status.FAILED_SUFFIX)
    assert {command_status.ACCEPTED, command_status.SYNC} == {"publish:ACCEPTED", "publish:SYNC"}


def test_every_state_that_can_fail_has_its_failed_status_in_the_list_of_filters() -> None:
    assert set(command_status.FAILED_STATUSES) == {status.status_of(state, status.FAILED) for state in status.STATES}
    assert all(status.is_terminal(one) for one in command_status.FAILED_STATUSES)


def test_what_is_applied_inline_before_the_targets_are_the_machines_states_in_their_order() -> None:
    ranks = command_status.STATE_RANKS
    first, last = ranks[status.WAIT_PREV_COMMAND], ranks[status.TRANSFORM_DATA]
    between = sorted((state for state in ranks if first < ranks[state] < last), key=ranks.__getitem__)
    assert list(World().pipeline.before_targets) == between
