"""Errors that the API returns, in their stored form."""

from __future__ import annotations

from cqrs_client.models import Failure


def error_of(failure: Failure | None) -> dict[str, str] | None:
    """The stored form, without the fields that the API doesn't return."""
    if failure is None:
        return None
    state = {} if failure.state is None else {"state": failure.state}
    return {"type": failure.type, "message": failure.message, **state}
