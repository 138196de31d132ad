from __future__ import annotations

import pytest


@pytest.fixture(params=["STANDARD", "EXPRESS"])
def workflow(request: pytest.FixtureRequest) -> str:
    """The command workflow: what holds for one variant holds for the other, unless it is about tokens."""
    variant: str = request.param
    return variant
