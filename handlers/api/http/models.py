"""Request and response models that several groups of routes share: fields are named as stored, in camel case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from handlers.api.http.requests import decoded
from handlers.commands.attributes import object_key
from handlers.commands.model import Command
from handlers.commands.reader import VersionState
from handlers.core.values.json_values import json_bytes
from handlers.core.values.stored_names import to_stored_name
from handlers.objects.links import Links

T = TypeVar("T")
#: Size limits of one entity's attributes in a response, and of a page: a response has at most 6 MB (Lambda Developer
#: Guide, "Lambda quotas").
MAX_SHOWN_BYTES = 1024 * 1024
MAX_PAGE_BYTES = 3 * 1024 * 1024
MAX_LIMIT = 100
DEFAULT_LIMIT = 20


#: The allowed parts of keys, as far as a pattern can express it (``handlers.core.key_parts`` checks them, too).
_INSIDE = r"[^#@\u0000-\u001f\u007f-\u009f]"
_END = r"[^#@\s\u0000-\u001f\u007f-\u009f\u200b\u2060\ufeff]"
KEY_PART: dict[str, JsonValue] = {"pattern": f"^{_END}({_INSIDE}*{_END})?$", "minLength": 1}
KeyPart = Annotated[str, Field(json_schema_extra=KEY_PART)]


class Given(BaseModel):
    """Base of request models: unknown fields are rejected, and types aren't coerced."""

    # Built at first use: a request needs few of the models.
    model_config = ConfigDict(
        defer_build=True, extra="forbid", strict=True, alias_generator=to_stored_name, frozen=True
    )


class Shown(BaseModel):
    """Base of response models."""

    model_config = ConfigDict(defer_build=True, alias_generator=to_stored_name, populate_by_name=True)


class Failure(Shown):
    """Why something failed. ``state``: for a command, the state that failed."""

    type: str
    message: str
    state: str | None = None


class Entity(Shown):
    """One version of an entity. ``attributesUrl``: where to download attributes that are too large for a response."""

    kind: str
    type: str
    code: str
    version: int
    name: str
    tenant_code: str
    attributes: dict[str, Any] | None
    attributes_url: str | None = None
    is_deleted: bool
    seq: int | None = None
    id: str
    source: str
    request_id: str | None = None
    created_at: str
    created_by: str
    created_ip: str
    updated_at: str
    updated_by: str
    updated_ip: str


class Version(Shown):
    """A version and its outcome: ``outcome`` is OPEN, APPLIED, FAILED or SKIPPED."""

    command: Entity
    outcome: str
    status: str
    attempt: int
    targets: dict[str, Any]
    error: Failure | None = None


def entity_of(command: Command, links: Links | None = None) -> Entity:
    """Convert a command to its response model. Without ``links``, large attributes are omitted."""
    attributes: dict[str, Any] | None = command.attributes
    url = None
    body = json_bytes(command.attributes)
    if len(body) > MAX_SHOWN_BYTES:
        attributes, url = None, None if links is None else links.download(_large(command, body))
    fields = {name: getattr(command, name) for name in Entity.model_fields if hasattr(command, name)}
    kind = command.pk.partition("#")[0]
    return Entity.model_construct(**{**fields, "kind": kind, "attributes": attributes, "attributes_url": url})


def version_of(state: VersionState, links: Links | None = None) -> Version:
    """Convert a version to its response model."""
    return Version.model_construct(
        command=entity_of(state.command, links),
        outcome=state.outcome,
        status=state.status,
        attempt=state.attempt,
        targets=state.targets,
        error=failure_of(state.error),
    )


def failure_of(error: Mapping[str, Any] | None) -> Failure | None:
    """Convert a stored error to its response model: type, message and state."""
    if error is None:
        return None
    state = error.get("state")
    return Failure(type=str(error.get("type", "")), message=str(error.get("message", "")), state=state or None)


def fitting(items: Sequence[T], size: Callable[[T], int]) -> list[T]:
    """As many leading items as fit into a response, at least one."""
    kept: list[T] = []
    left = MAX_PAGE_BYTES
    for item in items:
        left -= size(item)
        if kept and left < 0:
            break
        kept.append(item)
    return kept


def size_of(command: Command) -> int:
    """Bytes of a command in a response."""
    return min(len(json_bytes(command.attributes)), MAX_SHOWN_BYTES)


# -- parameters --------------------------------------------------------------------------------------------------


def whole(text: object) -> object:
    """Parse a whole number; pydantic would also accept 1.0."""
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    raise ValueError("a whole number")


def _flag(text: object) -> object:
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


Part = Annotated[str, Path(json_schema_extra=KEY_PART), AfterValidator(decoded)]
Id = Annotated[str, Path(), AfterValidator(decoded)]
Number = Annotated[int, Path(ge=1), BeforeValidator(whole)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Entries of a page"), BeforeValidator(whole)]
Cursor = Annotated[str | None, Query(description="`cursor` of the previous page")]
Kind = Annotated[str, Query(description="Kind of the partition", json_schema_extra=KEY_PART)]
DryRun = Annotated[bool, Query(alias="dryRun", description="Return what would be done, without doing it")]
Flag = BeforeValidator(_flag)


def _large(command: Command, body: bytes) -> str:
    import hashlib

    return object_key(command.key, hashlib.sha256(body).hexdigest())
