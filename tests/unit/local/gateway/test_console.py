"""CON-02: the console on the runtime's port, with its development identities."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest

from local.aws.http.model import WebRequest
from local.gateway.console import LocalConsole
from local.gateway.model import HttpApi, Route, Tokens

SIGNED = Route("GET /{proxy+}", "f", 30, "AWS_IAM")
TOKENS = Route("GET /{proxy+}", "f", 30, "JWT", Tokens("https://issuer", ["api"]))


class FakeGateway:
    def __init__(self, *apis: HttpApi) -> None:
        self._apis = list(apis)

    def apis(self) -> list[HttpApi]:
        return self._apis


def console(*routes: Route) -> LocalConsole:
    gateway: Any = FakeGateway(*([HttpApi("a", routes)] if routes else []))
    return LocalConsole(gateway)


def page(*routes: Route) -> Any:
    answer = console(*routes).answer(WebRequest("GET", "/console", "", []))
    assert isinstance(answer.body, bytes)
    return answer


def settings(*routes: Route) -> Any:
    _, _, rest = page(*routes).body.decode().partition('<meta name="console-settings" content="')
    return json.loads(unescape(rest.partition('"')[0]))


def test_con_02_the_page_knows_of_events_and_identities() -> None:
    assert settings(SIGNED) == {"base": "", "live": "/events", "users": ["local", "reader", "writer", "operator"]}


def test_con_02_where_the_api_takes_tokens_development_identities_come_by_the_other_door() -> None:
    assert settings(TOKENS)["base"] == "/iam"


def test_con_02_the_policy_travels_with_the_page() -> None:
    answer = page(SIGNED)
    assert answer.status == 200
    assert dict(answer.headers)["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [
        ("GET", "/console", True),
        ("GET", "/console/x", True),
        ("POST", "/console", False),
        ("GET", "/consoles", False),
        ("GET", "/entities/console", False),
    ],
)
def test_con_02_only_its_own_paths_are_taken(method: str, path: str, taken: bool) -> None:
    assert console(SIGNED).takes(WebRequest(method, path, "", [])) == taken


def test_con_02_without_an_api_there_is_no_console() -> None:
    assert not console().takes(WebRequest("GET", "/console", "", []))
