"""Reading the messages of the action queues: the action, and the row that a message names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from handlers.core.errors import ValidationError
from handlers.core.keys import check_version_number

K = TypeVar("K")


def message_of(record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The action and the message of one queue record, whose body is what SNS sends to a queue (SNS Developer Guide,
    "Fanout to Amazon SQS queues"): ``Message`` holds the message as text.

    Raises:
        ValidationError, ValueError: the record has another form.
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
    """The key of the row, from ``parse(pk, sk)``, and its attempt. Raises ValidationError, ValueError."""
    found, message = message_of(record)
    if found != action:
        raise ValidationError("action", found, action)
    content = message.get("content")
    attempt = content.get("attempt") if isinstance(content, dict) else None
    return (
        parse(message.get("pk", ""), message.get("sk", "")),
        check_version_number("content.attempt", attempt),
    )
