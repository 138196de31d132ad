"""The sweeper: finds what a crash, a lost message or a lost start left in the ``open`` index, and heals it.

It decides on consistent reads and acts only through the same conditional writes as everybody else, so it
may run at any moment, twice, or beside the run that it takes for dead.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field

from handlers.clock import Clock, seconds_of
from handlers.commands import status
from handlers.commands.pipeline.check_version import WAIT, Refusal, decide
from handlers.commands.pipeline.failure import Failure, FailureRecorder
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.park import CHECK_AGAIN, Park
from handlers.commands.pipeline.run import LostRun, Progress, Run
from handlers.commands.pipeline.waking import Waker
from handlers.commands.publish import START_GRACE_SECONDS
from handlers.commands.repository import CommandRepository, Neighbourhood
from handlers.commands.starter import CommandStarter
from handlers.errors import NotRunning
from handlers.keys import OPEN_SHARDS, VersionKey
from handlers.log import log_step
from handlers.store.port import COMMANDS, Item, TableStore

SWEEPER_RUN = "sweeper"
#: Executions that may die before the command fails as NotRunning.
MAX_RESTARTS = 5
#: A row that was looked at comes again after this time at the earliest: behind those not looked at yet.
LOOK_AGAIN_SECONDS = 60
PAGE = 100


@dataclass
class SweepReport:
    """What one sweep saw: outcomes by name, the age in seconds of the oldest open command, rows that raised."""

    outcomes: Counter[str] = field(default_factory=Counter)
    oldest_seconds: float = 0.0
    errors: int = 0
    complete: bool = True


class Sweeper:
    """Looks at every command that is due."""

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

    def sweep(self, deadline: float) -> SweepReport:
        """One pass over all shards; stops at ``deadline`` (epoch seconds) and says so in ``complete``.

        A row that raises does not keep back the others: it is logged and counted in ``errors``.
        """
        report, now = SweepReport(), self._clock.now()
        first = int(now // 60) % OPEN_SHARDS  # another one each time, so that a short deadline starves none
        for number in range(OPEN_SHARDS):
            self._sweep_shard((first + number) % OPEN_SHARDS, int(now), deadline, report)
        return report

    def _sweep_shard(self, shard: int, until: int, deadline: float, report: SweepReport) -> None:
        start: Item | None = None
        while True:
            if self._clock.now() >= deadline:
                report.complete = False
                return
            page = self._store.due(COMMANDS, shard, until, limit=PAGE, start=start)
            for found in page.items:
                if self._clock.now() >= deadline:
                    report.complete = False
                    return
                self._sweep_row(found, report)
            if page.next_key is None:
                return
            start = page.next_key

    def _sweep_row(self, found: Item, report: SweepReport) -> None:
        try:
            outcome = self._heal(VersionKey.parse(found["pk"], found["sk"]), report)
        except LostRun:
            outcome = "moved on"
        except Exception as error:  # noqa: BLE001 - boundary: one row; it is logged, counted and swept again
            log_step("sweep failed", level=logging.ERROR, error=error, pk=found["pk"], sk=found["sk"])
            report.errors += 1
            return
        report.outcomes[outcome] += 1
        if outcome not in ("waiting", "running"):
            log_step("swept", pk=found["pk"], sk=found["sk"], outcome=outcome)

    def _heal(self, key: VersionKey, report: SweepReport) -> str:
        """Do what one row needs; answers what that was. Raises LostRun when somebody else was faster."""
        rows, now = self._repository.neighbourhood(key), self._clock.now()
        own = rows.own
        if own is None:
            return "gone"
        run = Run(key, own["id"], own["attempt"], SWEEPER_RUN)
        if status.is_done(own):
            self._finisher.complete_tail(key, own)
            return "tail completed"
        if status.is_failed(own):
            error = own["error"]
            self._recorder(run, Failure(error["type"], error["message"], error.get("blockedBy")))
            return "alarm repeated"
        report.oldest_seconds = max(report.oldest_seconds, now - seconds_of(own["updatedAt"]))
        if own.get("leaseUntil", 0) > now and "runId" in own:
            self._progress.look_again(run, own, max(own["leaseUntil"], int(now) + LOOK_AGAIN_SECONDS))
            return "running"
        return self._heal_idle(run, own, rows)

    def _heal_idle(self, run: Run, own: Item, rows: Neighbourhood) -> str:
        """Nobody holds a claim: the command waits, was never started, or its run died."""
        now = self._clock.now()
        again = int(now) + LOOK_AGAIN_SECONDS
        decision = decide(run, rows, now, self._wait_limit_seconds)
        if isinstance(decision, Refusal):
            failure = Failure(decision.error, decision.cause, decision.blocked_by, alarm=decision.alarm)
            self._recorder(run, failure)
            return "failed"
        if decision == WAIT and (status.is_waiting(own) or self._park(run)["result"] != CHECK_AGAIN):
            self._progress.look_again(run, own, again)
            return "waiting"
        if self._waker.resume(own, run.key.version - 1):
            self._progress.look_again(run, own, again)
            return "woken"
        return self._restart(run, own)

    def _restart(self, run: Run, own: Item) -> str:
        known = own.get("restart", 0)
        if known >= MAX_RESTARTS:
            message = f"no execution finished the command after {known} restarts"
            self._recorder(run, Failure(NotRunning.__name__, message))
            return "failed"
        restart = self._progress.restart(run, known, int(self._clock.now()) + START_GRACE_SECONDS)
        self._starter.start(own, restart=restart)
        return "restarted"
