"""What an execution has done so far, by place, so that it can go on from there after its process has ended.

A place says where in the execution something happens: the number of the step in its line, below the place of the Map
or Parallel state and the number of the iteration or branch. An execution that goes on runs from its start again, and
finds at each place what came of it before: the time of entry, a task's result or error, the end of a wait. Only what
has no end yet is really done: a function that was running is called again, which may happen with a real one, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.journal import Journal
from local.states.errors import StatesError

#: The kind of the rows; their keys are "<ARN of the execution> <place>".
KIND = "step"
#: (from, until), epoch seconds, in which no process ran.
Pauses = Sequence[tuple[float, float]]


class Steps:
    """The steps of one execution, or of one child of its Distributed Map.

    Args:
        journal: where they are written; None: nowhere.
        prefix: of their keys.
        known: those of an execution that goes on, by key.
        pauses: when nothing ran; no timeout counts that.
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
        """Whether they are written anywhere."""
        return self._journal is not None

    @property
    def prefix(self) -> str:
        """Of their keys."""
        return self._prefix

    def seen(self, place: str) -> Any:
        """What was noted there before the process ended; None: nothing."""
        return self._known.get(f"{self._prefix}{place}")

    def note(self, place: str, value: Any) -> None:
        """Remember it."""
        if self._journal is not None:
            self._journal.put(KIND, f"{self._prefix}{place}", value)

    def once(self, place: str, make: Callable[[], Any]) -> Any:
        """What was noted there, or else what ``make`` answers, noted now."""
        found = self.seen(place)
        if found is None:
            found = make()
            self.note(place, found)
        return found

    def below(self, place: str) -> Steps:
        """The steps of a part."""
        return Steps(self._journal, f"{self._prefix}{place}/", self._known, self._pauses)

    def forget(self) -> None:
        """All of them: it has ended."""
        if self._journal is not None:
            self._journal.delete_below(KIND, self._prefix)

    def elapsed(self, since: float, now: float) -> float:
        """Seconds in which a process ran."""
        gone = sum(max(min(until, now) - max(begin, since), 0.0) for begin, until in self._pauses)
        return max(now - since - gone, 0.0)


#: Those of an execution that is not kept.
NO_STEPS = Steps()


def noted(error: StatesError) -> dict[str, Any]:
    """An attempt that failed."""
    return {"error": error.name, "cause": error.cause, "located": error.located, "closing": error.closing}


def result_of(seen: Mapping[str, Any]) -> Any:
    """The result of an attempt. Raises StatesError: it failed."""
    if "error" in seen:
        raise StatesError(seen["error"], seen["cause"], located=seen["located"], closing=seen["closing"])
    return seen["result"]
