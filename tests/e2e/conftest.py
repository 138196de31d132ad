from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract.state_machines import EXPRESS, STANDARD, STARTED_MACHINES
from tests.support.moto_clients import remembered_grammars


@pytest.fixture(scope="session", autouse=True)
def _grammars() -> Iterator[None]:
    """For the rules of other projects, in moto."""
    with remembered_grammars():
        yield


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
