"""Restores queues with their messages, all of which are visible, since their receivers ended with the process."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from moto.sqs.models import Message

from local.aws import services
from local.aws.moto_queues import LocalQueue, kind_of_messages
from local.journal import Journal


def restore_queues(journal: Journal, region: str) -> None:
    """Restore messages into the declared queues."""
    for queue in services.backend("sqs", region).queues.values():
        for row in journal.rows(kind_of_messages(queue.name)):
            if isinstance(queue, LocalQueue):
                queue.add_message(_message(row.value))


def _message(kept: dict[str, Any]) -> Message:
    message = Message(kept["id"], kept["body"], kept["system_attributes"])
    for name, value in kept.items():
        setattr(message, name, value)
    message.message_attributes = {name: _value(value) for name, value in kept["message_attributes"].items()}
    return message


def _value(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: b64decode(one["base64"]) if isinstance(one, dict) else one for name, one in kept.items()}
