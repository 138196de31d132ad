"""Registration of routes, each with the role that it requires, its responses, and an example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from contract.api import OPERATOR, READER, WRITER
from handlers.api.http.identity import Caller
from handlers.api.http.problems import MEDIA_TYPE, Problem
from handlers.api.http.requests import JSON
from handlers.api.http.resolver import Resolver
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.stored_names import to_stored_name

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=BaseModel)
#: Any caller, whatever the role.
ANYBODY = None
#: Responses of every route, in addition to its own.
COMMON = (400, 401, 403, 422, 429, 500, 503)
#: Status to its description in the document.
SAYS = {
    200: "Done",
    202: "Accepted; processing continues",
    304: "Not modified",
    400: "The request is malformed",
    401: "Credentials are missing",
    403: "The caller may not do this, or not for this tenant",
    404: "Not found",
    409: "Conflict with the stored state",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A field has a value that is not allowed",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporary: try again",
}


@dataclass(frozen=True)
class RouteInfo:
    """The role that a route requires, and an example of its body."""

    role: str | None
    example: Mapping[str, Any] | None


class Routes:
    """The routes of all modules."""

    def __init__(self) -> None:
        self.resolver = Resolver(self._check)
        #: Method and rule to the route's information.
        self.info: dict[tuple[str, str], RouteInfo] = {}

    def add(
        self,
        method: str,
        rule: str,
        role: str | None,
        summary: str,
        *,
        answers: Mapping[int, type[BaseModel] | None],
        may: tuple[int, ...] = (),
        example: Mapping[str, Any] | None = None,
        media: str | None = None,
        tag: str | None = None,
    ) -> Callable[[F], F]:
        """Register a function as a route.

        ``answers``: status to the model of its body, None without one; ``media``: the body's type if it has no model;
        ``may``: statuses of problems in addition to ``COMMON``.
        """
        self.info[method, rule] = RouteInfo(role, example)
        with_body = (413, 415) if method != "GET" else ()
        responses: dict[int, Any] = {}
        for status, model in answers.items():
            content: dict[str, Any] = {} if model is None else {JSON: {"model": model}}
            if media is not None:
                content = {media: {"schema": {"type": "object" if media == JSON else "string"}}}
            responses[status] = {"description": SAYS[status], "content": content}
        for status in sorted({*COMMON, *may, *with_body}):
            responses[status] = {"description": SAYS[status], "content": {MEDIA_TYPE: {"model": Problem}}}
        group = tag or rule.split("/")[1]

        def register(function: F) -> F:
            name = to_stored_name(function.__name__)
            self.resolver.route(
                rule, method=method, summary=summary, responses=responses, tags=[group], operation_id=name
            )(function)
            return function

        return register

    @property
    def caller(self) -> Caller:
        """The caller of the current request."""
        found: Caller = self.resolver.context["caller"]
        return found

    def methods_of(self, path: str) -> list[str]:
        """The methods that a path supports."""
        return sorted({route.method for route in self.resolver.all_routes if route.rule.match(path)})

    def _check(self, method: str, rule: str) -> None:
        """Check the caller's role before the request is parsed."""
        info = self.info.get((method, rule))
        if info is not None and info.role is not None:
            self.caller.must_be(info.role)


def answer(status: int, body: M) -> Response[M]:
    """A response with a body."""
    return Response(status, JSON, body)


__all__ = ["ANYBODY", "OPERATOR", "READER", "SAYS", "WRITER", "Routes", "answer"]
