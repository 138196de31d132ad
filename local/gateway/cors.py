"""CORS: Developer Guide, "Configure CORS for HTTP APIs in API Gateway".

If CORS is configured, the gateway answers preflights itself and replaces the function's CORS headers.
"""

from __future__ import annotations

from dataclasses import replace

from local.aws.http.model import WebAnswer, WebRequest
from local.gateway.model import Cors

_PREFIX = "access-control-"


def preflight(cors: Cors | None, request: WebRequest) -> WebAnswer | None:
    """The response to a preflight; None if the request isn't one or CORS isn't configured."""
    if cors is None or request.method != "OPTIONS" or request.header("origin") is None:
        return None
    if request.header("access-control-request-method") is None:
        return None
    headers = _allowed(cors, request)
    if headers:
        headers += [("access-control-allow-methods", ",".join(cors.methods))] if cors.methods else []
        headers += [("access-control-allow-headers", ",".join(cors.headers))] if cors.headers else []
        headers += [("access-control-max-age", str(cors.max_age))] if cors.max_age is not None else []
    return WebAnswer(204, headers)


def with_cors(cors: Cors | None, request: WebRequest, answer: WebAnswer) -> WebAnswer:
    """A response with CORS headers for the request's origin."""
    if cors is None:
        return answer
    kept = [(name, value) for name, value in answer.headers if not name.startswith(_PREFIX)]
    allowed = _allowed(cors, request)
    if allowed and cors.exposed:
        allowed.append(("access-control-expose-headers", ",".join(cors.exposed)))
    return replace(answer, headers=[*kept, *allowed])


def _allowed(cors: Cors, request: WebRequest) -> list[tuple[str, str]]:
    origin = request.header("origin")
    if origin is None or not ({origin, "*"} & set(cors.origins)):
        return []
    credentials = [("access-control-allow-credentials", "true")] if cors.credentials else []
    return [("access-control-allow-origin", "*" if "*" in cors.origins else origin), *credentials]
