"""Powertools' resolver, made safe for concurrent requests.

Powertools keeps the current event and its context in attributes that all resolvers share, since a Lambda function
handles one request at a time. On a laptop, one process handles many concurrently, for instance while one waits for its
command. Here both are kept per request (PEP 567); everything else is Powertools'.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from http import HTTPStatus
from threading import Lock
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder, Route

from handlers.api.http.requests import Request

_event: ContextVar[Request] = ContextVar("api_event")
_values: ContextVar[dict[str, Any]] = ContextVar("api_values")


class Resolver(APIGatewayHttpResolver):
    """One instance for all requests. ``check`` is called with a route's method and rule before anything else."""

    def __init__(self, check: Callable[[str, str], None]) -> None:
        self._building = Lock()
        self._check = check
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
            debug=False,
        )

    @property
    def current_event(self) -> Request:  # type: ignore[override]
        """The request of this call."""
        return _event.get()

    @property
    def context(self) -> dict[str, Any]:
        """Values of this request."""
        return _values.get()

    @context.setter
    def context(self, values: dict[str, Any]) -> None:
        """Ignored: Powertools sets an empty dict when the resolver is created."""

    @property
    def all_routes(self) -> list[Route]:
        """All routes in matching order."""
        return [*self._static_routes, *self._dynamic_routes]

    def answer(self, request: Request, **values: Any) -> tuple[dict[str, Any], str]:
        """Return the response to one request, and the rule of its route. ``values`` are in ``context`` meanwhile."""
        return copy_context().run(self._answer, request, values)

    def _answer(self, request: Request, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
        _values.set(dict(values))
        _event.set(request)
        answer = self._resolve().build(request, None)
        return {**answer, "statusCode": int(answer["statusCode"])}, self.context["_route"].path

    def _call_route(self, route: Route, route_arguments: dict[str, str]) -> ResponseBuilder[Any]:
        try:
            self._check(route.method, route.path)
        except Exception as error:
            builder = self._call_exception_handler(error, route)
            if builder is None:
                raise
            return builder
        with self._building:  # concurrent first requests of a route would build it twice
            if not route._middleware_stack_built:
                route._build_middleware_stack(self._router_middlewares, self)
        return super()._call_route(route, route_arguments)
