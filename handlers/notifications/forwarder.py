"""Consumer of the notification queue: puts status events on the event bus, for the rules of other projects."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from handlers.consumers.dead_letters import DeadLetters, is_kept
from handlers.consumers.failure_policy import Consumer
from handlers.consumers.queue_messages import message_of
from handlers.core.log import log_step
from handlers.event_bus.port import BusEvent, EventBus


class Forwarder:
    """Converts messages of the main topic to events with the same content."""

    def __init__(self, bus: EventBus, letters: DeadLetters) -> None:
        """``letters``: for messages that can't be forwarded."""
        self._bus = bus
        self._letters = letters

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Forward a batch.

        Returns:
            ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: these are redelivered, and after the last
            receive they go to the dead-letter queue (Lambda Developer Guide, "Implementing partial batch responses");
            unreadable messages go there at once.
        """
        failed: dict[int, Exception] = {}
        events: dict[int, BusEvent] = {}
        for index, record in enumerate(records):
            try:
                events[index] = BusEvent(*message_of(record))
            except Exception as error:  # noqa: BLE001 - boundary: one message; it is logged and redelivered
                failed[index] = error
        places = list(events)
        refused = self._bus.put_many(list(events.values())) if events else {}
        failed.update({places[position]: error for position, error in refused.items()})
        again = []
        for index, reason in sorted(failed.items()):
            message_id = records[index].get("messageId")
            log_step("message not forwarded", level=logging.ERROR, error=reason, messageId=message_id)
            if not is_kept(records[index], reason, Consumer.QUEUE_MESSAGE, self._letters):
                again.append({"itemIdentifier": message_id})
        log_step("forwarded", level=logging.INFO, sent=len(records) - len(failed), unsent=len(failed))
        return {"batchItemFailures": again}
