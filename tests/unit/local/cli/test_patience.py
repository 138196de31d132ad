"""EDGE-45: a run in which nothing goes on ends by name."""

from __future__ import annotations

import pytest

from cli.demo.patience import Patience
from cli.develop.errors import CommandError


def test_edge_45_a_run_that_stands_still_ends_and_names_what_is_open() -> None:
    now = [0.0]
    patience = Patience(lambda: [f"e{n} in sync_data" for n in range(7)], seconds=600.0, clock=lambda: now[0])
    for done in (0, 1, 1, 2):
        patience.note(done)
        now[0] += 500.0  # something ended, or not for long
    now[0] = 1500.0 + 600.0
    patience.note(2)
    now[0] += 1.0
    with pytest.raises(CommandError) as stuck:
        patience.note(2)
    assert str(stuck.value) == (
        "nothing has ended for 10 minutes; open: e0 in sync_data, e1 in sync_data, e2 in sync_data, "
        "e3 in sync_data, e4 in sync_data and 2 more"
    )
