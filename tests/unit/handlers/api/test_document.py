"""API-01: the OpenAPI document is valid, is what the code says, and its examples work."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from cli.develop.pages.http_api import described, document_text
from handlers.api.http.document import operations_of
from local.runtime import PROJECT_DIR
from tests.support.api import ApiWorld

DOCUMENT = described()
OPERATIONS = [(method, path) for method, path, _ in operations_of(DOCUMENT)]


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def fits(example: Any, schema: dict[str, Any]) -> None:
    """Raises ValidationError: the example is not what the schema says."""
    jsonschema.validate(example, {**schema, "components": DOCUMENT["components"]}, cls=jsonschema.Draft202012Validator)


def test_api_01_a_validator_finds_nothing() -> None:
    assert [str(one) for one in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_api_01_the_committed_document_is_this_one() -> None:
    assert (PROJECT_DIR / "docs" / "openapi.json").read_text(encoding="utf-8") == document_text(), "run ./cqrs docs"


def test_api_01_the_function_answers_it() -> None:
    assert ApiWorld().get("/openapi.json").body == json.loads(document_text())


def test_api_01_each_route_is_in_it() -> None:
    routes = {(method, rule.replace("<", "{").replace(">", "}")) for method, rule in ApiWorld().api.routes.info}
    assert set(OPERATIONS) == routes
    ids = [operation(*one)["operationId"] for one in OPERATIONS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("route", OPERATIONS, ids=" ".join)
def test_api_01_each_route_has_an_example(route: tuple[str, str]) -> None:
    documented = operation(*route)
    if "requestBody" in documented:
        content = documented["requestBody"]["content"]["application/json"]
        assert content["example"] is not None
        fits(content["example"], content["schema"])
    for parameter in documented.get("parameters", ()):
        if parameter["in"] == "path":
            assert parameter["example"], parameter["name"]
    for status in ("200", "202"):
        content = documented["responses"].get(status, {}).get("content", {}).get("application/json")
        if content is not None and "$ref" in content["schema"]:
            assert content["example"], status
            fits(content["example"], content["schema"])


@pytest.mark.parametrize("route", OPERATIONS, ids=" ".join)
def test_api_01_every_status_is_described(route: tuple[str, str]) -> None:
    responses = operation(*route)["responses"]
    assert {"400", "401", "403", "422", "429", "500", "503"} <= set(responses)
    for status, answer in responses.items():
        media = list(answer.get("content", {}))
        assert media == (["application/problem+json"] if int(status) >= 400 else media), status


def test_api_01_the_page_has_its_own_assets() -> None:
    answer = ApiWorld().get("/docs")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "//" not in answer.text.replace("<!doctype", "")
    assert "innerHTML" not in answer.text
