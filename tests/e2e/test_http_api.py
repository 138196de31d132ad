"""The HTTP API on the real program: requests through the deployed function, and what follows from them."""

from __future__ import annotations

from pathlib import Path

from tests.support.api_calls import call, the_api_is_used
from tests.support.imports import DeployedImports


def test_the_function_does_all_of_it(tmp_path: Path) -> None:
    with DeployedImports(
        tmp_path, config={"handlerModules": '["handlers.domain.recording", "handlers.domain.airports"]'}
    ) as deployed:
        the_api_is_used(deployed)
        assert call(deployed, "GET", "/health", authorizer=None).status == 200
        assert call(deployed, "GET", "/tasks", authorizer=None).status == 401
