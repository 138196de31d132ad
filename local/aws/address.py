"""The endpoint's base URL, for URLs in AWS's responses: those of queues, presigned URLs and HTTP APIs."""

from __future__ import annotations

_served_at: str | None = None


def served_at() -> str | None:
    """The URL at which the endpoint is served; None if it isn't."""
    return _served_at


def serve_at(url: str | None) -> None:
    """Return URLs that begin with ``url``; None: URLs of AWS, which only work for clients in this process."""
    global _served_at
    _served_at = url
