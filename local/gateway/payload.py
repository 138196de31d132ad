"""Payload format 2.0: a function's event for a request, and the HTTP response for its result.

Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs". Details that the page doesn't specify are as
observed on AWS: ``rawPath`` and path variables are decoded, and end at a decoded ``?`` (middleapi/standard-server pull
request 93, hotsock/voker pull request 8); bodies are text for ``text/*``, JSON, XML and JavaScript only, else Base64
(ministackorg/ministack pull request 766).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.aws.http.model import Headers, WebAnswer, WebRequest
from local.gateway.model import HttpApi, Route
from local.gateway.routes import Variables

_TEXTS = ("application/json", "application/xml", "application/javascript")
JSON = "application/json"


class Malformed(ValueError):
    """A function's result doesn't have this format."""


@dataclass(frozen=True)
class Arrival:
    """Time, id and caller of a request. ``at`` is in epoch seconds; ``authorizer`` is the event's, None if absent."""

    at: float
    request_id: str
    account_id: str
    authorizer: Mapping[str, Any] | None = None


def path_of(request: WebRequest) -> str:
    """The decoded path."""
    return unquote(request.path).partition("?")[0]


def event_of(request: WebRequest, api: HttpApi, route: Route, variables: Variables, arrival: Arrival) -> dict[str, Any]:
    """The event. Names and order of fields are those of the page."""
    headers = _headers(request.headers)
    path = path_of(request)
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    context: dict[str, Any] = {
        "accountId": arrival.account_id,
        "apiId": api.id,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": arrival.request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": datetime.fromtimestamp(arrival.at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(arrival.at * 1000),
    }
    if arrival.authorizer is not None:
        context["authorizer"] = dict(arrival.authorizer)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    cookies = [part for name, value in request.headers if name == "cookie" for part in value.split("; ")]
    if cookies:
        event["cookies"] = cookies
    parameters = _joined(parse_qsl(request.query, keep_blank_values=True))
    if parameters:
        event["queryStringParameters"] = parameters
    if variables:
        event["pathParameters"] = variables
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def answer_of(payload: Any) -> WebAnswer:
    """The response for a function's result.

    Raises:
        Malformed: API Gateway would respond 500.
    """
    if not isinstance(payload, Mapping) or "statusCode" not in payload:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return WebAnswer(200, [("content-type", JSON)], text.encode())
    try:
        status = int(payload["statusCode"])
    except (TypeError, ValueError):
        raise Malformed(f"statusCode {payload['statusCode']!r} is not a number") from None
    given = {} if payload.get("headers") is None else payload["headers"]
    cookies = [] if payload.get("cookies") is None else payload["cookies"]
    if not isinstance(given, Mapping) or not isinstance(cookies, list):
        raise Malformed("headers are not an object, or cookies not a list")
    headers = [(str(name).lower(), str(value)) for name, value in given.items()]
    headers += [("set-cookie", str(cookie)) for cookie in cookies]
    body = payload.get("body")
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", JSON if body is not None and not isinstance(body, str) else "text/plain"))
    if payload.get("isBase64Encoded"):
        try:
            return WebAnswer(status, headers, base64.b64decode(text, validate=True))
        except binascii.Error as error:
            raise Malformed(f"the body is not Base64: {error}") from None
    return WebAnswer(status, headers, text.encode())


def _headers(headers: Headers) -> dict[str, str]:
    """Headers with lower-case names, repeated ones joined, without cookies."""
    return _joined([(name.lower(), value) for name, value in headers if name != "cookie"])


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    together: dict[str, str] = {}
    for name, value in pairs:
        together[name] = f"{together[name]},{value}" if name in together else value
    return together


def _body(request: WebRequest) -> tuple[str, bool]:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXTS:
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # as binary, so that nothing is lost
    return base64.b64encode(request.body).decode(), True
