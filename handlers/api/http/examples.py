"""Examples of responses and paths for the document, derived from the schemas so that they conform to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.command_status import DONE

#: Name of a field or path parameter to an example value.
VALUES: dict[str, Any] = {
    "allowed": "a whole number from 1 to 100",
    "attempt": 1,
    "attributes": {"lines": [{"quantity": 2, "price": 5}]},
    "bucket": "cqrs-dev-store-111122223333",
    "code": "o1",
    "createdAt": "2026-01-31T09:00:00.000Z",
    "createdBy": "arn:aws:sts::111122223333:assumed-role/shop-web/7",
    "createdIp": "203.0.113.7",
    "counts": {"REDRIVEN": 1},
    "data": {
        "version": 1,
        "updatedAt": "2026-01-31T09:00:01.000Z",
        "isDeleted": False,
        "command": "ORDER#o1@0000000001",
    },
    "executionArn": "arn:aws:states:eu-central-1:111122223333:execution:cqrs-dev-three_steps:acme-1",
    "id": "CSV_IMPORT#acme#airports#01JABCDEFGHJKMNPQRSTVWXYZ0",
    "input": {"numbers": [1, 2, 3]},
    "key": "imports/acme/01JABCDEFGHJKMNPQRSTVWXYZ0/airports.csv",
    "kind": "TENANT",
    "method": "PUT",
    "name": "First order",
    "outcome": "APPLIED",
    "output": {"count": 3, "sum": 6, "mean": 2},
    "requestId": "JKJaXmPLvHcESHA=",
    "row": {"ident": "00A", "type": "heliport"},
    "source": "api",
    "startedAt": "2026-01-31T09:00:00.000Z",
    "status": DONE,
    "table": "airports",
    "targets": {"data": {"outcome": "APPLIED"}},
    "tenantCode": "acme",
    "type": "ORDER",
    "updatedAt": "2026-01-31T09:00:00.000Z",
    "updatedBy": "arn:aws:sts::111122223333:assumed-role/shop-web/7",
    "updatedIp": "203.0.113.7",
    "url": "https://cqrs-dev-store-111122223333.s3.eu-central-1.amazonaws.com/imports/acme/...",
    "version": 1,
    "workflow": "approval",
}
_BY_TYPE: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "object": {}, "array": []}
#: Ids in paths, by the path's first segment.
IDS = {
    "approvals": "r1",
    "imports": "CSV_IMPORT#acme#airports#01JABCDEFGHJKMNPQRSTVWXYZ0",
    "tasks": "TASK#acme#send-mail#01JABCDEFGHJKMNPQRSTVWXYZ0",
    "workflows": "2026-01",
}


def of_part(group: str, name: str) -> Any:
    """An example for the path parameter ``name``. ``group``: the path's first segment."""
    return IDS[group] if name == "id" else "three_steps" if name == "name" else VALUES[name]


def of_schema(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "") -> Any:
    """An example that conforms to the schema. ``schemas``: those that it may refer to."""
    if "$ref" in schema:
        return of_schema(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    variants = schema.get("anyOf")
    if variants:
        return None if {"type": "null"} in variants else of_schema(variants[0], schemas, name)
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        return {one: of_schema(inner, schemas, one) for one, inner in schema["properties"].items()}
    if kind == "array":
        return [of_schema(schema["items"], schemas, name)]
    value = VALUES.get(name)
    return value if value is not None and _is(value, kind) else _BY_TYPE.get(str(kind))


def _is(value: Any, kind: str | None) -> bool:
    return kind is None or isinstance(value, type(_BY_TYPE[kind]))
