"""Applies one version in one pass: decide, call its targets, write. Rules, steps and conditions are the same as in the
state machine.

With terminal statuses there are separate writes in this order: history, if a data row is replaced; the data row,
fenced by its version; DONE. Only a command with custom targets is claimed first. Each write is conditional and
repeatable, so after a crash between any two the next run continues (decision record 0260).
"""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from contract.targets import BUILT_IN
from handlers.commands import status
from handlers.commands.attributes import POINTER
from handlers.commands.failure import Failure
from handlers.commands.inline.progress import MOST_OUTCOMES
from handlers.commands.pipeline.check_version import NOTHING_TO_DO, WAIT, Refusal, decide
from handlers.commands.pipeline.failing_part import naming_state
from handlers.commands.pipeline.park import PARKED
from handlers.commands.pipeline.run import LostRun

if TYPE_CHECKING:
    from handlers.commands.inline.progress import InlineProgress
    from handlers.commands.inline.targets import TargetCalls
    from handlers.commands.pipeline.run import Run
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.commands.repository import Neighbourhood
    from handlers.core.clock import Clock
    from handlers.store.conditions import Path
    from handlers.store.port import Item


#: Commands with larger attributes are left to a state machine, whose states read them one at a time. Here each target
#: of each entity reads its own copy, at most ten times ten at once, and JSON takes about ten times its size in memory.
MOST_ATTRIBUTE_BYTES = 262_144


class Turn(StrEnum):
    """How processing of one version ended; the values are for the log."""

    #: DONE; only the successor remains to be woken.
    DONE = "done"
    #: DONE before this delivery of the record; an earlier delivery may have crashed while applying a successor.
    DONE_BEFORE = "done before"
    #: Like DONE, but the tail has to be closed once the successor was checked.
    TAIL_OPEN = "done, tail open"
    #: Waits for a predecessor that isn't DONE.
    PARKED = "parked"
    #: Refused by the rules; the failure is recorded.
    FAILED = "failed"
    #: The row is gone, or belongs to another attempt or run.
    NOTHING = "nothing to do"
    #: A state machine has to finish it. The claim may still be held.
    UNFINISHED = "unfinished"
    #: A state machine was started for it.
    HANDED_OVER = "handed over"


DONE_TURNS = frozenset({Turn.DONE, Turn.DONE_BEFORE, Turn.TAIL_OPEN})


class InlineVersion:
    """See the module's docstring."""

    def __init__(
        self,
        pipeline: Pipeline,
        progress: InlineProgress,
        calls: TargetCalls,
        clock: Clock,
        *,
        wait_limit_hours: int,
    ) -> None:
        self._pipeline = pipeline
        self._progress = progress
        self._calls = calls
        self._clock = clock
        self._wait_limit_seconds = wait_limit_hours * 3600

    def claims(self, type_: str) -> bool:
        """Whether commands of a type are claimed."""
        return self._pipeline.progress.shows_every_state or bool(self._targets(type_))

    def __call__(self, run: Run, rows: Neighbourhood | None, until: float) -> Turn:
        """Process a version. ``rows``: if already read; decisions based on them stay valid. No target is called after
        ``until``. Raises LostRun, and the errors that the state machine's Retry and Catch would handle.
        """
        self._pipeline.progress.note_check(run)
        while True:
            rows = rows or self._pipeline.repository.neighbourhood(run.key)
            decision = decide(run, rows, self._clock.now(), self._wait_limit_seconds)
            if isinstance(decision, Refusal):
                failure = Failure(decision.error, decision.cause, decision.blocked_by, alarm=decision.alarm)
                self._pipeline.record_failure(run, failure)
                return Turn.FAILED
            own = rows.own
            if decision == NOTHING_TO_DO or own is None:
                turn = done_or_nothing(run, own)
                return Turn.DONE_BEFORE if turn is Turn.DONE else turn
            if decision == WAIT:
                if self._pipeline.park(run)["result"] == PARKED:
                    return Turn.PARKED
                rows = None
                continue
            if own.get("runId") == run.run_id and own["leaseUntil"] > self._clock.now():
                # An earlier delivery crashed, perhaps because of this command: a state machine isolates it.
                return Turn.UNFINISHED
            if self._is_too_large(own):
                return Turn.UNFINISHED
            if self._pipeline.progress.shows_every_state:
                return self._state_by_state(run, own, until)
            return self._in_one_go(run, own, rows, until)

    def _state_by_state(self, run: Run, own: Item, until: float) -> Turn:
        """Write STARTED and FINISHED of each state: the same steps as the state machine."""
        pipeline = self._pipeline
        pipeline.claim(run, own)
        for step in pipeline.before_targets.values():
            step(run)
        targets = [entry["target"] for entry in pipeline.transform_data(run)]
        called = self._calls(lambda target: pipeline.sync_data(run, target), targets, until)
        if called.error is not None:
            raise called.error
        if called.unfinished:
            return Turn.UNFINISHED
        with naming_state(status.FINISH):
            outputs = list(called.answers.values())
            pipeline.progress.done(run, pipeline.synchroniser.built_in_outcome(run, outputs))
        return Turn.TAIL_OPEN

    def _in_one_go(self, run: Run, own: Item, rows: Neighbourhood, until: float) -> Turn:
        targets = self._targets(run.key.entity.type)
        if targets:
            own = self._progress.claim(run, own)
        with naming_state(status.SET_TTL_COMMAND):
            self._pipeline.applier.expire(rows.prev)
        with naming_state(status.HISTORY_COPY):  # before the targets, which may read the previous state
            self._pipeline.applier.keep(run.key, rows.data)
        deliver = self._pipeline.synchroniser.deliver
        outcomes: dict[Path, object] = {}
        with naming_state(status.SYNC_DATA):
            called = self._calls(lambda target: deliver(own, target), _not_yet(own, targets), until)
            for target, outcome in called.answers.items():
                outcomes["targets", target] = self._pipeline.synchroniser.entry(run, outcome)
            if called.error is not None:
                self._keep_what_others_have(run, own, outcomes, called.error)
                raise called.error
            if called.unfinished:
                self._note(run, outcomes, most_left=0)
                return Turn.UNFINISHED
            outcomes["targets", BUILT_IN] = self._pipeline.synchroniser.entry(run, deliver(own, BUILT_IN))
        with naming_state(status.FINISH):
            self._note(run, outcomes, most_left=MOST_OUTCOMES)
            self._progress.finished(run, outcomes, claimed=bool(targets))
        return Turn.DONE

    def _keep_what_others_have(self, run: Run, own: Item, outcomes: dict[Path, object], error: Exception) -> None:
        """After a target failed permanently: the read model and the other targets keep the version, as with the Map."""
        try:
            outcomes["targets", BUILT_IN] = self._pipeline.synchroniser.entry(
                run, self._pipeline.synchroniser.deliver(own, BUILT_IN)
            )
            self._note(run, outcomes, most_left=0)
        except LostRun:
            raise
        except Exception as second:  # noqa: BLE001 - error path: the original error is the one reported
            error.add_note(f"the outcomes of other targets could not be stored: {type(second).__name__}: {second}")

    def _is_too_large(self, own: Item) -> bool:
        return POINTER in own and own[POINTER]["size"] > MOST_ATTRIBUTE_BYTES and bool(self._targets(own["type"]))

    def _note(self, run: Run, outcomes: dict[Path, object], *, most_left: int) -> None:
        """Store outcomes in batches until at most ``most_left`` remain for the next write."""
        while len(outcomes) > most_left:
            some = list(islice(outcomes, MOST_OUTCOMES))
            self._progress.note(run, {path: outcomes.pop(path) for path in some})

    def _targets(self, type_: str) -> list[str]:
        entries = self._pipeline.synchroniser.targets(type_)
        return [entry["target"] for entry in entries if entry["target"] != BUILT_IN]


def done_or_nothing(run: Run, row: Item | None) -> Turn:
    """The outcome for a row that this run doesn't have to process any further."""
    if row is None or row["id"] != run.id or not status.is_done(row):
        return Turn.NOTHING
    return Turn.TAIL_OPEN if status.tail_is_missing(row) else Turn.DONE


def lost(run: Run, error: LostRun) -> Turn:
    """The outcome after a lost claim: another run was faster, or an earlier try of the same call had taken effect."""
    return done_or_nothing(run, error.row)


def _not_yet(own: Item, targets: list[str]) -> list[str]:
    return [target for target in targets if target not in own["targets"]]
