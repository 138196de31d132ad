"""The API as one callable: takes an API Gateway event (payload format 2.0) and returns a response."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from handlers.api import commands, entities, imports, operators, overview, runs, tasks, workflows
from handlers.api.console.pages import Console, is_of_console
from handlers.api.http import document
from handlers.api.http.identity import Identities
from handlers.api.http.problems import MEDIA_TYPE, NoRoute, WrongMethod, problem_of
from handlers.api.http.requests import Request, read
from handlers.api.http.routes import Routes
from handlers.api.services import Services
from handlers.core.log import log_step

MODULES = (commands, entities, operators, runs, overview, tasks, imports, workflows, document)
#: Routes without authentication: their responses reveal nothing about the stack.
PUBLIC = frozenset({("GET", "/health")})
#: Browsers and proxies must not cache responses: each belongs to one tenant and one moment.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Api:
    """All routes, for callers that ``identities`` accepts, and the console, if present, for everyone."""

    def __init__(
        self,
        services: Services,
        identities: Identities,
        *,
        console: Console | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._identities = identities
        self._console = console
        self._monotonic = monotonic
        self.routes = routes = Routes()
        for module in MODULES:
            module.add_routes(routes, services)

        @routes.resolver.exception_handler(Exception)  # type: ignore[untyped-decorator]
        def problem_response(error: Exception) -> Response[str]:
            """Boundary: every error of a route becomes a response; unexpected errors are logged."""
            if isinstance(error, NotFoundError):
                error = self._nothing_there()
            return _problem(error, self.routes.resolver.current_event)

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one request."""
        begun, rule, tenant = self._monotonic(), "", ""
        request_id = _request_id(event)
        try:
            request = read(event)
            if self._console is not None and request.http_method == "GET" and is_of_console(request.path):
                return self._page(request.path)
            caller = None
            if (request.http_method, request.path) not in PUBLIC:
                caller = self._identities.caller(request)
                tenant = caller.tenant
            answer, rule = self.routes.resolver.answer(request, caller=caller)
        except Exception as error:  # noqa: BLE001 - boundary: every error becomes a response; unexpected ones: logged
            answer = _plain(_problem_response(error, request_id))
        answer["headers"] = {**HEADERS, **answer["headers"]}
        log_step(
            "request",
            method=_method(event),
            route=rule if (_method(event), rule) in self.routes.info else "",
            status=answer["statusCode"],
            tenant=tenant,
            requestId=request_id,
            durationMs=round(1000 * (self._monotonic() - begun)),
        )
        return answer

    def _page(self, path: str) -> dict[str, Any]:
        """A file of the console, for everyone: not logged, since it reveals nothing about the stack."""
        assert self._console is not None
        found = self._console.answer(path)
        headers = dict(found.headers)
        return {"statusCode": found.status, "headers": headers, "body": found.body, "isBase64Encoded": False}

    def _nothing_there(self) -> Exception:
        request = self.routes.resolver.current_event
        methods = self.routes.methods_of(request.path)
        return WrongMethod(request.http_method, methods) if methods else NoRoute("there is no such path")


def _problem(error: Exception, request: Request) -> Response[str]:
    return _problem_response(error, request.context.get("requestId"))


def _problem_response(error: Exception, request_id: str | None) -> Response[str]:
    problem, headers = problem_of(error, request_id)
    # Not ``exclude_none``, which would also remove nulls from attributes.
    shown = {name: value for name, value in problem.model_dump().items() if value is not None}
    body = json.dumps(shown, separators=(",", ":"))
    return Response(problem.status, MEDIA_TYPE, body, headers=headers)


def _plain(response: Response[str]) -> dict[str, Any]:
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": response.body,
        "cookies": [],
        "isBase64Encoded": False,
    }


def _request_id(event: Any) -> str | None:
    context = event.get("requestContext") if isinstance(event, dict) else None
    found = context.get("requestId") if isinstance(context, dict) else None
    return found if isinstance(found, str) else None


def _method(event: Any) -> str:
    try:
        return str(event["requestContext"]["http"]["method"])
    except (KeyError, TypeError):
        return ""
