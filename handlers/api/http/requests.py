"""A request as the routes see it: decoded, within limits, JSON if it has a body (API Gateway's payload format 2.0).

API Gateway's HTTP API decodes a path once before it passes it on, and can't pass on a '/' or '?' inside a segment
(observed in github.com/hotsock/voker pull request 8 and github.com/aws/aws-lambda-dotnet pull request 1901). So
segments are decoded a second time here, and clients encode special characters twice.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from contract.api import IAM_PREFIX
from handlers.api.http.problems import BodyTooLarge, MalformedRequest, NotJson, WrongMediaType

MAX_BODY_BYTES = 1024 * 1024
#: Limit of the decoded path and of the query string: more than any keys need. API Gateway accepts 10,240 bytes
#: including all headers (API Gateway Developer Guide, "Quotas for configuring and running an HTTP API").
MAX_PATH_BYTES = 8 * 1024
MAX_HEADER_BYTES = 10_240
#: Most query parameters.
MAX_PARAMETERS = 50
JSON = "application/json"
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Request(APIGatewayProxyEventV2):
    """Powertools' event with well-formed content. ``parsed``: the body's JSON, None without a body."""

    def __init__(self, event: dict[str, Any], parsed: Any) -> None:
        super().__init__(event)
        self._parsed = parsed

    @property
    def context(self) -> Mapping[str, Any]:
        """The event's request context."""
        found: Mapping[str, Any] = self["requestContext"]
        return found

    @property
    def json_body(self) -> Any:
        """The parsed body."""
        return self._parsed

    @cached_property
    def resolved_query_string_parameters(self) -> dict[str, list[str]]:
        """Each parameter with its values. Powertools' own implementation splits values at commas."""
        found: dict[str, list[str]] = {}
        for name, value in _query(self.get("rawQueryString") or ""):
            found.setdefault(name, []).append(value)
        return found

    @cached_property
    def resolved_headers_field(self) -> dict[str, Any]:
        """Headers with lower-case names. Powertools' own implementation splits values at commas."""
        return dict(self.headers)


def read(event: Mapping[str, Any]) -> Request:
    """Read the request from an event.

    Raises:
        MalformedRequest: path, query, headers or body can't be decoded, or are too long.
        BodyTooLarge, WrongMediaType, NotJson: about the body.
    """
    context = event.get("requestContext")
    path = event.get("rawPath")
    if not isinstance(context, Mapping) or not isinstance(path, str) or not isinstance(context.get("http"), Mapping):
        raise MalformedRequest("event", "an event of API Gateway's HTTP API, payload format 2.0")
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADER_BYTES:
        raise MalformedRequest("headers", f"at most {MAX_HEADER_BYTES} bytes")
    _query(event.get("rawQueryString") or "")
    text = _body(event)
    parsed = None
    if context["http"].get("method") not in READS:
        parsed = _json(text, headers.get("content-type"))
        headers["content-type"] = JSON
    # Signed requests use this prefix if the API also accepts tokens (decision record 0255).
    below = path.removeprefix(IAM_PREFIX) if f"{path}/".startswith(f"{IAM_PREFIX}/") else path
    return Request({**event, "headers": headers, "rawPath": _path(below), "body": text}, parsed)


def decoded(part: str) -> str:
    """Decode a path segment that ``read`` has encoded for matching."""
    return unquote(part, errors="strict")


def _path(path: str) -> str:
    """Decode and re-encode each segment, so that routes only see characters that Powertools' patterns match."""
    try:
        if len(path.encode()) > MAX_PATH_BYTES:
            raise MalformedRequest("path", f"at most {MAX_PATH_BYTES} bytes")
        return "/".join(quote(unquote(part, errors="strict"), safe="") for part in path.split("/"))
    except UnicodeError:
        raise MalformedRequest("path", "UTF-8") from None


def _query(text: str) -> list[tuple[str, str]]:
    try:
        if len(text.encode()) > MAX_PATH_BYTES:
            raise MalformedRequest("query", f"at most {MAX_PATH_BYTES} bytes")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeError:
        raise MalformedRequest("query", "UTF-8") from None
    except ValueError:
        raise MalformedRequest("query", f"at most {MAX_PARAMETERS} parameters") from None


def _body(event: Mapping[str, Any]) -> str:
    body = event.get("body") or ""
    if len(body) > 2 * MAX_BODY_BYTES:
        raise BodyTooLarge(MAX_BODY_BYTES)
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
        if len(raw) > MAX_BODY_BYTES:
            raise BodyTooLarge(MAX_BODY_BYTES)
        return raw.decode()
    except (binascii.Error, UnicodeError):
        raise NotJson("the body is not UTF-8") from None


def _json(text: str, media_type: str | None) -> Any:
    is_json = (media_type or "").partition(";")[0].strip().lower() == JSON
    if not is_json and (text or media_type is not None):
        raise WrongMediaType(JSON)
    if not text:
        return None
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"the body is not JSON: {str(error)[:200]}") from None


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
