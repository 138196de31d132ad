"""What the consumers of the action queues share: reading a message that names a row, and the answer to a batch."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from handlers.consumers.dead_letters import DeadLetters, is_kept
from handlers.consumers.failure_policy import Consumer
from handlers.core.errors import ValidationError
from handlers.core.keys import check_version_number
from handlers.core.log import log_step, without_text

K = TypeVar("K")


def message_of(record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The action and the message of one queue record, whose body is what SNS sends to a queue (SNS Developer Guide,
    "Fanout to Amazon SQS queues"): ``Message`` holds the message as text.

    Raises:
        ValidationError, ValueError: it isn't that.
    """
    body = json.loads(record["body"])
    text = body.get("Message") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise ValidationError("body.Message", text, "a message of the main topic as text")
    message = json.loads(text)
    action = message.get("action") if isinstance(message, dict) else None
    if not isinstance(action, str) or not action:
        raise ValidationError("action", action, "the action of a message of the main topic")
    return action, message


def row_named(record: Mapping[str, Any], action: str, parse: Callable[[str, str], K]) -> tuple[K, int]:
    """The row, by ``parse(pk, sk)``, and its attempt. Raises ValidationError, ValueError."""
    found, message = message_of(record)
    if found != action:
        raise ValidationError("action", found, action)
    content = message.get("content")
    attempt = content.get("attempt") if isinstance(content, dict) else None
    return (
        parse(message.get("pk", ""), message.get("sk", "")),
        check_version_number("content.attempt", attempt),
    )


def answer_each(
    records: Sequence[Mapping[str, Any]],
    work: Callable[[Mapping[str, Any], int], None],
    failed: str,
    letters: DeadLetters,
    *,
    has_record_data: bool = False,
) -> dict[str, Any]:
    """Call ``work(record, receives)`` for each message of a batch; ``failed`` is what the log says of one that raises.

    One that nobody can work on goes into ``letters``.

    ``has_record_data``: the text of its error may hold some, so it is not logged.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: those come again.
    """
    failures = []
    for record in records:
        try:
            work(record, int(record["attributes"]["ApproximateReceiveCount"]))
        except Exception as error:  # noqa: BLE001 - boundary: one message; it is logged and comes again
            why: dict[str, Any] = without_text(error) if has_record_data else {"error": error}
            log_step(failed, level=logging.ERROR, messageId=record.get("messageId"), **why)
            if not is_kept(record, error, Consumer.QUEUE_MESSAGE, letters):
                failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
