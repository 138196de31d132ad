from __future__ import annotations

import pytest

from contract.state_machines import EXPRESS, STANDARD, STARTED_MACHINES


@pytest.fixture(params=[STANDARD, EXPRESS])
def workflow(request: pytest.FixtureRequest) -> str:
    """The command workflow: what holds for one variant holds for the other, unless it is about tokens."""
    variant: str = request.param
    return variant


@pytest.fixture(params=list(STARTED_MACHINES))
def any_workflow(request: pytest.FixtureRequest) -> str:
    """The same with INLINE (INL-01), where there is no execution as long as nothing goes wrong."""
    variant: str = request.param
    return variant
