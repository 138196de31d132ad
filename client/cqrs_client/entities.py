"""Reading entities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from cqrs_client.errors import NotFound
from cqrs_client.models import Entity, EntityState, Version
from cqrs_client.paging import PAGE, items
from cqrs_client.reading import read
from cqrs_client.transport import Transport


class Entities:
    """``client.entities``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, type: str, code: str, *, include_deleted: bool = False, kind: str | None = None) -> Entity:
        """Get the applied state of an entity, including attributes of any size.

        Raises:
            NotFound: no version is applied, or the entity is deleted.
            ApiError, Unreachable: everything else.
        """
        entity = self.state(type, code, include_deleted=include_deleted, kind=kind).entity
        if entity.attributes is not None or entity.attributes_url is None:
            return entity
        return replace(entity, attributes=json.loads(self._transport.download(entity.attributes_url)))

    def find(self, type: str, code: str, *, include_deleted: bool = False, kind: str | None = None) -> Entity | None:
        """Like ``get``, but returns None instead of raising NotFound."""
        try:
            return self.get(type, code, include_deleted=include_deleted, kind=kind)
        except NotFound:
            return None

    def state(self, type: str, code: str, *, include_deleted: bool = False, kind: str | None = None) -> EntityState:
        """Get the applied state and the versions in progress. Raises the same as ``get``."""
        query = {"includeDeleted": include_deleted or None, "kind": kind}
        return read(EntityState, self._transport.call("GET", "entities", type, code, query=query))

    def list(
        self, type: str, *, prefix: str = "", include_deleted: bool = False, kind: str | None = None, page: int = PAGE
    ) -> Iterator[Entity]:
        """All entities of a type, ordered by code. ``prefix``: of their codes."""
        query = {"prefix": prefix or None, "includeDeleted": include_deleted or None, "kind": kind}
        return items(self._transport, Entity, "entities", type, query=query, page=page)

    def history(self, type: str, code: str, *, kind: str | None = None, page: int = PAGE) -> Iterator[Version]:
        """All stored versions of an entity, newest first."""
        return items(self._transport, Version, "entities", type, code, "history", query={"kind": kind}, page=page)

    def version(self, type: str, code: str, number: int, *, kind: str | None = None) -> Version:
        """One version. Raises NotFound, ApiError, Unreachable."""
        path = ("entities", type, code, "versions", str(number))
        return read(Version, self._transport.call("GET", *path, query={"kind": kind}))
