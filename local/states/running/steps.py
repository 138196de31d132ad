"""The progress of an execution, by place, so that it can be resumed after its process has ended.

A place is a position in the execution: the number of the step in its sequence, below the place of the Map
or Parallel state and the number of the iteration or branch. A resumed execution runs from its start again, and
finds at each place the earlier outcome: the time of entry, a task's result or error, the end of a wait. Only work
without an outcome is done: a function that was running is called again, which may also happen on AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.journal import Journal
from local.states.errors import StatesError

#: The kind of the rows; their keys are "<ARN of the execution> <place>".
KIND = "step"
#: (from, until), in epoch seconds, during which no process ran.
Pauses = Sequence[tuple[float, float]]


class Steps:
    """The steps of one execution, or of one child of its Distributed Map.

    Args:
        journal: where the steps are stored; None: nowhere.
        prefix: the prefix of their keys.
        known: the steps of a resumed execution, by key.
        pauses: when no process ran; timeouts don't count this time.
    """

    def __init__(
        self,
        journal: Journal | None = None,
        prefix: str = "",
        known: Mapping[str, Any] | None = None,
        pauses: Pauses = (),
    ) -> None:
        self._journal = journal
        self._prefix = prefix
        self._known = known or {}
        self._pauses = pauses

    @property
    def are_kept(self) -> bool:
        """Whether the steps are stored."""
        return self._journal is not None

    @property
    def prefix(self) -> str:
        """Of their keys."""
        return self._prefix

    def seen(self, place: str) -> Any:
        """The value stored for the place before the process ended; None: there is none."""
        return self._known.get(f"{self._prefix}{place}")

    def note(self, place: str, value: Any) -> None:
        """Store a value for the place."""
        if self._journal is not None:
            self._journal.put(KIND, f"{self._prefix}{place}", value)

    def once(self, place: str, make: Callable[[], Any]) -> Any:
        """The value stored for the place, or else the result of ``make``, which is then stored."""
        found = self.seen(place)
        if found is None:
            found = make()
            self.note(place, found)
        return found

    def below(self, place: str) -> Steps:
        """The steps of a nested part."""
        return Steps(self._journal, f"{self._prefix}{place}/", self._known, self._pauses)

    def forget(self) -> None:
        """Delete all steps, as the execution has ended."""
        if self._journal is not None:
            self._journal.delete_below(KIND, self._prefix)

    def elapsed(self, since: float, now: float) -> float:
        """Seconds between the two times during which a process ran."""
        gone = sum(max(min(until, now) - max(begin, since), 0.0) for begin, until in self._pauses)
        return max(now - since - gone, 0.0)


#: The steps of an execution that isn't stored.
NO_STEPS = Steps()


def noted(error: StatesError) -> dict[str, Any]:
    """A failed attempt, as it is stored."""
    return {"error": error.name, "cause": error.cause, "located": error.located, "closing": error.closing}


def result_of(seen: Mapping[str, Any]) -> Any:
    """The result of an attempt. Raises StatesError: it failed."""
    if "error" in seen:
        raise StatesError(seen["error"], seen["cause"], located=seen["located"], closing=seen["closing"])
    return seen["result"]
