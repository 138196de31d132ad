"""The states of the command state machine: name to step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from contract.state_machines import PARK
from handlers.commands import status
from handlers.commands.failure import Failure
from handlers.commands.pipeline.run import LostRun, Run, parse_run
from handlers.consumers.state_router import Lost, StateRouter
from handlers.state_machines.state_payload import StatePayload, token_of

if TYPE_CHECKING:
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.core.clock import Clock

#: Result of a state whose run has lost the claim: the execution proceeds to success and changes nothing.
LOST: dict[str, Any] = {"result": "lost"}
#: The same for a state whose output is a list, which a Map iterates over.
LOST_LISTS: dict[str, list[Any]] = {status.TRANSFORM_DATA: []}

Step = Callable[[Run, StatePayload], Any]


def command_states(pipeline: Pipeline, clock: Clock) -> StateRouter[Run]:
    """The handler of all states of the command state machine."""

    def check_version(run: Run, payload: StatePayload) -> Any:
        came_back = isinstance(payload.input, dict) and "result" in payload.input
        return pipeline.check_version(run, first_entry=not came_back)

    steps: dict[str, Step] = {
        status.CHECK_VERSION: check_version,
        status.WAIT_PREV_COMMAND: lambda run, payload: pipeline.wait(run, token_of(payload), payload.entered_at),
        **{state: _of_run(step) for state, step in pipeline.before_targets.items()},
        status.TRANSFORM_DATA: lambda run, payload: pipeline.transform_data(run),
        status.SYNC_DATA: lambda run, payload: pipeline.sync_data(run, payload.input["target"]),
        status.FINISH: lambda run, payload: pipeline.finish(run, payload.input),
        PARK: lambda run, payload: pipeline.park(run),
        status.RECORD_FAILURE: lambda run, payload: pipeline.record_failure(
            run, Failure.from_state_input(payload.input)
        ),
    }
    unless_lost = {state: _unless_lost(step) for state, step in steps.items()}
    return StateRouter(unless_lost, _run_of, _about, clock)


def _of_run(step: Callable[[Run], Any]) -> Step:
    return lambda run, payload: step(run)


def _unless_lost(step: Step) -> Step:
    def run_step(run: Run, payload: StatePayload) -> Any:
        try:
            return step(run, payload)
        except LostRun:
            return Lost(LOST_LISTS.get(payload.state, LOST))

    return run_step


def _run_of(payload: StatePayload) -> Run:
    return parse_run(payload.execution_input, payload.execution_id)


def _about(run: Run, payload: StatePayload) -> dict[str, Any]:
    key = run.key
    return {
        "requestId": run.id,
        "pk": key.pk,
        "sk": key.sk,
        "version": key.version,
        "tenant": key.entity.tenant_code,
        "attempt": run.attempt,
    }
