"""The model of HTTP APIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Key of the route for requests that match no other.
DEFAULT_ROUTE = "$default"
ANY = "ANY"


@dataclass(frozen=True)
class Tokens:
    """The tokens that a route accepts: those of this issuer, for one of these audiences."""

    issuer: str
    audiences: Sequence[str]


@dataclass(frozen=True)
class Route:
    """``key``: ``GET /pets/{id}`` or ``$default``. ``authorisation`` is NONE, AWS_IAM or JWT, the last with ``tokens``.

    ``function``: name or ARN; ``timeout_s``: the integration's timeout.
    """

    key: str
    function: str
    timeout_s: float
    authorisation: str
    tokens: Tokens | None = None
    scopes: Sequence[str] = ()

    @property
    def method(self) -> str:
        """The method; ANY for all."""
        return ANY if self.key == DEFAULT_ROUTE else self.key.split(" ", 1)[0]

    @property
    def segments(self) -> Sequence[str]:
        """The segments of its path: text, ``{name}`` for any segment, at the end ``{name+}`` for all further ones."""
        return [] if self.key == DEFAULT_ROUTE else _segments(self.key.split(" ", 1)[1])


@dataclass(frozen=True)
class Cors:
    """CORS settings. ``max_age`` is in seconds."""

    origins: Sequence[str] = ()
    methods: Sequence[str] = ()
    headers: Sequence[str] = ()
    exposed: Sequence[str] = ()
    max_age: int | None = None
    credentials: bool = False


@dataclass(frozen=True)
class HttpApi:
    """One API with its default stage."""

    id: str
    routes: Sequence[Route]
    cors: Cors | None = None


def _segments(path: str) -> list[str]:
    return path.removeprefix("/").split("/")
