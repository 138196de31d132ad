"""The client and the API's document: each operation has a method, whose request fits and which reads the example."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from client_tests.fakes import Api, Request
from cqrs_client import Client, CommandInput
from cqrs_client.transport import Answer

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
JSON = "application/json"
#: They are for browsers and for what looks whether the API is there.
NOT_CALLED = {"GET /docs", "GET /health", "GET /openapi.json"}
COMMAND = CommandInput("ORDER", "o1", "First", {"a": 1}, 1, False, 3, "TENANT")


def large(client: Client) -> object:
    """Attributes that go by an upload."""
    return client.commands.publish("ORDER", "o1", "First", {"text": "x" * 1_000_000})


def uploaded(client: Client) -> object:
    return client.imports.upload(Path(__file__))


CALLS: Mapping[str, Callable[[Client], object]] = {
    "GET /alarms": lambda c: c.operations.alarms(),
    "GET /approvals": lambda c: list(c.approvals.list(workflow="w")),
    "POST /approvals/{workflow}/{id}/answer": lambda c: c.approvals.reject("w", "1", "no"),
    "POST /commands": lambda c: c.commands.publish(
        *("ORDER", "o1", "First", {"a": 1}), seq=3, kind="TENANT", wait=5, sync=True, idempotency_key="k"
    ),
    "POST /commands/batch": lambda c: list(c.commands.batch([COMMAND])),
    "POST /commands/uploads": large,
    "PATCH /commands/{type}/{code}": lambda c: c.commands.patch(
        *("ORDER", "o1"), name="n", attributes={}, is_deleted=True, seq=1, kind="TENANT", wait=1
    ),
    "GET /catalogue": lambda c: c.operations.catalogue(),
    "GET /entities/{type}": lambda c: list(c.entities.list("ORDER", prefix="o", include_deleted=True, kind="TENANT")),
    "GET /entities/{type}/{code}": lambda c: c.entities.state("ORDER", "o1", include_deleted=True, kind="TENANT"),
    "GET /entities/{type}/{code}/explain": lambda c: c.operations.explain("ORDER", "o1", version=1, kind="TENANT"),
    "GET /entities/{type}/{code}/history": lambda c: list(c.entities.history("ORDER", "o1", kind="TENANT")),
    "GET /entities/{type}/{code}/versions/{version}": lambda c: c.entities.version("ORDER", "o1", 1, kind="TENANT"),
    "GET /entities/{type}/{code}/versions/{version}/run": lambda c: c.operations.run("ORDER", "o1", 1, kind="TENANT"),
    "POST /entities/{type}/{code}/versions/{version}/redrive": lambda c: c.operations.redrive(
        *("ORDER", "o1", 1), dry_run=True, kind="TENANT"
    ),
    "POST /entities/{type}/{code}/versions/{version}/skip": lambda c: c.operations.skip(
        *("ORDER", "o1", 1), dry_run=True, kind="TENANT"
    ),
    "GET /failed": lambda c: list(c.operations.failed(since="2026-01-01T00:00:00Z", status="FAILED", type="ORDER")),
    "POST /failed/redrive": lambda c: list(
        c.operations.redrive_all(since="2026-01-01T00:00:00Z", status="FAILED", type="ORDER", kind="TENANT")
    ),
    "GET /imports": lambda c: list(c.imports.list(table="airports", archives=True)),
    "POST /imports": lambda c: c.imports.create("k", "airports", bucket="b", encoding="utf-8", mode="DIRECT"),
    "POST /imports/rows": lambda c: c.imports.create_row("airports", {"ident": "00A"}),
    "POST /imports/uploads": uploaded,
    "GET /imports/{id}": lambda c: c.imports.get("1"),
    "POST /imports/{id}/cancel": lambda c: c.imports.cancel("1"),
    "GET /imports/{id}/files": lambda c: c.imports.files("1"),
    "GET /imports/{id}/report": lambda c: list(c.imports.report("1")),
    "POST /imports/{id}/retry": lambda c: c.imports.retry("1"),
    "GET /imports/{id}/rows": lambda c: list(c.imports.rows("1", status="FAILED")),
    "GET /overview": lambda c: c.operations.overview(),
    "GET /tasks": lambda c: list(c.tasks.list(type="mail")),
    "POST /tasks": lambda c: c.tasks.create(
        "mail", items=[1], max_concurrency=2, on_item_error="stop", expected_seconds=1.5, idempotency_key="k"
    ),
    "GET /tasks/{id}": lambda c: c.tasks.get("1"),
    "POST /tasks/{id}/cancel": lambda c: c.tasks.cancel("1"),
    "GET /tasks/{id}/items": lambda c: list(c.tasks.items("1")),
    "POST /tasks/{id}/retry": lambda c: c.tasks.retry("1"),
    "POST /workflows/{name}": lambda c: c.workflows.start("w", "1", {"a": 1}),
    "GET /workflows/{name}": lambda c: list(c.workflows.list("w")),
    "GET /workflows/{name}/{id}": lambda c: c.workflows.get("w", "1"),
    "GET /workflows/{name}/{id}/run": lambda c: c.workflows.run("w", "1"),
}


def operations() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        yield from ((f"{method.upper()} {path}", operation) for method, operation in methods.items())


OPERATIONS = {name: one for name, one in operations() if name not in NOT_CALLED}


def test_each_operation_has_a_method() -> None:
    assert set(CALLS) == set(OPERATIONS)


def operation_of(request: Request) -> str:
    """The most literal template that a request's path fits."""
    path = urlsplit(request.path).path
    fitting = [
        name
        for name in OPERATIONS
        if name.startswith(f"{request.method} ")
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name.partition(" ")[2]), path)
    ]
    return min(fitting, key=lambda name: name.count("{"))


class Documented(Api):
    """Answers each request with its operation's example, as the last page; what has another host with nothing."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        own = url.startswith("https://api.example/")
        example: Any = b""
        if own:
            operation = OPERATIONS[operation_of(Request(method, url, headers, body))]
            status = next(one for one in operation["responses"] if one < "300")
            example = dict(operation["responses"][status]["content"][JSON]["example"])
            if "cursor" in example:
                example["cursor"] = None
        self.answers.append(example if own else Answer(200, {}, b""))
        return super().__call__(method, url, headers, body)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_methods_request_fits_and_it_reads_the_example(name: str) -> None:
    api = Documented()
    CALLS[name](api.client(tenant="acme"))
    request = next(one for one in api.asked if one.url.startswith("https://api.example/") and operation_of(one) == name)
    operation = OPERATIONS[name]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    assert {key for key, _ in parse_qsl(urlsplit(request.url).query)} <= known
    headers = {one["name"].lower() for one in operation.get("parameters", ()) if one["in"] == "header"}
    ours = set(request.headers) - {"accept", "content-type", "x-cqrs-tenant"}
    assert ours <= headers
    declared = operation.get("requestBody")
    assert (request.body is not None) == (declared is not None)
    if declared is not None:
        schema = resolved(declared["content"][JSON]["schema"])
        given = json.loads(request.body)
        assert set(given) <= set(schema["properties"])
        assert set(schema.get("required", ())) <= set(given)


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "allOf" in schema:
        return resolved(schema["allOf"][0])
    return schema
