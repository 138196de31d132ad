"""Errors: one class per kind of response, each with the API's problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cqrs_client.models import FieldError

#: Prefix of the ``type`` of the API's problems.
PROBLEM = "urn:cqrs:problem:"


class ClientError(Exception):
    """Base class of this client's errors."""


class Unreachable(ClientError):
    """No response: name resolution, the connection or a timeout. It is unknown whether the request took effect."""


class WrongAnswer(ClientError, ValueError):
    """The response isn't this API's: the address is wrong, or a proxy responded."""


class WaitTimeout(ClientError):
    """There was no outcome within the timeout; processing continues. ``latest``: the state last seen."""

    def __init__(self, text: str, latest: Any) -> None:
        super().__init__(text)
        self.latest = latest


class ApiError(ClientError):
    """The API refused or failed.

    Attributes:
        status: the HTTP status.
        problem: the whole document; empty if the gateway responded instead of the API.
        kind: the end of the problem's ``type``, such as ``version-conflict``; empty without a document.
        detail: a human-readable explanation.
        errors: the invalid fields.
        request_id: identifies the request in the logs.
        retry_after: seconds to wait before a retry, if the API gave them.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        self.kind = str(problem.get("type") or "").removeprefix(PROBLEM)
        self.detail = str(problem.get("detail") or problem.get("message") or problem.get("title") or "")
        self.errors = tuple(
            FieldError(str(one.get("field", "")), one.get("value"), str(one.get("allowed", "")))
            for one in problem.get("errors") or ()
        )
        self.request_id = problem.get("requestId")
        self.retry_after = retry_after
        super().__init__(f"{status} {self.kind}: {self.detail}" if self.kind else f"{status}: {self.detail}")


class Rejected(ApiError):
    """400, 415, 422: the request is invalid; ``errors`` names the fields. Retrying it doesn't help."""


class Unauthenticated(ApiError):
    """401: credentials are missing, invalid or expired."""


class Forbidden(ApiError):
    """403: the caller may not do this, or not for this tenant."""


class NotFound(ApiError):
    """404: it doesn't exist, or belongs to another tenant."""


class Conflict(ApiError):
    """409: the stored state doesn't allow it; ``kind`` says why."""


class VersionConflict(Conflict):
    """409: the latest version is a different one. ``current_version`` is its number, ``current`` its fields."""

    @property
    def current_version(self) -> int | None:
        """The latest version's number."""
        found = self.problem.get("currentVersion")
        return int(found) if found is not None else None

    @property
    def current(self) -> Mapping[str, Any] | None:
        """The latest version, as the API represents entities."""
        found = self.problem.get("current")
        return found if isinstance(found, Mapping) else None


class TooLarge(ApiError):
    """413: the body is larger than the API accepts."""


class Throttled(ApiError):
    """429: too many requests."""


class ServerError(ApiError):
    """5xx: an internal error."""


class Unavailable(ServerError):
    """502, 503, 504: temporary. It is unknown whether the request took effect."""


_BY_KIND: Mapping[str, type[ApiError]] = {"version-conflict": VersionConflict}
_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: Rejected,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: Rejected,
    422: Rejected,
    429: Throttled,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> ApiError:
    """The exception for an error response."""
    kind = str(problem.get("type") or "").removeprefix(PROBLEM)
    cls = _BY_KIND.get(kind) or _BY_STATUS.get(status) or (ServerError if status >= 500 else ApiError)
    return cls(status, problem, retry_after=retry_after)
