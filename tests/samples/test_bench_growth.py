"""What a stack does for one more costs what it did for the one before: in calls, with each workflow."""

from __future__ import annotations

import pytest

from bench import growth
from contract.state_machines import STARTED_MACHINES


@pytest.mark.slow
def test_calls_grow_with_what_is_done_and_no_faster() -> None:
    found, text = growth.figures()
    assert isinstance(found, dict)
    assert list(found) == list(STARTED_MACHINES)
    for workflow, exponents in found.items():
        assert exponents.keys() == growth.GROWS.keys()
        for what, exponent in exponents.items():
            assert 0.8 < exponent <= growth.MOST, (workflow, what)
    print(text)
