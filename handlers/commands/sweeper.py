"""The sweeper: finds commands that a crash, a lost message or a lost start left in the ``open`` index, and heals them.

It decides on consistent reads and acts only through the same conditional writes as all other code, so it may run at
any time, twice, or concurrently with a run that it takes for dead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.rows import RESTART
from handlers.commands import status
from handlers.commands.failure import Failure
from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.check_version import WAIT, Refusal, decide
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.park import CHECK_AGAIN, Park
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.commands.repository import CommandRepository, Neighbourhood
from handlers.commands.starter import START_GRACE_SECONDS
from handlers.core.clock import Clock, seconds_of
from handlers.core.errors import NotRunning, TransientThrottle, WaitExpired
from handlers.store.open_rows import Sweep, SweepReport
from handlers.store.port import COMMANDS, Item, TableStore

if TYPE_CHECKING:
    from handlers.commands.pipeline.failure import FailureRecorder
    from handlers.commands.pipeline.successor import Waker
    from handlers.commands.starter import CommandStarter

SWEEPER_RUN = "sweeper"
#: Executions that may die before the command fails as NotRunning.
MAX_RESTARTS = 5
#: A checked row becomes due again after this many seconds at the earliest, after rows that weren't checked yet.
RESCHEDULE_SECONDS = 60


class Sweeper:
    """Checks every command that is due."""

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        progress: Progress,
        recorder: FailureRecorder,
        waker: Waker,
        starter: CommandStarter,
        *,
        wait_limit_hours: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._progress = progress
        self._recorder = recorder
        self._waker = waker
        self._starter = starter
        self._repository = CommandRepository(store, clock.now)
        self._finisher = Finisher(self._repository, progress, waker)
        self._park = Park(self._repository, progress)
        self._wait_limit_seconds = wait_limit_hours * 3600
        self.sweep = Sweep(store, COMMANDS, clock, self._heal_row, ordinary=("waiting", "running"))

    def _heal_row(self, found: Item, report: SweepReport) -> str:
        try:
            return self._heal(VersionKey.parse(found["pk"], found["sk"]), report)
        except LostRun:
            return "moved on"

    def _heal(self, key: VersionKey, report: SweepReport) -> str:
        """Heal one row and return what was done. Raises LostRun: another run was faster."""
        rows, now = self._repository.neighbourhood(key), self._clock.now()
        own = rows.own
        if own is None:
            return "gone"
        run = Run(key, own["id"], own["attempt"], SWEEPER_RUN)
        if status.is_done(own):
            self._finisher.complete_tail(key, own)
            return "tail completed"
        if status.is_failed(own):
            return self._announce(run, own, rows.prev)
        report.oldest_seconds = max(report.oldest_seconds, now - seconds_of(own["updatedAt"]))
        if own.get("leaseUntil", 0) > now and "runId" in own:
            self._progress.reschedule(run, own, max(own["leaseUntil"], int(now) + RESCHEDULE_SECONDS))
            return "running"
        return self._heal_idle(run, own, rows)

    def _announce(self, run: Run, own: Item, prev: Item | None) -> str:
        """Send a missing alarm. An expired wait behind a failed command needs none (decision record 0071)."""
        if own["error"]["type"] == WaitExpired.__name__ and prev is not None:
            if status.is_failed(prev):
                self._progress.alarmed(run)
                return "expired behind a failed one"
            if status.is_waiting(prev):
                self._progress.reschedule(run, own, int(self._clock.now()) + RESCHEDULE_SECONDS)
                return "waiting"
        self._recorder(run, Failure.from_row(own))
        return "alarm repeated"

    def _heal_idle(self, run: Run, own: Item, rows: Neighbourhood) -> str:
        """Heal an unclaimed command: it is waiting, was never started, or its run died."""
        now = self._clock.now()
        again = int(now) + RESCHEDULE_SECONDS
        decision = decide(run, rows, now, self._wait_limit_seconds)
        if isinstance(decision, Refusal):
            failure = Failure(decision.error, decision.cause, decision.blocked_by, alarm=decision.alarm)
            self._recorder(run, failure)
            return "failed"
        if decision == WAIT and (status.is_waiting(own) or self._park(run)["result"] != CHECK_AGAIN):
            self._progress.reschedule(run, own, again)
            return "waiting"
        if self._waker.resume(own, run.key.version - 1):
            self._progress.reschedule(run, own, again)
            return "woken"
        return self._restart(run, own)

    def _restart(self, run: Run, own: Item) -> str:
        known = own.get(RESTART, 0)
        if known >= MAX_RESTARTS:
            message = f"no execution finished the command after {known} restarts"
            self._recorder(run, Failure(NotRunning.__name__, message))
            return "failed"
        now = int(self._clock.now())
        restart = self._progress.restart(run, known, now + START_GRACE_SECONDS)
        try:
            self._starter.start(own, restart=restart)
        except TransientThrottle as error:
            # The start was refused, which isn't the command's fault, so it doesn't count. After any other error the
            # execution may be running under this name, so the count stays (decision record 0170).
            if error.refused:
                self._progress.take_back_restart(run, restart, now + RESCHEDULE_SECONDS)
            raise
        return "restarted"
