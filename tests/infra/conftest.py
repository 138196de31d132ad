"""The program under mocks, evaluated once per stack and process; and the switch that renews snapshots."""

from __future__ import annotations

import pytest

from tests.support.evaluation import Evaluation, evaluated

UPDATE = "--snapshot-update"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(UPDATE, action="store_true", help="write tests/infra/snapshots anew; look at the diff")


@pytest.fixture(scope="session")
def snapshot_update(pytestconfig: pytest.Config) -> bool:
    # The option is only known when pytest is given tests/infra.
    return bool(pytestconfig.getoption(UPDATE, default=False))


@pytest.fixture(scope="session")
def dev() -> Evaluation:
    return evaluated("dev")


@pytest.fixture(scope="session")
def prod() -> Evaluation:
    return evaluated("prod")


@pytest.fixture(scope="session", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest) -> Evaluation:
    """Each stack in turn."""
    evaluation: Evaluation = request.getfixturevalue(request.param)
    return evaluation
