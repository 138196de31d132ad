"""The gate that every call to AWS goes through: other tasks may run first, and the fault plan has its say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from handlers.core.errors import TransientConflict, TransientError, TransientThrottle
from local.functions.model import SimulatedCrash
from local.scheduler import Scheduler
from tests.simulation.plan import FaultPlan
from tests.simulation.sites import (
    ABORT,
    ANSWER_LOST,
    CONFLICT,
    CRASH,
    CRASH_AFTER,
    HANG_SECONDS,
    LOST,
    PERMANENT,
    SDK_RETRY,
    THROTTLE,
    WORDS,
    Visit,
    current_visit,
)
from tests.simulation.story import Story

R = TypeVar("R")

#: Calls that may be made while no time passes. More means that some go round in a circle.
MOST_AT_ONCE = 30_000


class Refused(Exception):
    """What a sync handler raises when it fails for good."""


class PlanGate:
    """See the module's text. ``plan`` may be replaced.

    ``abort`` ends an execution from outside, by its ARN; ``going_round`` is told of a visit
    that is one of too many at the same moment.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        plan: FaultPlan,
        story: Story,
        abort: Callable[[str], None],
        going_round: Callable[[Visit], None],
    ) -> None:
        self._scheduler = scheduler
        self._going_round = going_round
        self._since = (0.0, 0)
        self.plan = plan
        self._story = story
        self._abort = abort
        self.crossings = 0

    def cross(self, category: str, what: str, action: Callable[[], R], *, visit: Visit | None = None) -> R:
        """Make one call. ``visit`` if the site isn't the running code's own."""
        running = current_visit.get()
        visit = visit or running
        visit.calls += 1
        self.crossings += 1
        site = visit.site()
        self._scheduler.checkpoint(site)
        now = self._scheduler.now()
        if now != self._since[0]:
            self._since = (now, self.crossings)
        elif self.crossings - self._since[1] > MOST_AT_ONCE:
            self._going_round(visit)
        kind = self.plan.at(site, category, now)
        if kind is None:
            return action()
        self._story.note(f"{WORDS[kind].format(what=what)} [{site}]", visit=visit)
        if kind == CRASH:
            raise SimulatedCrash(site)
        if kind == THROTTLE:
            raise TransientThrottle(site, refused=True)
        if kind == CONFLICT:
            raise TransientConflict(site)
        if kind == PERMANENT:
            raise Refused(site)
        if kind == LOST:
            return True  # type: ignore[return-value]  # a resume's answer
        if kind in HANG_SECONDS:
            self._scheduler.sleep(HANG_SECONDS[kind])
            return action()
        if kind == ABORT:
            if running.execution is not None:
                self._abort(running.execution)
            return action()
        action()
        if kind == CRASH_AFTER:
            raise SimulatedCrash(site)
        if kind == ANSWER_LOST:
            raise TransientError(site)
        assert kind == SDK_RETRY
        return action()
