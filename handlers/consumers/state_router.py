"""Routes a state's payload to its step, for every machine, and answers as definitions expect: ``[[output]]``."""

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
#: What the state works on, such as a run of a command, and its payload.
Step = Callable[[W, StatePayload], Any]


class Lost(NamedTuple):
    """What a step returns whose run may not write any more: the machine walks on with ``output``, nothing changes."""

    output: Any


class StateRouter(Generic[W]):
    """The handler of the states that one function has."""

    def __init__(
        self,
        steps: Mapping[str, Step[W]],
        work_of: Callable[[StatePayload], W],
        about: Callable[[W, StatePayload], Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        """``work_of`` may raise ValidationError; ``about``: what the log says of the work, no record data."""
        self._steps = steps
        self._work_of = work_of
        self._about = about
        self._clock = clock

    def __call__(self, event: dict[str, Any]) -> list[list[Any]]:
        """Run the step. Raises what it raises, named for the machine's Retry, and ValidationError: no such step."""
        payload = StatePayload.parse(event)
        step = step_of(self._steps, payload.state)
        work = self._work_of(payload)

        def run() -> Any:
            with named_for_retry():
                return step(work, payload)

        shown = {"executionName": payload.execution_name, "state": payload.state, **self._about(work, payload)}
        return answered(run, shown, self._clock)


def step_of(steps: Mapping[str, S], state: str, whose: str = "") -> S:
    """The step of a state. Raises ValidationError with the states that there are."""
    step = steps.get(state)
    if step is None:
        raise ValidationError("State.Name", state, f"one of {', '.join(steps)}{whose}")
    return step


def answered(run: Callable[[], Any], about: Mapping[str, Any], clock: Clock) -> list[list[Any]]:
    """The answer of a step, which is logged with how it ended and how long it took. Raises what it raises."""
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
