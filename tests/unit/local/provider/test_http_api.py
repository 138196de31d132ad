"""An HTTP API that the engine deploys is served, as it is now: no request sees what it was before an update."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from local.deploy.program import evaluate
from local.deploy.project import load_stack
from local.provider import EngineRuntime
from tests.support.projects import shared_project
from tests.support.provider_client import ProtocolEngine
from tests.unit.local.deploy.sample import write_project
from tests.unit.local.gateway.test_served import PROGRAM

APIS = "aws:apigatewayv2/"


@pytest.fixture
def runtime() -> Iterator[EngineRuntime]:
    with EngineRuntime(project_dir=shared_project(), port=0) as one:
        yield one


def status(url: str) -> int:
    try:
        with urlopen(url) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_what_the_engine_changes_is_served(tmp_path_factory: pytest.TempPathFactory, runtime: EngineRuntime) -> None:
    folder = write_project(tmp_path_factory.mktemp("api"), program=PROGRAM)
    engine = ProtocolEngine(int(runtime.environment["PULUMI_DEBUG_PROVIDERS"].removeprefix("aws:")))
    evaluate(folder, load_stack(folder, "dev"), engine)
    url = runtime.runtime.url
    assert (status(f"{url}/open"), status(f"{url}/else")) == (200, 200)
    route, tokens = engine.get(f"{APIS}route:Route", "one-open"), engine.get(f"{APIS}authorizer:Authorizer", "one")
    engine.update(route, authorizationType="JWT", authorizerId=tokens.id)
    assert status(f"{url}/open") == 401
    engine.delete(route)
    assert status(f"{url}/open") == 200  # by the greedy route
    engine.delete(engine.get(f"{APIS}stage:Stage", "one"))
    engine.delete(engine.get(f"{APIS}stage:Stage", "two"))
    assert status(f"{url}/open") == 404
