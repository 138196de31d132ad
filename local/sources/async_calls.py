"""Asynchronous calls of functions, with Lambda's retries.

Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": two more tries
after a function error, one minute after the first and two minutes after the second; a throttled call is repeated
with a growing wait (1 second to 5 minutes) for up to 6 hours. An event that fails for good is dropped unless the
function has a dead-letter queue or an on-failure destination.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.functions.model import FunctionError, FunctionInvoker, LambdaServiceError
from local.scheduler import Scheduler

log = logging.getLogger("cqrs.local.sources")

RETRY_WAITS_S = (60.0, 120.0)
MAXIMUM_AGE_S = 6 * 3600.0
MAX_THROTTLE_WAIT_S = 300.0


@dataclass(frozen=True)
class DeadLetter:
    """An event that a function never processed."""

    function: str
    event: Any
    error: FunctionError | None
    attempts: int


class AsyncCaller:
    """Starts calls and sees them through in tasks of their own.

    Args:
        scheduler: clock and tasks.
        invoker: runs the function.
        on_dead_letter: gets what failed for good, after it was logged.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        invoker: FunctionInvoker,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._invoker = invoker
        self._on_dead_letter = on_dead_letter
        #: calls that were accepted and have not ended
        self.pending = 0

    def call(self, function: str, event: Mapping[str, Any]) -> None:
        """Deliver ``event`` at least once. Safe from any thread."""
        self._scheduler.post(lambda: self._spawn(function, event))

    def _spawn(self, function: str, event: Mapping[str, Any]) -> None:
        self.pending += 1
        self._scheduler.spawn(self._run, function, event, name=f"async:{function}")

    def _run(self, function: str, event: Mapping[str, Any]) -> None:
        try:
            self._deliver(function, event)
        finally:
            self.pending -= 1

    def _deliver(self, function: str, event: Mapping[str, Any]) -> None:
        deadline = self._scheduler.now() + MAXIMUM_AGE_S
        attempts, throttle_wait = 0, 1.0
        error: FunctionError | None = None
        while self._scheduler.now() < deadline:
            try:
                result = self._invoker.invoke(function, dict(event))
            except LambdaServiceError as refused:
                log.info("asynchronous call of %s refused: %s", function, refused)
                self._scheduler.sleep(throttle_wait)
                throttle_wait = min(throttle_wait * 2, MAX_THROTTLE_WAIT_S)
                continue
            attempts += 1
            error = result.error
            if error is None:
                return
            if attempts > len(RETRY_WAITS_S):
                break
            self._scheduler.sleep(RETRY_WAITS_S[attempts - 1])
        log.error("event for %s dropped after %d attempts: %s", function, attempts, error)
        if self._on_dead_letter is not None:
            self._on_dead_letter(DeadLetter(function, event, error, attempts))
