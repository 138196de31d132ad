"""Requests and responses of the website that is served in addition to AWS: HTTP APIs, pages, events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class WebRequest:
    """``path`` and ``query`` are as sent; names of ``headers`` are in lower case and may be repeated."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        """The values of a header, joined by commas (RFC 9110, 5.3); None if it is absent."""
        values = [value for one, value in self.headers if one == name]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class WebAnswer:
    """``body`` may be an iterator of parts, which are sent until it ends or the client disconnects."""

    status: int
    headers: Headers
    body: bytes | Iterator[bytes] = b""


class Website(Protocol):
    """Answers the requests that aren't for AWS."""

    def origins(self) -> Collection[str]:
        """Other origins whose pages may call, as configured."""
        ...

    def answer(self, request: WebRequest) -> WebAnswer:
        """Answer one request, whose Host and Origin have been checked."""
        ...


#: Returns the website; None if it doesn't exist yet.
WebsiteOf = Callable[[], Website | None]
