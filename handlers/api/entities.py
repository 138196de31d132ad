"""``/entities``: current states, lists, and versions with their outcomes."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import BeforeValidator

from handlers.api.http.identity import Caller
from handlers.api.http.models import (
    DEFAULT_LIMIT,
    Cursor,
    Entity,
    Flag,
    Kind,
    Limit,
    Number,
    Part,
    Shown,
    Version,
    entity_of,
    fitting,
    size_of,
    version_of,
    whole,
)
from handlers.api.http.routes import READER, Routes, answer
from handlers.api.services import Services
from handlers.commands.keys import DEFAULT_KIND, EntityKey
from handlers.commands.model import Command
from handlers.core.errors import NotFound
from handlers.core.key_parts import check_new_part

#: Entities per read: their attributes are in memory at the same time.
AT_A_TIME = 10


class EntityState(Shown):
    """The applied state of an entity, and the later versions that are in progress, waiting or failed."""

    entity: Entity
    pending: list[Version]


class EntityPage(Shown):
    """Entities ordered by code. ``cursor``: pass it in the next request; null on the last page."""

    items: list[Entity]
    cursor: str | None


class VersionPage(Shown):
    """Versions, newest first. ``cursor``: pass it in the next request; null on the last page."""

    items: list[Version]
    cursor: str | None


Deleted = Annotated[bool, Query(alias="includeDeleted", description="Include deleted entities"), Flag]


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""
    api = _Entities(services)

    @routes.add("GET", "/entities/<type>", READER, "List entities of a type", answers={200: EntityPage})
    def list_entities(
        type: Part,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
        include_deleted: Deleted = False,
        prefix: Annotated[str, Query(description="Prefix of their codes")] = "",
        kind: Kind = DEFAULT_KIND,
    ) -> Response[EntityPage]:
        return answer(200, api.page(routes.caller, kind, type, prefix, limit, cursor, deleted=include_deleted))

    @routes.add(
        "GET", "/entities/<type>/<code>", READER, "Get the current state, and versions in progress",
        answers={200: EntityState, 304: None}, may=(404,),
    )  # fmt: skip
    def get_entity(
        type: Part,
        code: Part,
        include_deleted: Deleted = False,
        kind: Kind = DEFAULT_KIND,
        if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    ) -> Response[EntityState]:
        state = api.state(api.key(routes.caller, kind, type, code), deleted=include_deleted)
        tag = f'"{state.entity.version}"'
        headers = {"ETag": tag}
        if if_none_match is not None and _matches(if_none_match, tag):
            return Response(304, headers=headers)
        found = answer(200, state)
        found.headers.update(headers)
        return found

    @routes.add(
        "GET", "/entities/<type>/<code>/history", READER, "List all versions, newest first",
        answers={200: VersionPage}, may=(404,),
    )  # fmt: skip
    def list_versions(
        type: Part,
        code: Part,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Annotated[
            int | None, Query(ge=1, description="`cursor` of the previous page"), BeforeValidator(whole)
        ] = None,
        kind: Kind = DEFAULT_KIND,
    ) -> Response[VersionPage]:
        return answer(200, api.history(api.key(routes.caller, kind, type, code), limit, cursor))

    @routes.add(
        "GET", "/entities/<type>/<code>/versions/<version>", READER,
        "Get one version: its state, status, targets and error", answers={200: Version}, may=(404,),
    )  # fmt: skip
    def get_version(type: Part, code: Part, version: Number, kind: Kind = DEFAULT_KIND) -> Response[Version]:
        key = api.key(routes.caller, kind, type, code)
        state = services.reader.version(key, version)
        if state is None:
            raise NotFound(f"{key}: there is no version {version}, or it has expired")
        return answer(200, version_of(state, services.links))


class _Entities:
    """Implements the routes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def key(self, caller: Caller, kind: str, type_: str, code: str) -> EntityKey:
        return EntityKey.of_caller(kind, caller.tenant, type_, code)

    def state(self, key: EntityKey, *, deleted: bool) -> EntityState:
        reader, links = self._services.reader, self._services.links
        command = reader.get(key, deleted=deleted)
        if command is None:
            raise NotFound(f"{key}: no version is applied under this key")
        pending = fitting(reader.pending(key), lambda one: size_of(one.command))
        return EntityState.model_construct(
            entity=entity_of(command, links), pending=[version_of(one, links) for one in pending]
        )

    def page(
        self, caller: Caller, kind: str, type_: str, prefix: str, limit: int, cursor: str | None, *, deleted: bool
    ) -> EntityPage:
        if prefix:
            check_new_part("prefix", prefix)
        items: list[Command] = []
        begun: Any = False
        while len(items) < limit and (cursor is not None or not begun):
            begun = True
            given: dict[str, Any] = {"prefix": prefix, "cursor": cursor, "deleted": deleted, "kind": kind}
            wanted = min(AT_A_TIME, limit - len(items))
            listing = self._services.reader.list(caller.tenant, type_, limit=wanted, **given)
            fit = len(fitting([*items, *listing.items], size_of)) - len(items)
            if fit < len(listing.items):  # again, for the cursor after the last one that fits
                if fit:
                    listing = self._services.reader.list(caller.tenant, type_, limit=fit, **given)
                    items, cursor = [*items, *listing.items], listing.cursor
                break
            items, cursor = [*items, *listing.items], listing.cursor
        links = self._services.links
        return EntityPage.model_construct(items=[entity_of(one, links) for one in items], cursor=cursor)

    def history(self, key: EntityKey, limit: int, before: int | None) -> VersionPage:
        found = self._services.reader.versions(key, limit=limit + 1, before=before)
        if not found and before is None:
            raise NotFound(f"{key}: nothing is stored under this key")
        shown = fitting(found[:limit], lambda one: size_of(one.command))
        links = self._services.links
        cursor = str(shown[-1].command.version) if len(shown) < len(found) else None
        return VersionPage.model_construct(items=[version_of(one, links) for one in shown], cursor=cursor)


def _matches(given: str, tag: str) -> bool:
    """RFC 9110, 13.1.2: the tag is in the list, weak or not, or the list is ``*``."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in given.split(","))
