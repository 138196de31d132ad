"""Calls the custom targets of one version concurrently, each with a timeout, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from handlers.commands.pipeline.run import LostRun
from handlers.consumers.failure_policy import named_for_retry
from handlers.core.errors import TransientConflict, TransientError, TransientThrottle

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.core.concurrency import Concurrency

R = TypeVar("R")
#: Errors in the Retry of the state machines, besides those of Lambda itself.
RETRIED = frozenset(error.__name__ for error in (TransientError, TransientThrottle, TransientConflict))


class Called(Generic[R]):
    """Results of the calls. ``answers``: target to result, for calls that succeeded in time."""

    def __init__(self) -> None:
        self.answers: dict[str, R] = {}
        #: The first permanent error.
        self.error: Exception | None = None
        #: Some targets have to be called again elsewhere: they timed out, failed transiently, or weren't called.
        self.unfinished = False


class TargetCalls:
    """Calls targets. A call that times out continues in the background, and its result is ignored."""

    def __init__(self, concurrency: Concurrency, clock: Clock, *, at_once: int, seconds: float) -> None:
        self._concurrency = concurrency
        self._clock = clock
        self._at_once = at_once
        self._seconds = seconds

    def __call__(self, call: Callable[[str], R], targets: Sequence[str], until: float) -> Called[R]:
        """Call each of ``targets``; none begins at ``until`` or later. Raises LostRun."""
        called: Called[R] = Called()
        for first in range(0, len(targets), self._at_once):
            if called.error is not None or called.unfinished or self._clock.now() >= until:
                called.unfinished = True
                break
            self._concurrently(call, targets[first : first + self._at_once], called)
        return called

    def _concurrently(self, call: Callable[[str], R], targets: Sequence[str], called: Called[R]) -> None:
        answers: dict[str, R] = {}
        errors: dict[str, Exception] = {}

        def work(target: str) -> None:
            try:
                with named_for_retry():
                    answers[target] = call(target)
            except Exception as error:  # noqa: BLE001 - boundary: one target; reported below with the others
                errors[target] = error

        in_time = self._concurrency.run_within([(one, _bound(work, one)) for one in targets], self._seconds)
        ended = [target for target, ended in zip(targets, in_time, strict=True) if ended]
        called.answers.update({target: answers[target] for target in ended if target in answers})
        failed = [errors[target] for target in ended if target in errors]
        for error in failed:
            if isinstance(error, LostRun):
                raise error
        called.error = next((error for error in failed if not _may_pass(error)), None)
        called.unfinished = len(ended) < len(targets) or bool(failed)


def _may_pass(error: Exception) -> bool:
    """Matched by name, like a state machine's Retry, so the application can define such errors, too."""
    return isinstance(error, TransientError) or type(error).__name__ in RETRIED


def _bound(work: Callable[[str], None], target: str) -> Callable[[], None]:
    return lambda: work(target)
