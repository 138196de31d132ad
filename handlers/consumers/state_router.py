"""Routes a state's payload to its step, for every state machine, and returns ``[[output]]`` as definitions expect."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from handlers.consumers.failure_policy import named_for_retry
from handlers.core.errors import ValidationError
from handlers.core.log import log_step
from handlers.state_machines.state_payload import StatePayload

if TYPE_CHECKING:
    from handlers.core.clock import Clock

S = TypeVar("S")
W = TypeVar("W")
#: Takes the work, such as a run of a command, and the state's payload.
Step = Callable[[W, StatePayload], Any]


class Lost(NamedTuple):
    """Result of a step whose run may no longer write: the execution proceeds with ``output`` and changes nothing."""

    output: Any


class StateRouter(Generic[W]):
    """The handler of one function's states."""

    def __init__(
        self,
        steps: Mapping[str, Step[W]],
        work_of: Callable[[StatePayload], W],
        about: Callable[[W, StatePayload], Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        """``work_of`` may raise ValidationError; ``about``: log fields that describe the work, without record data."""
        self._steps = steps
        self._work_of = work_of
        self._about = about
        self._clock = clock

    def __call__(self, event: dict[str, Any]) -> list[list[Any]]:
        """Run the step. Raises its errors, named for the state machine's Retry, and ValidationError: no such step."""
        payload = StatePayload.parse(event)
        step = step_of(self._steps, payload.state)
        work = self._work_of(payload)

        def run() -> Any:
            with named_for_retry():
                return step(work, payload)

        shown = {"executionName": payload.execution_name, "state": payload.state, **self._about(work, payload)}
        return answered(run, shown, self._clock)


def step_of(steps: Mapping[str, S], state: str, whose: str = "") -> S:
    """The step of a state. Raises ValidationError naming the known states."""
    step = steps.get(state)
    if step is None:
        raise ValidationError("State.Name", state, f"one of {', '.join(steps)}{whose}")
    return step


def answered(run: Callable[[], Any], about: Mapping[str, Any], clock: Clock) -> list[list[Any]]:
    """Run a step, log its outcome and duration, and return its result. Raises the step's errors."""
    started = clock.now()

    def log(outcome: str, error: Exception | None = None) -> None:
        level = logging.INFO if error is None else logging.ERROR
        log_step(outcome, level=level, error=error, **about, durationMs=round((clock.now() - started) * 1000))

    try:
        output = run()
    except Exception as error:
        log("failed", error)
        raise
    if isinstance(output, Lost):
        log("lost")
        return [[output.output]]
    log("done")
    return [[output]]
