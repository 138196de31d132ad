"""Request ids: the same id with the same content returns the first result again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from handlers.core.clock import iso
from handlers.core.errors import NotFound, RequestConflict, RequestWithdrawn
from handlers.core.expiry import SECONDS_PER_DAY, is_expired
from handlers.core.keys import request_sk
from handlers.store.conditions import absent, at_most
from handlers.store.port import COMMANDS, ConditionFailed, Put, TableStore

if TYPE_CHECKING:
    from handlers.commands.keys import EntityKey
    from handlers.commands.model import Command, CommandInput
    from handlers.core.context import InvokeContext

#: How long an id is stored: far longer than any redelivery (SQS keeps messages for at most 14 days).
REMEMBERED_DAYS = 30


class RequestLog:
    """The rows ``REQ#<requestId>``, written in the transaction of their command."""

    def __init__(self, store: TableStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def first_result(self, content: str, key: EntityKey, context: InvokeContext) -> dict[str, Any] | None:
        """The row of the command that this request wrote earlier, None if it is new.

        ``content``: the fingerprint of the request.

        Raises:
            RequestConflict: the id was used with different content, or withdrawn.
            NotFound: the first result has expired.
        """
        if context.request_id is None:
            return None
        row = self._remembered(key.pk, context.request_id)
        if row is None:
            return None
        if row["contentHash"] != content:
            raise RequestConflict(
                f"requestId {context.request_id!r} was used for {row['resultSk']} with different content; use a new id"
            )
        return self._result(row)

    def result(self, pk: str, request_id: str) -> dict[str, Any] | None:
        """The row that this request wrote earlier, whatever its content; None if it is new.

        Raises:
            RequestWithdrawn
            NotFound: the first result has expired.
        """
        row = self._remembered(pk, request_id)
        return None if row is None else self._result(row)

    def withdraw(self, pk: str, request_id: str, row_id: str) -> dict[str, Any] | None:
        """See ``CommandPublisher.withdraw``. ``row_id``: for the row that records the withdrawal."""
        now = self._now()
        item = {**self._kept(pk, request_id, row_id), "withdrawn": True}
        try:
            self._store.put(COMMANDS, item, absent("pk") | at_most("ttl", int(now)))
        except ConditionFailed as found:
            if found.item is None:
                raise AssertionError("a put on an absent row was refused") from found
            return None if found.item.get("withdrawn") else self._result(found.item)
        return None

    def _remembered(self, pk: str, request_id: str) -> dict[str, Any] | None:
        row = self._store.get(COMMANDS, pk, request_sk(request_id))
        if row is None or is_expired(row, self._now()):
            return None
        if row.get("withdrawn"):
            raise RequestWithdrawn(f"requestId {request_id!r} was withdrawn; use a new id")
        return row

    def _result(self, row: dict[str, Any]) -> dict[str, Any]:
        result = self._store.get(COMMANDS, row["pk"], row["resultSk"])
        if result is None:
            raise NotFound(f"{row['pk']} {row['resultSk']}, the result of requestId {row['requestId']!r}, has expired")
        return result

    def entry(self, command: Command, content: str, request_id: str, row_id: str) -> Put:
        """The write that stores the request."""
        item = {
            **self._kept(command.pk, request_id, row_id),
            "resultSk": command.sk,
            "contentHash": content,
        }
        return Put(COMMANDS, item, absent("pk") | at_most("ttl", int(self._now())))

    def _kept(self, pk: str, request_id: str, row_id: str) -> dict[str, Any]:
        now = self._now()
        return {
            "pk": pk,
            "sk": request_sk(request_id),
            "id": row_id,
            "requestId": request_id,
            "createdAt": iso(now),
            "ttl": int(now) + REMEMBERED_DAYS * SECONDS_PER_DAY,
        }


def content_hash(given: CommandInput, names: Sequence[str] | None = None) -> str:
    """A fingerprint of all of the caller's input, as returned by ``CommandInput.checked``.

    ``names``: the fields that a partial update changes; None for a full state.
    """
    content: list[Any] = [given.kind, given.type, given.code, given.name, given.attributes, given.version]
    content += [given.is_deleted, given.seq, *([] if names is None else [names])]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
