"""Routes a state's payload to its step, and answers as the state machine expects: ``[[output]]``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from handlers.commands import status
from handlers.commands.pipeline.failure import Failure
from handlers.commands.pipeline.run import LostRun
from handlers.commands.pipeline.steps import Pipeline
from handlers.commands.state_event import StateEvent
from handlers.consumers.failure_policy import named_for_retry
from handlers.core.clock import Clock
from handlers.core.errors import ValidationError
from handlers.core.log import log_step

#: The wait of the EXPRESS machine. A command that is parked shows ``wait_prev_command:STARTED`` all the same.
PARK = "park"
#: What a state answers when its run lost the claim: the machine walks on to success and changes nothing.
LOST: dict[str, Any] = {"result": "lost"}


class CommandStates:
    """The handler of all states of the command machine."""

    def __init__(self, pipeline: Pipeline, clock: Clock) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._steps: dict[str, Callable[[StateEvent], Any]] = {
            status.CHECK_VERSION: self._check_version,
            status.WAIT_PREV_COMMAND: self._wait,
            status.SET_TTL_COMMAND: lambda event: pipeline.set_ttl_command(event.run),
            status.HISTORY_COPY: lambda event: pipeline.history_copy(event.run),
            status.TRANSFORM_DATA: lambda event: pipeline.transform_data(event.run),
            status.SYNC_DATA: lambda event: pipeline.sync_data(event.run, event.input["target"]),
            status.FINISH: lambda event: pipeline.finish(event.run, event.input),
            PARK: lambda event: pipeline.park(event.run),
            status.RECORD_FAILURE: self._record_failure,
        }

    def __call__(self, payload: dict[str, Any]) -> list[list[Any]]:
        """Run the step. Raises what it raises: the machine's Retry and Catch decide."""
        event = StateEvent.parse(payload)
        step = self._steps.get(event.state)
        if step is None:
            raise ValidationError("State.Name", event.state, f"one of {', '.join(self._steps)}")
        started = self._clock.now()
        try:
            with named_for_retry():
                output = step(event)
        except LostRun:
            self._log("lost", event, started)
            output = [] if event.state == status.TRANSFORM_DATA else LOST
        except Exception as error:
            self._log("failed", event, started, error)
            raise
        else:
            self._log("done", event, started)
        return [[output]]

    def _check_version(self, event: StateEvent) -> dict[str, Any]:
        came_back = isinstance(event.input, dict) and "result" in event.input
        return self._pipeline.check_version(event.run, first_entry=not came_back)

    def _wait(self, event: StateEvent) -> dict[str, Any]:
        if event.task_token is None:
            raise ValidationError("taskToken", None, "the token of the wait")
        return self._pipeline.wait(event.run, event.task_token, event.entered_at)

    def _record_failure(self, event: StateEvent) -> dict[str, str]:
        return self._pipeline.record_failure(event.run, Failure.from_state_input(event.input))

    def _log(self, outcome: str, event: StateEvent, started: float, error: Exception | None = None) -> None:
        log_step(
            outcome,
            level=logging.INFO if error is None else logging.ERROR,
            error=error,
            requestId=event.run.id,
            executionName=event.execution_name,
            state=event.state,
            pk=event.run.key.pk,
            sk=event.run.key.sk,
            version=event.run.key.version,
            tenant=event.run.key.entity.tenant_code,
            attempt=event.run.attempt,
            durationMs=round((self._clock.now() - started) * 1000),
        )
