"""The history of an execution: events as GetExecutionHistory returns them.

Payloads are kept as Python values and turned into JSON text only when they are read.
Source: API reference, "HistoryEvent".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local.states.errors import HistoryLimitReached
from local.states.limits import HISTORY_EVENTS, dumps

#: Detail fields that hold JSON text.
_PAYLOADS = frozenset({"input", "output", "parameters"})
#: Those of them that have a "<name>Details" field.
_WITH_DETAILS = frozenset({"input", "output"})


class Event(NamedTuple):
    """One event. ``details``: its fields, payloads as Python values."""

    id: int
    type: str
    at: float
    previous: int
    details: dict[str, Any] | None

    def describe(self) -> dict[str, Any]:
        """The event as the API returns it."""
        answer: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(self.at, UTC),
            "type": self.type,
            "id": self.id,
            "previousEventId": self.previous,
        }
        if self.details is not None:
            fields: dict[str, Any] = {}
            for name, value in self.details.items():
                if value is None and name not in _PAYLOADS:
                    continue
                fields[name] = dumps(value) if name in _PAYLOADS else value
                if name in _WITH_DETAILS:
                    fields[f"{name}Details"] = {"truncated": False}
            answer[_details_name(self.type)] = fields
        return answer


class History:
    """The events of one execution. After ``close`` none are added."""

    __slots__ = ("closed", "events", "limit")

    def __init__(self, limit: int | None = HISTORY_EVENTS) -> None:
        self.events: list[Event] = []
        self.limit = limit
        self.closed = False

    def add(self, type_: str, at: float, previous: int, details: dict[str, Any] | None) -> int:
        """Add an event and return its id.

        Raises:
            HistoryLimitReached: it would be the last one allowed, which is reserved for the end of the execution
                (Developer Guide, "Starting new executions to avoid reaching the history quota").
        """
        event_id = len(self.events) + 1
        if self.closed:
            return previous
        if self.limit is not None and event_id >= self.limit:
            raise HistoryLimitReached
        self.events.append(Event(event_id, type_, at, previous, details))
        return event_id

    def close(self, type_: str, at: float, details: dict[str, Any] | None) -> None:
        """Add the last event."""
        self.events.append(Event(len(self.events) + 1, type_, at, len(self.events), details))
        self.closed = True

    def drop(self) -> None:
        """Drop the events, to bound memory."""
        self.events = []
        self.closed = True


class Trail:
    """One sequence of events: the main one, or that of a Map iteration or a Parallel branch.

    ``place``: its current position in the execution; see ``steps``.
    """

    __slots__ = ("_count", "_prefix", "history", "last", "now", "place")

    def __init__(self, history: History, last: int, now: Any, prefix: str = "") -> None:
        self.history = history
        self.last = last
        self.now = now
        self.place = ""
        self._prefix = prefix
        self._count = 0

    def add(self, type_: str, details: dict[str, Any] | None = None, at: float | None = None) -> int:
        """Add an event after the last one of this sequence."""
        self.last = self.history.add(type_, self.now() if at is None else at, self.last, details)
        return self.last

    def next_place(self) -> str:
        """Advance to the next place of this sequence."""
        self._count += 1
        self.place = f"{self._prefix}{self._count}"
        return self.place

    def fork(self, number: int) -> Trail:
        """A sequence that starts after the last event of this one: the iteration or branch with this number."""
        return Trail(self.history, self.last, self.now, f"{self.place}/{number}/")


def visited_states(events: Iterable[Event]) -> list[str]:
    """Names of the states in the order in which they were entered."""
    return [event.details["name"] for event in events if event.details and event.type.endswith("StateEntered")]


def _details_name(type_: str) -> str:
    if type_.endswith("StateEntered"):
        return "stateEnteredEventDetails"
    if type_.endswith("StateExited"):
        return "stateExitedEventDetails"
    return f"{type_[0].lower()}{type_[1:]}EventDetails"
