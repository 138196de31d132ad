"""Status events: one message per outcome of a command, sent from the ``commands`` stream and not by the steps.

They are derived from stored rows, so no step depends on the topic, and a crash between a write and its message loses
nothing (defect P7). Delivery is at least once: consumers detect duplicates by (id, attempt, status).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from contract import options
from contract.messages import ACTION, COMMAND_STATUS
from contract.rows import SYNC_MODE
from contract.tables import INSERT, MODIFY
from handlers.commands import status
from handlers.commands.keys import VersionKey
from handlers.core.keys import row_id
from handlers.core.log import log_step
from handlers.store.values import item_from_dynamo
from handlers.topics.port import Notice, Topic

DONE = "DONE"
_READ = ("pk", "sk", "id", "status", "attempt", "requestId", "error", "updatedAt")
#: Fields of a failure that are sent. An allow-list, so that fields added later don't leak by accident.
_ERROR_FIELDS = ("type", "message", "state", "blockedBy")


class StatusEvents:
    """Sends the status events of stream records to one topic."""

    def __init__(self, topic: Topic, table: str, which: str) -> None:
        """``table`` is the table's name in the messages; ``which`` is one of ``options.STATUS_EVENTS``."""
        self._topic = topic
        self._table = table
        self._which = which

    def on_stream_records(self, records: Sequence[Mapping[str, Any]]) -> dict[int, Exception]:
        """Send the events of a batch. Returns the records whose event was not sent: index to the error."""
        unsent: dict[int, Exception] = {}
        notices: dict[int, Notice] = {}
        for index, record in enumerate(records):
            try:
                notice = notice_of(record, self._table, self._which)
            except Exception as error:  # noqa: BLE001 - boundary: one record; the error is returned
                unsent[index] = error
                continue
            if notice is not None:
                notices[index] = notice
        if not notices:
            return unsent
        places = list(notices)
        refused = self._topic.publish_many(list(notices.values()))
        unsent.update({places[position]: error for position, error in refused.items()})
        log_step("status events", level=logging.INFO, sent=len(notices) - len(refused), unsent=len(unsent))
        return unsent


def notice_of(record: Mapping[str, Any], table: str, which: str) -> Notice | None:
    """The event of one stream record, None if there is none to send.

    Raises:
        ValidationError, KeyError: a row with a status that isn't a command.
    """
    change = record.get("dynamodb", {})
    new, old = change.get("NewImage"), change.get("OldImage")
    if new is None or "status" not in new:
        return None
    applied_at_once = record.get("eventName") == INSERT and SYNC_MODE in new
    if not applied_at_once and (record.get("eventName") != MODIFY or old is None):
        return None
    old = old or {}
    row = item_from_dynamo({name: new[name] for name in _READ if name in new})
    before = item_from_dynamo({name: old[name] for name in ("status", "attempt") if name in old})
    if not _is_wanted(row["status"], which) or (applied_at_once and not status.is_terminal(row["status"])):
        return None
    if (before.get("status"), before.get("attempt")) == (row["status"], row["attempt"]):
        return None
    key = VersionKey.parse(row["pk"], row["sk"])
    message = {
        "id": row_id(key.pk, key.sk),
        "action": COMMAND_STATUS,
        "table": table,
        "pk": key.pk,
        "sk": key.sk,
        "tenantCode": key.entity.tenant_code,
        "content": _content(key, row),
    }
    return Notice(message, {ACTION: COMMAND_STATUS})


def _content(key: VersionKey, row: Mapping[str, Any]) -> dict[str, Any]:
    """Built from an allow-list: never contains attributes or a task token."""
    content = {
        "commandId": row["id"],
        "type": key.entity.type,
        "code": key.entity.code,
        "version": key.version,
        "status": row["status"],
        "attempt": row["attempt"],
    }
    if status.is_terminal(row["status"]):
        failed = status.is_failed(dict(row))
        content["outcome"] = status.FAILED if failed else DONE
        if failed:
            error = row.get("error", {})
            content["error"] = {name: error[name] for name in _ERROR_FIELDS if name in error}
    content.update({name: row[name] for name in ("requestId", "updatedAt") if name in row})
    return content


def _is_wanted(new: str, which: str) -> bool:
    """Acceptance isn't the outcome of a step, so neither a new command nor a redrive is reported."""
    if which == options.ALL:
        return new not in (status.ACCEPTED, status.SYNC)
    return which == options.TERMINAL and status.is_terminal(new)
