"""The HTTP API on the real program: requests through the deployed function, and what follows from them."""

from __future__ import annotations

import re
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
        assert call(deployed, "GET", "/console", authorizer=None).status == 401  # CON-02: it is not enabled


def test_con_02_the_deployed_function_serves_the_console_where_it_is_enabled(tmp_path: Path) -> None:
    issuer = {"apiIssuer": "https://issuer.example", "apiAudience": '["console"]'}
    with DeployedImports(tmp_path, config={**issuer, "consoleEnabled": "true"}) as deployed:
        page = call(deployed, "GET", "/console", authorizer=None)
        bucket = deployed.runtime.outputs["bucketName"]
        assert page.status == 200
        [connect] = re.findall(r"connect-src ([^;]*)", page.headers["Content-Security-Policy"])
        assert connect == f"'self' https://{bucket}.s3.amazonaws.com"
        [script] = re.findall(r'src="([^"]+/main.js)"', page.text)
        assert call(deployed, "GET", script, authorizer=None).headers["Content-Type"].startswith("text/javascript")
        assert call(deployed, "GET", "/overview", authorizer=None).status == 401
