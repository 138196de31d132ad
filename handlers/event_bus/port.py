"""The event bus port: events for other projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from handlers.core.light_dataclasses import dataclass

#: The ``source`` that rules match; an event's ``table`` shows the stack.
SOURCE = "cqrs"
#: Total size of the entries of one PutEvents call (EventBridge User Guide, "Calculating event entry size").
MAX_BUS_BYTES = 256 * 1024


@dataclass(frozen=True)
class BusEvent:
    """An event: ``kind`` is its detail type."""

    kind: str
    detail: Mapping[str, Any]


class EventBus(Protocol):
    """One bus."""

    def put_many(self, events: Sequence[BusEvent]) -> dict[int, Exception]:
        """Put events in order, with as few calls as the service allows.

        Returns:
            Rejected events: index to the error, a ``TransientError`` if a retry may work.
        """
        ...
