"""Publishes an order through the API of the source stack, with its client, and uses nothing else of that stack."""

from __future__ import annotations

import os
from typing import Any

from cqrs_client import Client, connect

_client: Client | None = None


def client() -> Client:
    """Created by the first call and kept with its connections; requests are signed with the function's role."""
    global _client
    if _client is None:
        _client = connect(os.environ["API_URL"], tenant=os.environ["TENANT"])
    return _client


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """``event``: ``{id, code, name, lines}``. A repeated ``id`` publishes nothing again."""
    published = client().commands.publish(
        "ORDER", event["code"], event["name"], {"lines": event["lines"]}, idempotency_key=event["id"], wait=10
    )
    return {"code": published.command.code, "version": published.command.version, "outcome": published.outcome}
