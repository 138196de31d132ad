"""Applies versions of one entity in order: those of a batch, and the successors that wait for them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from contract.rows import RESTART
from handlers.commands import status
from handlers.commands.failure import Failure
from handlers.commands.inline.progress import InlineProgress, inline_run
from handlers.commands.inline.version import DONE_TURNS, InlineVersion, Turn, done_or_nothing, lost
from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.failing_part import naming_state
from handlers.commands.pipeline.run import LostRun, Run
from handlers.consumers.failure_policy import named_for_retry
from handlers.core.errors import TransientError
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step

if TYPE_CHECKING:
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.commands.repository import Neighbourhood
    from handlers.core.clock import Clock
    from handlers.store.port import Item


@dataclass(frozen=True)
class Accepted:
    """A new command in a batch. ``row``: the fields that a start needs."""

    index: int
    key: VersionKey
    row: Item


class EntityVersions:
    """Applies versions that can be applied now, and hands the others over to a state machine."""

    def __init__(self, pipeline: Pipeline, progress: InlineProgress, version: InlineVersion, clock: Clock) -> None:
        self._pipeline = pipeline
        self._progress = progress
        self._version = version
        self._clock = clock

    def __call__(self, versions: Sequence[Accepted], rows: Neighbourhood | None, until: float) -> dict[int, Exception]:
        """Work on versions of one entity. ``rows``: of the first one, if already read. ``until``: none begins later.

        Returns:
            Index to the error of each record that has to be redelivered because no state machine could be started
            either. This includes all records after such a one.
        """
        waiting = deque(sorted(versions, key=lambda one: one.key.version))
        while waiting:
            first = waiting.popleft()
            following = waiting[0].key.version if waiting else None
            try:
                self._on_from(first, rows, until, following)
            except Exception as error:  # noqa: BLE001 - boundary: one entity; the consumer decides its outcome
                return {one.index: error for one in (first, *waiting)}
            rows = None
        return {}

    def _on_from(self, first: Accepted, rows: Neighbourhood | None, until: float, following: int | None) -> None:
        """Apply one version and its waiting successors. ``following``: a version that is processed anyway."""
        key, row = first.key, first.row
        while True:
            run = inline_run(key, row)
            turn = self._turn(run, rows, until)
            if turn not in DONE_TURNS:
                return
            look, again = key.version + 1 != following, turn is Turn.DONE_BEFORE
            if again and look:
                behind = self._left_behind(run)
            else:
                behind = self._successor(run, tail_open=turn is Turn.TAIL_OPEN, look=look)
            if behind is None:
                return
            key, row, rows = VersionKey(key.entity, behind["version"]), behind, None
            if "parkedAt" not in row and not (again and self._may_be_started(inline_run(key, row), row)):
                return

    def _turn(self, run: Run, rows: Neighbourhood | None, until: float) -> Turn:
        began = self._clock.now()
        try:
            turn = self._tried(run, rows, until) if began < until else self._hand_over(run, "out of time")
        except Exception as error:
            self._log("failed", run, began, error)
            raise
        self._log(turn, run, began)
        return turn

    def _tried(self, run: Run, rows: Neighbourhood | None, until: float) -> Turn:
        try:
            with named_for_retry():
                turn = self._version(run, rows, until)
        except LostRun as error:
            return lost(run, error)
        except TransientError as error:
            return self._hand_over(run, error)
        except Exception as error:  # noqa: BLE001 - boundary: as a state machine's Catch
            return self._record(run, error)
        return self._hand_over(run, "its targets") if turn is Turn.UNFINISHED else turn

    def _record(self, run: Run, error: Exception) -> Turn:
        """Record a permanent failure. If that fails, a state machine meets the same error and records it."""
        try:
            self._pipeline.record_failure(run, Failure.from_exception(error))
        except Exception as second:  # noqa: BLE001 - error path: the original error is the one reported
            error.add_note(f"the failure could not be recorded either: {type(second).__name__}: {second}")
            return self._hand_over(run, error)
        log_step("command failed", level=logging.ERROR, error=error, pk=run.key.pk, sk=run.key.sk)
        return Turn.FAILED

    def _hand_over(self, run: Run, why: Exception | str) -> Turn:
        """Release the claim and start the state machine for this attempt, unless it has ended or another run holds it.

        Raises:
            TransientError: neither is possible now, so the record has to be redelivered.
        """
        try:
            row = self._released(run)
            turn = done_or_nothing(run, row)
            if turn is Turn.NOTHING and row is not None and self._may_be_started(run, row):
                self._pipeline.starter.start(row, restart=row.get(RESTART, 0))
                turn = Turn.HANDED_OVER
        except Exception as error:
            raise TransientError(f"{run.key}: no machine could be started ({type(error).__name__}: {error})") from error
        if turn is Turn.HANDED_OVER:
            cause = {"error": why} if isinstance(why, Exception) else {}
            log_step("handed over", level=logging.WARNING, pk=run.key.pk, sk=run.key.sk, why=str(why), **cause)
        return turn

    def _released(self, run: Run) -> Item | None:
        if not self._version.claims(run.key.entity.type):
            return self._pipeline.repository.command(run.key)
        try:
            return self._progress.release(run)
        except LostRun as error:
            return error.row

    def _may_be_started(self, run: Run, row: Item) -> bool:
        now = self._clock.now()
        return run.own.holds(row) and run.open.holds(row) and run.unclaimed_by_others(now).holds(row)

    def _successor(self, run: Run, *, tail_open: bool, look: bool) -> Item | None:
        """The successor of a DONE version, resumed if it has a task token.

        DONE is written before the successor is read; a successor reads its predecessor after it is marked as parked.

        Raises:
            TransientError: retry on redelivery of the record.
        """
        key = run.key
        try:
            with named_for_retry(), naming_state(status.FINISH):
                successor = self._pipeline.repository.command(key.next()) if look else None
                if successor is not None:
                    self._pipeline.waker.resume(successor, key.version)
                if tail_open:
                    self._progress.tail_finished(run)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001 - boundary: the version stays applied; operators are alerted
            log_step("successor not woken", level=logging.ERROR, error=error, pk=key.pk, sk=key.sk)
            self._pipeline.record_failure(run, Failure.from_exception(error))
            return None
        return successor

    def _left_behind(self, run: Run) -> Item | None:
        """The successor that may be waiting after a redelivered record: the earlier delivery may have continued with
        successors and crashed within one whose own record is already consumed. The read model shows how far it got.

        Raises:
            TransientError: retry on redelivery of the record.
        """
        repository, tail_open = self._pipeline.repository, False
        with named_for_retry():
            data = repository.data(run.key.entity)
            if data is not None and data["version"] > run.key.version:
                key = VersionKey(run.key.entity, data["version"])
                row = repository.command(key)
                if row is None or not status.is_done(row):
                    return row
                run, tail_open = inline_run(key, row), status.tail_is_missing(row)
        return self._successor(run, tail_open=tail_open, look=True)

    def _log(self, outcome: str, run: Run, began: float, error: Exception | None = None) -> None:
        log_step(
            outcome,
            level=logging.INFO if error is None else logging.ERROR,
            error=error,
            requestId=run.id,
            state="apply",
            pk=run.key.pk,
            sk=run.key.sk,
            version=run.key.version,
            tenant=run.key.entity.tenant_code,
            attempt=run.attempt,
            durationMs=round((self._clock.now() - began) * 1000),
        )
