"""Asynchronous calls of functions, with Lambda's retries.

Source: Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": two retries after
a function error, one minute after the first attempt and two minutes after the second; a throttled call is retried with
a back-off (1 second to 5 minutes) for up to 6 hours. An event that fails permanently is dropped unless the function has
an on-failure destination.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.functions.model import FunctionError, FunctionInvoker, LambdaServiceError
from local.journal import Journal
from local.scheduler import Scheduler

log = logging.getLogger("cqrs.local.sources")

#: Kind of journal rows: function and event.
KIND = "call"
RETRY_WAITS_S = (60.0, 120.0)
MAXIMUM_AGE_S = 6 * 3600.0
MAX_THROTTLE_WAIT_S = 300.0


@dataclass(frozen=True)
class AsyncSettings:
    """A function's settings for asynchronous calls (FunctionEventInvokeConfig). ``on_failure``: the ARN of a queue or
    topic.
    """

    retries: int = len(RETRY_WAITS_S)
    maximum_age_s: float = MAXIMUM_AGE_S
    on_failure: str | None = None


@dataclass(frozen=True)
class DeadLetter:
    """An event that a function failed to process."""

    function: str
    event: Any
    error: FunctionError | None
    attempts: int
    at: float = 0.0
    request_id: str = ""

    def invocation_record(self, function_arn: str) -> dict[str, Any]:
        """The message for an on-failure destination.

        Shape: Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations", example record;
        ``responseContext`` and ``responsePayload`` are absent if the function was never called.
        """
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": f"{function_arn}:$LATEST",
                "condition": "RetriesExhausted" if self.error is not None else "EventAgeExceeded",
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": self.event,
        }
        if self.error is not None:
            answered = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
            record |= {"responseContext": answered, "responsePayload": self.error.payload()}
        return record


class AsyncCaller:
    """Runs each asynchronous call, with its retries, in a separate task.

    Args:
        scheduler: clock and tasks.
        invoker: runs the function.
        on_dead_letter: called with events that failed permanently, after they were logged.
        journal: stores accepted calls until they have ended.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        invoker: FunctionInvoker,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal
        self._scheduler = scheduler
        self._invoker = invoker
        self._on_dead_letter = on_dead_letter
        #: function's name to its settings; changes with the deployment
        self.settings: Mapping[str, AsyncSettings] = {}
        #: number of accepted calls that haven't ended
        self.pending = 0

    def call(self, function: str, event: Mapping[str, Any]) -> None:
        """Deliver ``event`` at least once. Thread-safe."""
        key = ""
        if self._journal is not None:
            key = str(uuid.uuid4())
            self._journal.put(KIND, key, [function, dict(event)])
        self._scheduler.post(lambda: self._spawn(function, event, key))

    def resume(self) -> None:
        """Make the calls that hadn't ended with the previous process, as new ones. Call on the scheduler's thread."""
        for row in [] if self._journal is None else self._journal.rows(KIND):
            function, event = row.value
            self._spawn(function, event, row.key)

    def _spawn(self, function: str, event: Mapping[str, Any], key: str) -> None:
        self.pending += 1
        self._scheduler.spawn(self._run, function, event, key, name=f"async:{function}")

    def _run(self, function: str, event: Mapping[str, Any], key: str) -> None:
        try:
            self._deliver(function, event)
            if self._journal is not None:
                self._journal.delete(KIND, key)
        finally:
            self.pending -= 1

    def _deliver(self, function: str, event: Mapping[str, Any]) -> None:
        settings = self.settings.get(name_of(function), AsyncSettings())
        deadline = self._scheduler.now() + settings.maximum_age_s
        attempts, throttle_wait, request_id = 0, 1.0, ""
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
            error, request_id = result.error, result.request_id
            if error is None:
                return
            if attempts > settings.retries:
                break
            self._scheduler.sleep(RETRY_WAITS_S[attempts - 1])
        log.error("event for %s dropped after %d attempts: %s", function, attempts, error)
        if self._on_dead_letter is not None:
            self._on_dead_letter(DeadLetter(function, event, error, attempts, self._scheduler.now(), request_id))


def name_of(function: str) -> str:
    """A function's name, from its ARN or its name."""
    return function.rpartition(":")[2]
