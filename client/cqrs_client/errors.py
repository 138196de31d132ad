"""What can go wrong: one class per kind of answer, each with the API's problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cqrs_client.models import FieldError

#: How the ``type`` of the API's problems begins.
PROBLEM = "urn:cqrs:problem:"


class ClientError(Exception):
    """Base of everything that this client raises on purpose."""


class Unreachable(ClientError):
    """No answer: the name, the connection or the time. Whether the request took effect is not known."""


class WrongAnswer(ClientError, ValueError):
    """An answer, but none of this API: another address, or something between."""


class WaitTimeout(ClientError):
    """What was waited for has no outcome yet; it goes on. ``latest``: how it was seen last."""

    def __init__(self, text: str, latest: Any) -> None:
        super().__init__(text)
        self.latest = latest


class ApiError(ClientError):
    """The API refused or failed.

    Attributes:
        status: of HTTP.
        problem: the whole document; empty where the gateway answered and not the API.
        kind: the end of the problem's ``type``, such as ``version-conflict``; empty without a document.
        detail: what is wrong, for people.
        errors: the wrong fields.
        request_id: to find the request in logs.
        retry_after: seconds after which it may be tried again, if the API says so.
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
    """400, 415, 422: the request is wrong; ``errors`` names the fields. Sent again, it is refused again."""


class Unauthenticated(ApiError):
    """401: credentials are missing, or not valid (any more)."""


class Forbidden(ApiError):
    """403: this caller may not do that, or not for this tenant."""


class NotFound(ApiError):
    """404: it is not there, or not this tenant's."""


class Conflict(ApiError):
    """409: what is stored does not allow it; ``kind`` says why."""


class VersionConflict(Conflict):
    """409: the latest version is another one. ``current_version`` is its number, ``current`` its fields."""

    @property
    def current_version(self) -> int | None:
        """The latest version's number."""
        found = self.problem.get("currentVersion")
        return int(found) if found is not None else None

    @property
    def current(self) -> Mapping[str, Any] | None:
        """The latest version, as the API shows entities."""
        found = self.problem.get("current")
        return found if isinstance(found, Mapping) else None


class TooLarge(ApiError):
    """413: the body is larger than the API takes."""


class Throttled(ApiError):
    """429: too many calls."""


class ServerError(ApiError):
    """5xx: it failed inside."""


class Unavailable(ServerError):
    """502, 503, 504: for the moment. Whether the request took effect is not known."""


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
    """The exception for an answer."""
    kind = str(problem.get("type") or "").removeprefix(PROBLEM)
    cls = _BY_KIND.get(kind) or _BY_STATUS.get(status) or (ServerError if status >= 500 else ApiError)
    return cls(status, problem, retry_after=retry_after)
