"""The API as one callable: an event of API Gateway (payload format 2.0) to an answer."""

from __future__ import annotations

from typing import Any

from handlers.api.document import document
from handlers.api.resolver import Resolver


class Api:
    """All routes."""

    def __init__(self) -> None:
        self._resolver = resolver = Resolver()

        @resolver.get("/health", summary="Is it alive?")
        def health() -> dict[str, str]:
            return {"status": "ok"}

        @resolver.get("/openapi.json", summary="This document")
        def openapi() -> dict[str, Any]:
            return document(resolver)

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request."""
        return self._resolver.resolve(event, context)
