"""Errors as responses: problem documents (RFC 9457) with a stable ``type`` per class of error (docs/errors.md).

Internals are never exposed: no stack trace, and no text of an unexpected error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pydantic
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from handlers.core import errors
from handlers.core.error_text import cut
from handlers.core.errors import CqrsError
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step, without_text
from handlers.workflows.approvals import AlreadyDecided

if TYPE_CHECKING:
    from handlers.commands.model import Command

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:cqrs:problem:"
#: Seconds after which a request that hit a temporary problem may be repeated.
RETRY_AFTER = 1
MAX_DETAIL = 1_000


class Refused(CqrsError):
    """Base of the API's own errors."""


class MalformedRequest(Refused):
    """A part of the request can't be read. The text names it and what is allowed."""

    def __init__(self, part: str, allowed: str) -> None:
        super().__init__(f"{part}: expected {allowed}")


class NotJson(Refused):
    """The body is not JSON."""


class Unauthenticated(Refused):
    """The request has no known caller."""


class Forbidden(Refused):
    """The caller may not do this, or not for this tenant; nothing was done."""


class NoRoute(Refused):
    """There is no such path."""


class WrongMethod(Refused):
    """The path exists, but not with this method."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"{method} is not allowed; expected {', '.join(self.allowed)}")


class BodyTooLarge(Refused):
    """The body is larger than the API accepts."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit} bytes; upload larger attributes with POST /commands/uploads")


class WrongMediaType(Refused):
    """The content type isn't JSON."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"the content type must be {expected}")


@dataclass(frozen=True)
class Kind:
    """How a class of errors is reported. ``name`` is the suffix of its ``type`` and never changes."""

    status: int
    name: str
    title: str

    @property
    def type(self) -> str:
        """The problem's ``type``."""
        return _TYPE + self.name


#: pydantic's error and the one into which Powertools converts it, but not that for invalid responses of our own.
WRONG_FIELDS = (RequestValidationError, pydantic.ValidationError)
INTERNAL = Kind(500, "internal", "Internal error")
VALIDATION = Kind(422, "validation", "A field has a value that is not allowed")
TRANSIENT = Kind(503, "transient", "Temporary: try again")
#: The first class that matches an error applies.
KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (MalformedRequest, Kind(400, "malformed-request", "The request is malformed")),
    (NotJson, Kind(400, "not-json", "The body is not JSON")),
    (Unauthenticated, Kind(401, "unauthenticated", "Credentials are missing")),
    (Forbidden, Kind(403, "forbidden", "The caller may not do this")),
    (NoRoute, Kind(404, "no-route", "There is no such path")),
    (WrongMethod, Kind(405, "wrong-method", "The path does not support this method")),
    (BodyTooLarge, Kind(413, "body-too-large", "The body is too large")),
    (WrongMediaType, Kind(415, "wrong-media-type", "The body has the wrong media type")),
    (errors.ValidationError, VALIDATION),
    (errors.NotFound, Kind(404, "not-found", "Not found")),
    (errors.PendingVersions, Kind(409, "pending-versions", "An earlier version is not applied yet")),
    (errors.VersionConflict, Kind(409, "version-conflict", "The latest version is a different one")),
    (errors.WrongStatus, Kind(409, "wrong-status", "The status does not allow this")),
    (errors.RequestWithdrawn, Kind(409, "request-withdrawn", "The request id was withdrawn")),
    (errors.RequestConflict, Kind(409, "request-conflict", "The request id was used with different content")),
    (errors.CommandFailed, Kind(409, "command-failed", "The command of this request id has failed")),
    (errors.SkipRefused, Kind(409, "skip-refused", "The command may not be skipped now")),
    (AlreadyDecided, Kind(409, "already-decided", "The decision was a different one")),
    (errors.TransientThrottle, Kind(429, "throttled", "Too many requests: try again")),
    (errors.TransientError, TRANSIENT),
)


class FieldError(BaseModel):
    """One invalid field of a request: its path, the given value, what is allowed."""

    field: str
    value: str | None = None
    allowed: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["urn:cqrs:problem:validation"])
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    requestId: str | None = None  # noqa: N815 - the name in the response
    currentVersion: int | None = None  # noqa: N815
    current: dict[str, Any] | None = None


def kind_of(error: Exception) -> Kind:
    """How an error is reported."""
    if isinstance(error, WRONG_FIELDS):
        return VALIDATION
    return next((kind for cls, kind in KINDS if isinstance(error, cls)), INTERNAL)


def problem_of(error: Exception, request_id: str | None) -> tuple[Problem, dict[str, str]]:
    """The document of an error and its headers; unexpected errors are logged."""
    kind = kind_of(error)
    problem = Problem(type=kind.type, title=kind.title, status=kind.status, detail=kind.title, requestId=request_id)
    if kind is INTERNAL:
        # Boundary: the error's text may quote record data.
        log_step("request failed", level=logging.ERROR, requestId=request_id, **without_text(error))
        return problem, {}
    if isinstance(error, WRONG_FIELDS):
        problem.errors = [_field_error(one) for one in error.errors()]
        problem.detail = "; ".join(f"{one.field}: {one.allowed}" for one in problem.errors)[:MAX_DETAIL]
        return problem, {}
    problem.detail = cut(str(error), MAX_DETAIL)
    if isinstance(error, errors.ValidationError):
        problem.errors = [FieldError(field=error.field, value=error.value, allowed=error.allowed)]
    if isinstance(error, errors.VersionConflict):
        problem.currentVersion, problem.current = error.actual, _current(error.current)
    return problem, _headers(error, kind)


def _headers(error: Exception, kind: Kind) -> dict[str, str]:
    if isinstance(error, WrongMethod):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(RETRY_AFTER)} if kind.status in (429, 503) else {}


def _field_error(one: Mapping[str, Any]) -> FieldError:
    where = ".".join(str(part) for part in one["loc"] if part not in ("body", "query", "path", "header"))
    given = one.get("input")
    value = None if isinstance(given, dict | list) else errors.shown(given)
    return FieldError(field=where or str(one["loc"][0]), value=value, allowed=str(one.get("msg", one["type"])))


def _current(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The latest version's fields, without its attributes if they are large."""
    if row is None:
        return None
    from handlers.api.http.models import entity_of
    from handlers.commands.model import Command

    command: Command = Command.from_row(dict(row))
    shown: dict[str, Any] = entity_of(command).model_dump(by_alias=True)
    return shown
