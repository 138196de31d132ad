"""HTTP APIs as they are served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Key of the route for what no other takes.
DEFAULT_ROUTE = "$default"
ANY = "ANY"


@dataclass(frozen=True)
class Tokens:
    """Whose tokens a route takes: of this issuer, for one of these audiences."""

    issuer: str
    audiences: Sequence[str]


@dataclass(frozen=True)
class Route:
    """``key``: ``GET /pets/{id}`` or ``$default``. ``authorisation`` is NONE, AWS_IAM or JWT, the last with ``tokens``.

    ``function``: name or ARN; ``timeout_s``: how long its answer is waited for.
    """

    key: str
    function: str
    timeout_s: float
    authorisation: str
    tokens: Tokens | None = None
    scopes: Sequence[str] = ()

    @property
    def method(self) -> str:
        """ANY for every method."""
        return ANY if self.key == DEFAULT_ROUTE else self.key.split(" ", 1)[0]

    @property
    def segments(self) -> Sequence[str]:
        """Of its path: texts, ``{name}`` for any one, at the end perhaps ``{name+}`` for all that come."""
        return [] if self.key == DEFAULT_ROUTE else _segments(self.key.split(" ", 1)[1])


@dataclass(frozen=True)
class Cors:
    """Which pages of other sites may call. ``max_age`` in seconds."""

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
