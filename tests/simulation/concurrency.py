"""What the ``apply`` function does side by side, as tasks whose calls have sites of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from local.functions.concurrency import Tasks, Work
from local.scheduler import Scheduler
from tests.simulation.sites import Visit, current_visit

APPLY = "apply"


class WatchedTasks(Tasks):
    """Each entity of a batch is a visit of ``apply``, each of its targets one of ``apply(<target>)``."""

    def __init__(self, scheduler: Scheduler, visit: Callable[[str, int, str], Visit]) -> None:
        super().__init__(scheduler)
        self._visit = visit

    def run_all(self, works: Sequence[Work], at_once: int) -> None:
        """See Concurrency."""
        super().run_all([(name, self._of(work, name.rpartition("#")[2], APPLY)) for name, work in works], at_once)

    def run_within(self, works: Sequence[Work], seconds: float) -> list[bool]:
        """See Concurrency."""
        entity = current_visit.get().entity
        return super().run_within([(name, self._of(work, entity, f"{APPLY}({name})")) for name, work in works], seconds)

    def _of(self, work: Callable[[], None], entity: str, state: str) -> Callable[[], None]:
        def run() -> None:
            current_visit.set(self._visit(entity, 0, state))
            work()

        return run
