"""The event bus port in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handlers.core.aws.message_batches import message_text
from handlers.event_bus.port import MAX_BUS_BYTES, BusEvent
from handlers.topics.port import too_large


class MemoryBus:
    """Keeps the events in order. ``refuse`` may return an error for an event."""

    def __init__(self, refuse: Callable[[BusEvent], Exception | None] | None = None) -> None:
        self.events: list[BusEvent] = []
        self._refuse = refuse

    def put_many(self, events: Sequence[BusEvent]) -> dict[int, Exception]:
        """See EventBus."""
        unsent: dict[int, Exception] = {}
        for index, event in enumerate(events):
            size = len(message_text(event.detail).encode())
            reason: Exception | None = self._refuse(event) if self._refuse is not None else None
            if size > MAX_BUS_BYTES:
                reason = too_large(size)
            if reason is None:
                self.events.append(event)
            else:
                unsent[index] = reason
        return unsent
