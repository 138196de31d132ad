"""Pagination of the Step Functions API's lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.states.errors import ApiError

#: Default and maximum number of entries on a page.
PAGE = 100
PAGE_LIMIT = 1_000


class InvalidPage(ApiError):
    """The page token wasn't issued by us."""

    code = "InvalidToken"


def page(field: str, entries: list[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a list; the token is the index of the next page's first entry."""
    token = params.get("nextToken") or "0"
    if not token.isdigit():
        raise InvalidPage(f"Invalid Token: '{token}'")
    start = int(token)
    end = start + min(params.get("maxResults") or PAGE, PAGE_LIMIT)
    answer: dict[str, Any] = {field: entries[start:end]}
    if end < len(entries):
        answer["nextToken"] = str(end)
    return answer
