"""What of the scheduler isn't seen through the parts that run on it."""

from __future__ import annotations

import weakref

from local.scheduler import Scheduler


class Held:
    def call(self) -> None:
        raise AssertionError("a cancelled timer called")


def test_a_cancelled_timer_holds_nothing() -> None:
    """Executions have a timer each; many end long before it is due."""
    scheduler = Scheduler.virtual()
    held = Held()
    seen = weakref.ref(held)
    timer = scheduler.call_later(300, held.call)
    timer.cancel()
    del held
    assert seen() is None
    scheduler.run_for(400)
