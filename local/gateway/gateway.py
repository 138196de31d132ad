"""The gateway: finds API and route, authorises the caller, and calls the function."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Collection
from typing import Any

from local.aws.endpoint import AwsEndpoint
from local.aws.http.guard import is_loopback
from local.aws.http.model import WebAnswer, WebRequest
from local.aws.lambda_backend import GRACE_S, run_in_task
from local.aws.services import backend
from local.deploy.resources.apigateway import function_of
from local.functions.host import FunctionHost
from local.functions.model import LambdaServiceError, NoAnswer, RequestTooLarge
from local.gateway.callers import Forbidden, Unauthorised, authorizer_of
from local.gateway.cors import preflight, with_cors
from local.gateway.model import Cors, HttpApi, Route, Tokens
from local.gateway.payload import Arrival, Malformed, answer_of, event_of, path_of
from local.gateway.routes import route_of
from local.partitions import partition_of

log = logging.getLogger("cqrs.local.gateway")

#: Maximum concurrent requests; like API Gateway, it responds 429 to more.
MOST_AT_ONCE = 200
_HOST = ".execute-api."


class Gateway:
    """Serves the HTTP APIs that are declared on an endpoint; a ``Website``.

    Args:
        secret: for tokens, see ``callers``.
    """

    def __init__(self, endpoint: AwsEndpoint, host: FunctionHost, *, secret: str | None = None) -> None:
        self._endpoint = endpoint
        self._host = host
        self._secret = secret
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def origins(self) -> Collection[str]:
        """The origins on this machine that an API allows."""
        allowed = {origin for api in self.apis() if api.cors is not None for origin in api.cors.origins}
        return {origin for origin in allowed if is_loopback(origin.partition("://")[2].partition(":")[0])}

    def answer(self, request: WebRequest) -> WebAnswer:
        """Answer one request."""
        api = self._api_of(request)
        if api is None:
            return _message(404, "Not Found")
        answer = preflight(api.cors, request)
        if answer is not None:
            return answer
        if not self._places.acquire(blocking=False):
            return with_cors(api.cors, request, _message(429, "Too Many Requests"))
        try:
            return with_cors(api.cors, request, self._routed(api, request))
        finally:
            self._places.release()

    def apis(self) -> list[HttpApi]:
        """The APIs with a stage, in the order of their creation."""
        endpoint = self._endpoint
        with endpoint.lock:
            made = backend("apigatewayv2", endpoint.region).apis.values()
            return [_api(one) for one in made if one.stages]

    def _api_of(self, request: WebRequest) -> HttpApi | None:
        """The API of the request's host name; other names of this machine belong to the first API."""
        apis = self.apis()
        id_, by_name, _ = (request.header("host") or "").partition(_HOST)
        return next((api for api in apis if not by_name or api.id == id_), None)

    def _routed(self, api: HttpApi, request: WebRequest) -> WebAnswer:
        found = route_of(api.routes, request.method, path_of(request))
        if found is None:
            return _message(404, "Not Found")
        route, variables = found
        endpoint = self._endpoint
        scheduler = endpoint.scheduler
        assert scheduler is not None  # functions need one
        now = scheduler.now()
        try:
            authorizer = authorizer_of(
                request, route, partition=partition_of(endpoint.region), secret=self._secret, now=now
            )
        except Unauthorised as error:
            log.warning("%s %s: 401: %s", request.method, request.path, error)
            return _message(401, "Unauthorized", [("www-authenticate", "Bearer")])
        except Forbidden as error:
            log.warning("%s %s: 403: %s", request.method, request.path, error)
            return _message(403, "Forbidden")
        arrival = Arrival(now, str(uuid.uuid4()), endpoint.account_id, authorizer)
        event = event_of(request, api, route, variables, arrival)
        return self._called(route, event)

    def _called(self, route: Route, event: dict[str, Any]) -> WebAnswer:
        """Call the function. The caller doesn't see details of errors (Developer Guide, "Troubleshooting issues with
        HTTP API Lambda integrations": 500; 503 if the integration times out).
        """
        scheduler = self._endpoint.scheduler
        assert scheduler is not None
        try:
            result = run_in_task(
                scheduler,
                lambda: self._host.invoke(route.function, event),
                what=f"route {route.key}",
                patience=route.timeout_s + GRACE_S,
                # A request may wait for a command that it published. If it took a worker from the functions that
                # apply the command, many requests would deadlock.
                beside=True,
            )
        except RequestTooLarge:
            return _message(413, "Request Entity Too Large")  # an event of more than 6 MB
        except NoAnswer as error:
            log.error("%s: %s", route.key, error)
            return _message(503, "Service Unavailable")
        except LambdaServiceError as error:
            log.error("%s: %s", route.key, error)
            return _message(500, "Internal Server Error")
        if result.error is not None:
            log.error("%s: %s: %s", route.key, result.error.error_type, result.error.message)
            return _message(500, "Internal Server Error")
        try:
            return answer_of(result.payload)
        except Malformed as error:
            log.error("%s: the function's answer is malformed: %s", route.key, error)
            return _message(500, "Internal Server Error")


def _message(status: int, text: str, headers: list[tuple[str, str]] | None = None) -> WebAnswer:
    return WebAnswer(
        status, [("content-type", "application/json"), *(headers or [])], json.dumps({"message": text}).encode()
    )


def _api(made: Any) -> HttpApi:
    """The model of moto's API."""
    cors = made.cors_configuration
    return HttpApi(
        made.api_id,
        [_route(made, one) for one in made.routes.values()],
        None
        if not cors
        else Cors(
            cors.get("allowOrigins", ()),
            cors.get("allowMethods", ()),
            cors.get("allowHeaders", ()),
            cors.get("exposeHeaders", ()),
            cors.get("maxAge"),
            bool(cors.get("allowCredentials", False)),
        ),
    )


def _route(made: Any, one: Any) -> Route:
    integration = made.integrations[one.target.removeprefix("integrations/")]
    tokens = made.authorizers[one.authorizer_id].jwt_config if one.authorizer_id else None
    return Route(
        one.route_key,
        function_of(integration.integration_uri),
        integration.timeout_in_millis / 1000,
        one.authorization_type or "NONE",
        None if tokens is None else Tokens(tokens["issuer"], tokens["audience"]),
        one.authorization_scopes or (),
    )
