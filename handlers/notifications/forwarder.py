"""The notification queue's consumer: puts status events on the event bus, where other projects have their rules."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.errors import ValidationError
from handlers.log import log_step
from handlers.notifications.bus import BusEvent, EventBus

QUEUE_SOURCE = "aws:sqs"


class Forwarder:
    """From messages of the main topic, in a queue, to events of the same content."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Forward a batch.

        Returns:
            ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: those come again, and after the queue's
            last receive they are in its dead-letter queue (Lambda Developer Guide, "Implementing partial batch
            responses").
        """
        failed: dict[int, Exception] = {}
        events: dict[int, BusEvent] = {}
        for index, record in enumerate(records):
            try:
                events[index] = event_of(record)
            except Exception as error:  # noqa: BLE001 - boundary: one message; it is logged and comes again
                failed[index] = error
        places = list(events)
        refused = self._bus.put_many(list(events.values())) if events else {}
        failed.update({places[position]: error for position, error in refused.items()})
        for index, reason in failed.items():
            message_id = records[index].get("messageId")
            log_step("message not forwarded", level=logging.ERROR, error=reason, messageId=message_id)
        log_step("forwarded", level=logging.INFO, sent=len(records) - len(failed), unsent=len(failed))
        return {"batchItemFailures": [{"itemIdentifier": records[index]["messageId"]} for index in sorted(failed)]}


def event_of(record: Mapping[str, Any]) -> BusEvent:
    """The event of one queue record, whose body is what SNS sends to a queue (SNS Developer Guide, "Fanout to Amazon
    SQS queues"): ``Message`` holds the message as text.

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
    return BusEvent(action, message)
