"""The generated documentation of the HTTP API: the OpenAPI document, the routes and the problem types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from handlers.api.app import Api
from handlers.api.http.document import document, operations_of
from handlers.api.http.identity import Identities
from handlers.api.http.problems import INTERNAL, KINDS
from handlers.api.services import Services


def described() -> dict[str, Any]:
    """The OpenAPI document, created without a stack."""
    return document(Api(cast("Services", None), Identities("", "", ())).routes)


def document_text() -> str:
    """The OpenAPI document as the text of a file."""
    return json.dumps(described(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def routes_part() -> str:
    """A table of the routes, each with the role that it requires."""
    rows = [
        (f"`{method} {path}`", operation["x-role"] or "any", operation["summary"])
        for method, path, operation in sorted(operations_of(described()), key=lambda one: (one[1], one[0]))
    ]
    return table(("route", "role", "what"), rows)


def problems_part() -> str:
    """A table of the problem types."""
    lines = [(kind, _first_line(cls.__doc__)) for cls, kind in KINDS]
    lines.append((INTERNAL, "An unexpected error; look for the request id in the function's log"))
    rows = [(f"`{kind.type}`", str(kind.status), why) for kind, why in lines]
    return table(("type", "status", "when"), rows)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0].replace("``", "`")


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n"
