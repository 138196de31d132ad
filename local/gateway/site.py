"""The website on the runtime's port, in addition to AWS: the stack's HTTP APIs, its events and the console."""

from __future__ import annotations

from collections.abc import Collection

from local.aws.http.model import WebAnswer, WebRequest
from local.gateway import live
from local.gateway.console import LocalConsole
from local.gateway.gateway import Gateway
from local.gateway.live import LiveEvents


class Site:
    """A ``Website``."""

    def __init__(self, gateway: Gateway, events: LiveEvents) -> None:
        self._gateway = gateway
        self._events = events
        self._console = LocalConsole(gateway)

    def origins(self) -> Collection[str]:
        """The origins that the APIs allow."""
        return self._gateway.origins()

    def answer(self, request: WebRequest) -> WebAnswer:
        """Serve events and the console from the runtime; everything else from the APIs."""
        if request.path == live.PATH:
            return self._events.answer(request)
        if self._console.takes(request):
            return self._console.answer(request)
        return self._gateway.answer(request)
