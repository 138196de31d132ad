"""ORD-17: finish(v) against wait(v+1), every interleaving of their atomic steps, with a crash at every point.

The store is sequentially consistent: each step sees all steps before it. A step is one call to AWS. The steps are
those of ``handlers/commands/pipeline/finish.py`` and ``wait.py`` (docs/spec/defects.md); the simulation beside it shows
that the code keeps to them. ``consumers.py`` is the model of INLINE.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

FINISH, WAIT = 0, 1


@dataclass(frozen=True)
class Store:
    """What both sides see, and what each side remembers from its own reads."""

    done: bool = False
    successor_row: bool = True
    token: bool = False
    parked: bool = False
    #: executions of the successor that were told to go on: resumed, started, or by their own look
    goes_on: int = 0
    #: the successor's own first check let it pass, so that it doesn't wait at all
    passed: bool = False
    #: sends (or starts) by both sides
    sends: int = 0
    seen_waiting: bool = False
    seen_absent: bool = False
    seen_done: bool = False


#: A step's effect. One that has nothing to do leaves the store as it is, and still takes its place.
Step = Callable[[Store], Store]


@dataclass(frozen=True)
class Count:
    """What the search found."""

    interleavings: int
    lost: int
    double: int

    def __add__(self, other: Count) -> Count:
        return Count(self.interleavings + other.interleavings, self.lost + other.lost, self.double + other.double)


@dataclass
class Model:
    """Two sides. ``crashes``: how often each side may stop at any point; ``restarts``: it begins anew after that
    (Lambda's and the machine's retries, the sweeper); ``timeout``: a successor that waits looks again when nothing
    else happens (TimeoutSeconds of the wait, the sweeper for parked rows).
    """

    finish: Sequence[Step]
    wait: Sequence[Step]
    start: Store = field(default_factory=Store)
    crashes: int = 0
    restarts: bool = True
    timeout: bool = False
    _known: dict[tuple[Store, tuple[int, int], tuple[int, int]], Count] = field(default_factory=dict)

    def count(self) -> Count:
        """Search everything. A path is counted by its steps; what was reached once is not searched again."""
        return self._count_from(self.start, (0, 0), (self.crashes, self.crashes))

    def _count_from(self, store: Store, at: tuple[int, int], crashes: tuple[int, int]) -> Count:
        known = self._known.get((store, at, crashes))
        if known is None:
            known = self._known[store, at, crashes] = self._search(store, at, crashes)
        return known

    def _search(self, store: Store, at: tuple[int, int], crashes: tuple[int, int]) -> Count:
        sides = (self.finish, self.wait)
        runnable = [side for side in (FINISH, WAIT) if at[side] < len(sides[side])]
        if not runnable:
            lost = store.done and store.successor_row and not self._proceeds(store)
            return Count(1, int(lost), int(store.sends > 1))
        total = Count(0, 0, 0)
        for side in runnable:
            after = sides[side][at[side]](store)
            total += self._count_from(after, _moved(at, side, at[side] + 1), crashes)
            if crashes[side]:
                # before this step; a crash after the last one changes nothing
                stopped = 0 if self.restarts else len(sides[side])
                total += self._count_from(store, _moved(at, side, stopped), _moved(crashes, side, crashes[side] - 1))
        return total

    def _proceeds(self, store: Store) -> bool:
        """Whether the successor goes on; after a timeout it looks once more, and a DONE predecessor lets it pass."""
        return store.passed or store.goes_on > 0 or (self.timeout and store.done)


def _moved(at: tuple[int, int], side: int, to: int) -> tuple[int, int]:
    return (to, at[1]) if side == FINISH else (at[0], to)


# -- the predecessor: finish(v) -------------------------------------------------------------------------


def write_done(store: Store) -> Store:
    """DONE (``finish:STARTED``)."""
    return replace(store, done=True)


def read_successor(store: Store) -> Store:
    """Strongly consistent read of the successor's token or mark."""
    return replace(store, seen_waiting=store.token or store.parked)


def wake(store: Store) -> Store:
    """SendTaskSuccess, or StartExecution of a parked successor; both are harmless when repeated."""
    return replace(store, goes_on=store.goes_on + 1, sends=store.sends + 1) if store.seen_waiting else store


def finished_if_no_successor(store: Store) -> Store:
    """The short way: DONE and closed in one transaction, on condition that the successor's row is absent."""
    return store if store.successor_row else replace(store, done=True, seen_absent=True)


def read_whether_successor(store: Store) -> Store:
    """The short way gone wrong: looks first."""
    return replace(store, seen_absent=not store.successor_row)


def done_without_wake_if_seen_absent(store: Store) -> Store:
    """The short way gone wrong: writes later."""
    return replace(store, done=True) if store.seen_absent else store


def unless_seen_absent(step: Step) -> Step:
    """A step of the long way: left out after the short one."""
    return lambda store: store if store.seen_absent else step(store)


# -- the successor: wait(v+1) ---------------------------------------------------------------------------


def publish(store: Store) -> Store:
    """The successor's row is put."""
    return replace(store, successor_row=True)


def check(store: Store) -> Store:
    """check_version: a DONE predecessor lets it proceed at once."""
    return replace(store, passed=True) if store.done else store


def store_token(store: Store) -> Store:
    """The token of the wait."""
    return store if store.passed else replace(store, token=True)


def park(store: Store) -> Store:
    """The mark of a parked row; its execution ends after the next step."""
    return store if store.passed else replace(store, parked=True)


def read_predecessor(store: Store) -> Store:
    """``reschedule`` as the two calls that it is: the read ..."""
    return replace(store, seen_done=store.done)


def resume_itself(store: Store) -> Store:
    """... and the send."""
    if store.passed or not store.seen_done:
        return store
    return replace(store, goes_on=store.goes_on + 1, sends=store.sends + 1)


def reschedule(store: Store) -> Store:
    """Strongly consistent read of the predecessor after the token or mark; resumes (or goes on) itself."""
    if store.passed or not store.done:
        return store
    return replace(store, goes_on=store.goes_on + 1, sends=store.sends + 1)
