"""The console on this machine: the API's files, with the runtime's events and development identities.

It is served regardless of ``consoleEnabled`` if the stack has an API; the caller is chosen on the page
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
    """Serves the console of the first declared API."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def takes(self, request: WebRequest) -> bool:
        """Whether a request is for the console."""
        return request.method == "GET" and is_of_console(request.path) and bool(self._gateway.apis())

    def answer(self, request: WebRequest) -> WebAnswer:
        """Answer a request for the console."""
        found = self._console.answer(request.path)
        headers = [(name.lower(), value) for name, value in found.headers.items()]
        return WebAnswer(found.status, headers, found.body.encode())

    @cached_property
    def _console(self) -> Console:
        api = self._gateway.apis()[0]
        base = IAM_PREFIX if any(route.tokens is not None for route in api.routes) else ""
        return Console(PageSettings(base, live.PATH, LOCAL_USERS))
