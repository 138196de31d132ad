"""Requests and responses of what is served in addition to AWS: HTTP APIs, pages, events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class WebRequest:
    """``path`` and ``query`` as they were sent; names of ``headers`` in lower case, repeated ones as they came."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        """The values of a header, joined by commas (RFC 9110, 5.3); None without one."""
        values = [value for one, value in self.headers if one == name]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class WebAnswer:
    """``body`` may come in parts as they are made: then it is sent until it ends or the client goes."""

    status: int
    headers: Headers
    body: bytes | Iterator[bytes] = b""


class Website(Protocol):
    """What answers requests that are none to AWS."""

    def origins(self) -> Collection[str]:
        """Other origins whose pages may call, by configuration."""
        ...

    def answer(self, request: WebRequest) -> WebAnswer:
        """Answer one request. Its Host and Origin are checked already."""
        ...


#: Called by the server for a website that may not be there yet.
WebsiteOf = Callable[[], Website | None]
