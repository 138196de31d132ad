"""The event bus port: events for other projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from handlers.core.light_dataclasses import dataclass

#: What rules match in ``source``; an event's ``table`` shows which stack it was.
SOURCE = "cqrs"
#: All entries of one PutEvents call together (EventBridge User Guide, "Calculating event entry size").
MAX_BUS_BYTES = 256 * 1024


@dataclass(frozen=True)
class BusEvent:
    """An event: ``kind`` is its detail type."""

    kind: str
    detail: Mapping[str, Any]


class EventBus(Protocol):
    """One bus."""

    def put_many(self, events: Sequence[BusEvent]) -> dict[int, Exception]:
        """Put several in their order, with as few calls as the service allows.

        Returns:
            What the bus did not take: index to the reason, a ``TransientError`` when a later try may work.
        """
        ...
