"""Powertools' resolver for requests that come at the same time.

Powertools keeps the current event and its context in attributes that all resolvers share: a function of Lambda answers
one request at a time. On a laptop one process answers many, and one that waits for its command lets others in between.
Here both are kept per request (PEP 567); the rest is Powertools'.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from http import HTTPStatus
from threading import Lock
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder, Route
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

_event: ContextVar[APIGatewayProxyEventV2] = ContextVar("api_event")
_values: ContextVar[dict[str, Any]] = ContextVar("api_values")


class Resolver(APIGatewayHttpResolver):
    """One for all requests."""

    def __init__(self, serializer: Callable[[dict[Any, Any]], str] | None = None) -> None:
        self._building = Lock()
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
            serializer=serializer,
            debug=False,
        )

    @property
    def current_event(self) -> APIGatewayProxyEventV2:  # type: ignore[override]
        """The request of this call."""
        return _event.get()

    @property
    def context(self) -> dict[str, Any]:
        """What belongs to this request."""
        return _values.get()

    @context.setter
    def context(self, values: dict[str, Any]) -> None:
        """Powertools sets an empty one when the resolver is made."""

    def resolve(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request."""
        return copy_context().run(self._resolve_alone, event)

    def _resolve_alone(self, event: dict[str, Any]) -> dict[str, Any]:
        _values.set({})
        _event.set(given := APIGatewayProxyEventV2(event))
        answer = self._resolve().build(given, None)
        return {**answer, "statusCode": int(answer["statusCode"])}

    def _call_route(self, route: Route, route_arguments: dict[str, str]) -> ResponseBuilder[Any]:
        with self._building:  # at a route's first request, which two requests would build twice
            if not route._middleware_stack_built:
                route._build_middleware_stack(self._router_middlewares, self)
        return super()._call_route(route, route_arguments)
