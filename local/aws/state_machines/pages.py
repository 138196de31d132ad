"""Pages of the Step Functions API's lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.states.errors import ApiError

#: Entries on a page where the request names none, and the most it may name.
PAGE = 100
PAGE_LIMIT = 1_000


class InvalidPage(ApiError):
    """The page token is not one that we issued."""

    code = "InvalidToken"


def page(field: str, entries: list[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a list; the token is the number of the first entry of the next one."""
    token = params.get("nextToken") or "0"
    if not token.isdigit():
        raise InvalidPage(f"Invalid Token: '{token}'")
    start = int(token)
    end = start + min(params.get("maxResults") or PAGE, PAGE_LIMIT)
    answer: dict[str, Any] = {field: entries[start:end]}
    if end < len(entries):
        answer["nextToken"] = str(end)
    return answer
