"""Retry and Catch: which error matches, the delay, the next state.

Source: Developer Guide, "Handling errors in Step Functions workflows"; Amazon States Language
specification, "Retrying after error" and "Fallback states".
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from local.states.data.paths import Path
from local.states.errors import ALL, DATA_LIMIT_EXCEEDED, HEARTBEAT_TIMEOUT, RUNTIME, TASK_FAILED, TIMEOUT


def matches(names: Sequence[str], error: str, *, of_task: bool) -> bool:
    """Whether an error has one of these names.

    ``States.Runtime`` is never matched: it "isn't retriable and will always cause the execution to fail".
    ``States.ALL`` excludes ``States.DataLimitExceeded``. ``States.TaskFailed`` matches every error of
    a task except ``States.Timeout``. A missed heartbeat is matched by both of its names, because the guide
    describes it under each.
    """
    if error == RUNTIME:
        return False
    for name in names:
        if name == error:
            return True
        if name == ALL and error != DATA_LIMIT_EXCEEDED:
            return True
        if name == TASK_FAILED and of_task and error not in (TIMEOUT, HEARTBEAT_TIMEOUT, DATA_LIMIT_EXCEEDED):
            return True
        if name == TIMEOUT and error == HEARTBEAT_TIMEOUT:
            return True
    return False


@dataclass(frozen=True)
class Retrier:
    """One entry of Retry. Times in seconds."""

    errors: tuple[str, ...]
    interval: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay: int | None = None
    full_jitter: bool = False

    def delay(self, attempt: int, source: random.Random) -> float:
        """Seconds before retry number ``attempt`` (from 1): interval x rate^(attempt-1), capped.

        With full jitter a random number between 0 and that.
        """
        # a float power overflows long before MaxAttempts' limit; the cap (or a year) is reached anyway
        ceiling = float(self.max_delay) if self.max_delay is not None else 31_622_400.0
        try:
            delay = min(self.interval * self.backoff_rate ** (attempt - 1), ceiling)
        except OverflowError:
            delay = ceiling
        return source.uniform(0.0, delay) if self.full_jitter else delay


@dataclass(frozen=True)
class Catcher:
    """One entry of Catch. ``result_path`` None: the error output is discarded."""

    errors: tuple[str, ...]
    next: str
    result_path: Path | None


class Retries:
    """Counts the uses of each retrier during one visit of a state. The next visit starts at 0."""

    def __init__(self, retriers: Sequence[Retrier], *, of_task: bool) -> None:
        self._retriers = retriers
        self._used = [0] * len(retriers)
        self._of_task = of_task

    def next_delay(self, error: str, source: random.Random) -> float | None:
        """Seconds until the next attempt, or None: no retrier matches, or the first match is exhausted."""
        for index, retrier in enumerate(self._retriers):
            if matches(retrier.errors, error, of_task=self._of_task):
                if self._used[index] >= retrier.max_attempts:
                    return None
                self._used[index] += 1
                return retrier.delay(self._used[index], source)
        return None


def find_catcher(catchers: Sequence[Catcher], error: str, *, of_task: bool) -> Catcher | None:
    """The first catcher that matches."""
    return next((catcher for catcher in catchers if matches(catcher.errors, error, of_task=of_task)), None)
