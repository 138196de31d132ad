"""The OpenAPI document of the routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlers.api.resolver import Resolver

TITLE = "cqrs"
VERSION = "1"


def document(resolver: Resolver) -> dict[str, Any]:
    """The document as plain JSON values."""
    schema = resolver.get_openapi_schema(title=TITLE, version=VERSION)
    return schema.model_dump(mode="json", by_alias=True, exclude_none=True)
