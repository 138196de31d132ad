"""The API in memory as a web application: requests become events as API Gateway makes them."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from contract.tables import TABLES
from handlers.store.memory import MemoryTableStore
from tests.support.api import ApiWorld, event_of, token

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class WebApi:
    """A WSGI application. Every request is a reader's, writer's and operator's of t1. ``statuses`` counts answers.

    ``written``: what a refused request (4xx) has changed all the same, by its method and path; nothing should be there.
    """

    def __init__(self, api: ApiWorld) -> None:
        self.api = api
        self.statuses: Counter[int] = Counter()
        self.written: dict[str, str] = {}

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
        before = self.state()
        answer = self.api.api(event, None)
        status = HTTPStatus(answer["statusCode"])
        self.statuses[status.value] += 1
        if 400 <= status < 500 and (changed := _changed(before, self.state())):
            self.written.setdefault(f"{environ['REQUEST_METHOD']} {path}", f"{status.value}, but {changed} changed")
        start_response(
            f"{status.value} {status.phrase}", [(name, str(text)) for name, text in answer["headers"].items()]
        )
        return [(answer["body"] or "").encode()]

    def state(self) -> dict[str, dict[Any, Any]]:
        """All rows by table, objects, starts of executions and messages. Rows are never changed in place."""
        world = self.api.world
        assert isinstance(world.store, MemoryTableStore)
        rows: dict[str, dict[Any, Any]] = {table: {} for table in TABLES}
        for (table, *key), row in world.store._items.items():
            rows[table][tuple(key)] = row
        return {
            **rows,
            "objects": dict(world.objects.contents),
            "executions": {**world.workflows.started, **self.api.workflows.started},
            "alarms": dict(enumerate(world.alarms.messages)),
        }


def _changed(before: dict[str, dict[Any, Any]], after: dict[str, dict[Any, Any]]) -> str:
    """Names what is not as it was, with the first key of each."""
    return ", ".join(
        f"{name} ({next(key for key in {**was, **after[name]} if was.get(key) != after[name].get(key))})"
        for name, was in before.items()
        if was != after[name]
    )
