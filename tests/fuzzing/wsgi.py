"""The API in memory as a web application: requests become events as API Gateway makes them."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from tests.support.api import ApiWorld, event_of, token

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class WebApi:
    """A WSGI application. Every request is a reader's, writer's and operator's of t1. ``statuses`` counts answers."""

    def __init__(self, api: ApiWorld) -> None:
        self.api = api
        self.statuses: Counter[int] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        }
        # As it is sent: our clients encode twice, and API Gateway has decoded once.
        path = urlsplit(environ["REQUEST_URI"]).path
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        event = event_of(
            environ["REQUEST_METHOD"],
            path,
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            authorizer=token(),
        )
        if body:
            event = {**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        answer = self.api.api(event, None)
        status = HTTPStatus(answer["statusCode"])
        self.statuses[status.value] += 1
        start_response(
            f"{status.value} {status.phrase}", [(name, str(text)) for name, text in answer["headers"].items()]
        )
        return [(answer["body"] or "").encode()]
