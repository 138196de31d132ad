"""Where the endpoint is served, for addresses that AWS gives out: of queues, presigned URLs, HTTP APIs."""

from __future__ import annotations

_served_at: str | None = None


def served_at() -> str | None:
    """The URL at which the endpoint is served, None where it isn't."""
    return _served_at


def serve_at(url: str | None) -> None:
    """Give out addresses that begin with ``url``; None: those of AWS, for clients in this process alone."""
    global _served_at
    _served_at = url
