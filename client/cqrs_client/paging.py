"""Lists as iterators: pages are requested as they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from cqrs_client.reading import listed, read
from cqrs_client.transport import Transport

T = TypeVar("T")
PAGE = 50


def items(
    transport: Transport, cls: type[T], *path: str, query: Mapping[str, Any] | None = None, page: int = PAGE
) -> Iterator[T]:
    """All entries of a list, over all its pages. ``page``: entries per request, at most 100."""
    cursor: Any = None
    while True:
        answer = transport.call("GET", *path, query={**(query or {}), "limit": page, "cursor": cursor})
        for one in listed(answer):
            yield read(cls, one)
        cursor = answer.get("cursor")
        if cursor is None:
            return
