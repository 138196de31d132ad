"""The OpenAPI document of the routes, the page that shows it, and the health check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from handlers.api.http.docs_page import HTML
from handlers.api.http.examples import of_part, of_schema
from handlers.api.http.requests import JSON
from handlers.api.http.routes import ANYBODY, SAYS, RouteInfo, Routes, answer
from handlers.api.services import Services

TITLE = "CQRS backbone"
VERSION = "1"
DESCRIPTION = """Commands, entities, tasks, imports, approvals and workflows of one stack.

Sign requests with AWS Signature Version 4, or send a bearer token, as the stack is configured. The tenant comes from
the identity. Percent-encode path segments with characters other than letters, digits and `-._~` twice: API
Gateway decodes it once. Errors are problem documents (RFC 9457)."""
#: Schemas that Powertools adds for its own error responses, which this API never sends.
_UNUSED = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
_WORDS = {"ge": "minimum", "le": "maximum"}
_SECURITY = {
    "iam": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


class Health(BaseModel):
    """``status`` is always ok: a function that isn't healthy doesn't respond."""

    status: str


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""
    made: list[dict[str, Any]] = []

    @routes.add("GET", "/health", ANYBODY, "Check that the API is running", answers={200: Health}, tag="about")
    def get_health() -> Response[Health]:
        return answer(200, Health(status="ok"))

    @routes.add("GET", "/openapi.json", ANYBODY, "Get this document", answers={200: None}, media=JSON, tag="about")
    def get_document() -> Response[dict[str, Any]]:
        if not made:
            made.append(document(routes))
        return Response(200, JSON, made[0])

    @routes.add(
        "GET", "/docs", ANYBODY, "Show this document as a page", answers={200: None}, media="text/html", tag="about"
    )
    def get_docs() -> Response[str]:
        policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
        headers = {"Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
        return Response(200, "text/html; charset=utf-8", HTML, headers=headers)


def document(routes: Routes) -> dict[str, Any]:
    """The document as plain JSON values; deterministic for the same routes."""
    schema = routes.resolver.get_openapi_schema(title=TITLE, version=VERSION, description=DESCRIPTION)
    plain: dict[str, Any] = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    infos = {(method, rule.replace("<", "{").replace(">", "}")): one for (method, rule), one in routes.info.items()}
    components = plain["components"]
    schemas = {name: _tidy(one) for name, one in sorted(components["schemas"].items()) if name not in _UNUSED}
    components["schemas"] = schemas
    for path, operations in plain["paths"].items():
        for method, operation in operations.items():
            _complete(operation, infos[method.upper(), path], path.split("/")[1], schemas)
    components["securitySchemes"] = _SECURITY
    return {**plain, "security": [{name: []} for name in _SECURITY]}


def _complete(operation: dict[str, Any], info: RouteInfo, tag: str, schemas: Mapping[str, Any]) -> None:
    """Add what Powertools doesn't know: the role, examples, and which responses have no body."""
    operation["description"] = f"Role: {info.role or 'any'}."
    operation["x-role"] = info.role
    body = operation.get("requestBody")
    if body is not None:
        body["content"][JSON]["example"] = info.example
    responses = operation["responses"]
    responses["500"] = {**responses["400"], "description": SAYS[500]}  # replaces that of Powertools
    for response in responses.values():
        content = response.get("content")
        if not content:
            response.pop("content", None)
        elif "$ref" in content.get(JSON, {}).get("schema", {}):
            content[JSON]["example"] = of_schema(content[JSON]["schema"], schemas)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = of_part(tag, parameter["name"])
        parameter["schema"] = _tidy(_without_null(parameter["schema"]))


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Remove null from a parameter's schema: an optional parameter is omitted, never null."""
    variants = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(variants) != 1:
        return dict(schema)
    return {**{name: one for name, one in schema.items() if name not in ("anyOf", "default")}, **variants[0]}


def _tidy(schema: Any) -> Any:
    """Remove the titles that pydantic derives from names, and use JSON Schema's keywords for limits, which pydantic
    doesn't translate if a validator stands between a limit and its type.
    """
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: one for name, one in schema.items() if name != "title" or not isinstance(one, str)}
    return {_WORDS.get(name, name): _tidy(one) for name, one in kept.items()}


def operations_of(document_: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path and operation of each route."""
    for path, operations in document_["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation
