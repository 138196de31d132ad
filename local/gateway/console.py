"""The console on this machine: the same files as the API serves, with the runtime's events and development identities.

It is here whatever ``consoleEnabled`` says, if the stack has an API; who calls is chosen on the page
(``local.gateway.callers``).
"""

from __future__ import annotations

from functools import cached_property

from contract.api import IAM_PREFIX
from handlers.api.console.pages import Console, PageSettings, is_of_console
from local.aws.http.model import WebAnswer, WebRequest
from local.gateway import live
from local.gateway.callers import LOCAL_USERS
from local.gateway.gateway import Gateway


class LocalConsole:
    """Answers GET requests for the console of the first API that is declared."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def takes(self, request: WebRequest) -> bool:
        """Whether a request is the console's."""
        return request.method == "GET" and is_of_console(request.path) and bool(self._gateway.apis())

    def answer(self, request: WebRequest) -> WebAnswer:
        """Answer one of its requests."""
        found = self._console.answer(request.path)
        headers = [(name.lower(), value) for name, value in found.headers.items()]
        return WebAnswer(found.status, headers, found.body.encode())

    @cached_property
    def _console(self) -> Console:
        api = self._gateway.apis()[0]
        base = IAM_PREFIX if any(route.tokens is not None for route in api.routes) else ""
        return Console(PageSettings(base, live.PATH, LOCAL_USERS))
