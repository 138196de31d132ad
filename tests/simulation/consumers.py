"""ORD-17 for INLINE: consumers of the stream and machines on one entity, every interleaving of their atomic steps.

The store is sequentially consistent: each step sees all steps before it. A step is one call to AWS, or to a target. The
steps are those of ``handlers/commands/inline`` (entity.py, version.py), with a custom target, so that commands are
claimed; a machine's are those of EXPRESS. ``broken`` names a step that is made wrongly: the search must find what that
breaks. The simulation beside it shows that the code keeps to these steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

#: The run id of consumers: the same on every delivery of a record.
CONSUMER = "inline"

# What can be made wrongly.
NO_SECOND_LOOK = "who parks doesn't read its predecessor after the mark"
LOOK_BEFORE_DONE = "the successor is read before DONE is written"
NO_LOOK = "nobody looks for a successor"
CLAIM_OVER_A_CLAIM = "a live claim is taken over"
DONE_WITHOUT_CLAIM = "DONE is written though the claim is lost"
NO_RELEASE = "the claim is kept when a machine takes over"
START_BEFORE_RELEASE = "the machine is started before the claim is released"
NO_LOOK_BEHIND = "a record that comes again looks for parked successors only"
CLAIMED_ONLY = "a record that comes again doesn't look for what was released and not started"
ONE_STEP_BEHIND = "a record that comes again looks at the next version only"
BROKEN = (
    NO_SECOND_LOOK,
    LOOK_BEFORE_DONE,
    NO_LOOK,
    CLAIM_OVER_A_CLAIM,
    DONE_WITHOUT_CLAIM,
    NO_RELEASE,
    START_BEFORE_RELEASE,
    NO_LOOK_BEHIND,
    CLAIMED_ONLY,
    ONE_STEP_BEHIND,
)


class Row(NamedTuple):
    """A command. ``live``: the lease of its claim has not ended."""

    done: bool = False
    claim: str = ""
    live: bool = True
    parked: bool = False

    def is_free_for(self, run: str) -> bool:
        """Open, and no other run holds a live claim."""
        return not self.done and (self.claim in ("", run) or not self.live)


#: No row, in a way that asks for nothing.
NOBODY = Row(done=True)


class Process(NamedTuple):
    """A consumer (``run`` is ``CONSUMER``) or an execution. ``at``: its next step. ``again``: its record was found
    DONE. ``saw``: what it read before.
    """

    run: str
    record: int
    version: int
    at: str = "read"
    again: bool = False
    saw: Row = NOBODY


class World(NamedTuple):
    """All rows, the version of the data row, and who is at work. ``starts``: executions so far. ``deaths``: of
    consumers, whose records come again. ``leases``: those that may still end while their run goes on.
    """

    rows: tuple[Row, ...]
    processes: tuple[Process, ...]
    data: int = 0
    starts: int = 0
    deaths: int = 0
    leases: int = 0
    wrong: str = ""

    def row(self, version: int) -> Row:
        """The row of a version, 1 for the first."""
        return self.rows[version - 1]

    def done(self, version: int) -> bool:
        """Applied; there is nothing before the first."""
        return version == 0 or self.row(version).done

    def with_row(self, version: int, row: Row) -> World:
        """Another row in its place."""
        return self._replace(rows=(*self.rows[: version - 1], row, *self.rows[version:]))


class Found(NamedTuple):
    """Worlds that were reached, and what was wrong in some of them."""

    worlds: int
    wrong: frozenset[str]


def search(start: World, broken: str = "") -> Found:
    """Everything that can come of ``start``."""
    known, left, wrong = {start}, [start], set[str]()
    while left:
        world = left.pop()
        if world.wrong:
            wrong.add(world.wrong)
            continue
        if not world.processes and not all(row.done for row in world.rows):
            wrong.add("lost")
        for after in _next(world, broken):
            if after not in known:
                known.add(after)
                left.append(after)
    return Found(len(known), frozenset(wrong))


def _next(world: World, broken: str) -> Iterator[World]:
    for index, process in enumerate(world.processes):
        others = (*world.processes[:index], *world.processes[index + 1 :])
        alone = world._replace(processes=others)
        for after, moved in _STEPS[process.at](_Step(alone, process, broken)):
            yield after if moved is None else _with(after, moved)
        if world.deaths and process.run == CONSUMER:
            again = Process(CONSUMER, process.record, process.record)
            yield _with(alone._replace(deaths=world.deaths - 1), again)
    if world.leases:
        for version, row in enumerate(world.rows, 1):
            if row.claim and row.live and not row.done:
                yield world.with_row(version, row._replace(live=False))._replace(leases=world.leases - 1)


def _with(world: World, process: Process) -> World:
    # Sorted: which of two equal processes is which makes no difference.
    return world._replace(processes=tuple(sorted((*world.processes, process))))


#: The world after a step, and what the process does next; None: it has ended.
After = Iterator[tuple[World, Process | None]]


class _Step(NamedTuple):
    """One step of ``me``; ``world`` is the rest."""

    world: World
    me: Process
    broken: str

    @property
    def row(self) -> Row:
        return self.world.row(self.me.version)

    def to(self, at: str, world: World | None = None, **changes: object) -> tuple[World, Process | None]:
        return world or self.world, self.me._replace(at=at, **changes)  # type: ignore[arg-type]

    def end(self, world: World | None = None) -> tuple[World, Process | None]:
        return world or self.world, None

    def write(self, **changes: object) -> World:
        return self.world.with_row(self.me.version, self.row._replace(**changes))  # type: ignore[arg-type]

    def started(self, version: int) -> World:
        """With an execution."""
        number = self.world.starts + 1
        return _with(self.world._replace(starts=number), Process(f"execution {number}", version, version))

    # -- the steps ----------------------------------------------------------------------------------

    def read(self) -> After:
        """Own, predecessor and data rows as of one moment, and what the rules say."""
        if self.row.done:
            if self.me.run == CONSUMER:
                yield self.to("look_behind", again=True)
            else:
                yield self.end()
        elif not self.world.done(self.me.version - 1):
            yield self.to("park")
        elif self.row.claim == self.me.run == CONSUMER and self.row.live:
            yield self.to("hand_over")
        else:
            yield self.to("claim")

    def park(self) -> After:
        """The mark, unless a run holds the command."""
        if not self.row.done and (not self.row.claim or not self.row.live):
            yield self.to("look_again", self.write(parked=True))
        else:
            yield self.end()

    def look_again(self) -> After:
        """The predecessor, after the mark."""
        if self.broken != NO_SECOND_LOOK and self.world.done(self.me.version - 1):
            yield self.to("read")
        else:
            yield self.end()

    def claim(self) -> After:
        """On condition that no other run holds it."""
        free = self.row.is_free_for(self.me.run)
        if free or (self.broken == CLAIM_OVER_A_CLAIM and not self.row.done):
            after = self.write(claim=self.me.run, live=True, parked=False)
            if not free:
                after = after._replace(wrong="claim taken over")
            yield self.to("look_early" if self.broken == LOOK_BEFORE_DONE else "call", after)
        else:
            yield from self._lost()

    def look_early(self) -> After:
        """Wrongly: the successor before DONE."""
        yield self.to("call", saw=self._behind(self.me.version))

    def call(self) -> After:
        """The target. A consumer may have to hand over instead: slow, throttled, out of time."""
        in_order = self.world.done(self.me.version - 1)
        yield self.to("write_data", self.world if in_order else self.world._replace(wrong="out of order"))
        if self.me.run == CONSUMER:
            yield self.to("hand_over")

    def write_data(self) -> After:
        """Fenced by the version."""
        yield self.to("finish", self.world._replace(data=max(self.world.data, self.me.version)))

    def finish(self) -> After:
        """DONE, on condition of the claim."""
        mine = not self.row.done and self.row.claim == self.me.run
        if mine or (self.broken == DONE_WITHOUT_CLAIM and not self.row.done):
            after = self.write(done=True, parked=False)
            yield self.to("look", after if mine else after._replace(wrong="DONE of another run's"))
        else:
            yield from self._lost()

    def look(self) -> After:
        """Who waits behind: a consumer goes on with it, a machine starts it."""
        if self.broken == NO_LOOK:
            yield self.end()
            return
        behind = self.me.saw if self.broken == LOOK_BEFORE_DONE else self._behind(self.me.version)
        yield self._go_on(behind, self.me.version + 1)

    def look_behind(self) -> After:
        """A record that comes again: how far did its earlier delivery come?"""
        reached = self.world.data
        if reached > self.me.version and self.broken != ONE_STEP_BEHIND:
            yield self.to("look_at_reached", version=reached)
        else:
            yield self.to("look")

    def look_at_reached(self) -> After:
        """The command that the data row has: perhaps its DONE is missing."""
        if self.row.done:
            yield self.to("look")
        else:
            yield self._go_on(self.row, self.me.version)

    def hand_over(self) -> After:
        """Release the claim."""
        if self.broken == START_BEFORE_RELEASE:
            yield self.to("release_late", self.started(self.me.version))
        elif self.broken == NO_RELEASE or self.row.done or self.row.claim != self.me.run:
            yield self.to("start", saw=self.row)
        else:
            after = self.write(claim="")
            yield self.to("start", after, saw=after.row(self.me.version))

    def release_late(self) -> After:
        """Wrongly: after the start."""
        mine = not self.row.done and self.row.claim == self.me.run
        yield self.end(self.write(claim="") if mine else None)

    def start(self) -> After:
        """An execution, unless the row as it was says that the command has ended, or is another run's."""
        if self.me.saw.done:
            yield self.to("look")
        elif self.me.saw.is_free_for(self.me.run):
            yield self.end(self.started(self.me.version))
        else:
            yield self.end()

    # -- inside -------------------------------------------------------------------------------------

    def _lost(self) -> After:
        """The command is another run's. What is DONE may be by an earlier try of the same call."""
        yield self.to("look") if self.row.done else self.end()

    def _behind(self, version: int) -> Row:
        return self.world.row(version + 1) if version < len(self.world.rows) else NOBODY

    def _is_left(self, row: Row) -> bool:
        if self.broken == NO_LOOK_BEHIND:
            return False
        return row.is_free_for(CONSUMER) and (self.broken != CLAIMED_ONLY or row.claim == CONSUMER)

    def _go_on(self, row: Row, version: int) -> tuple[World, Process | None]:
        if self.me.run != CONSUMER:
            return self.end(self.started(version) if row.parked else None)
        if row.parked or (self.me.again and self._is_left(row)):
            return self.to("read", version=version, again=False, saw=NOBODY)
        return self.end()


_STEPS: dict[str, Callable[[_Step], After]] = {
    step.__name__: step
    for step in (
        _Step.read,
        _Step.park,
        _Step.look_again,
        _Step.claim,
        _Step.look_early,
        _Step.call,
        _Step.write_data,
        _Step.finish,
        _Step.look,
        _Step.look_behind,
        _Step.look_at_reached,
        _Step.hand_over,
        _Step.release_late,
        _Step.start,
    )
}
