"""The states of the task state machine: name to step; and the handler of executions that ended without an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.state_machines import FINALIZE_TASK, ITERATOR, RECORD_FAILURE, RECORD_ITEM_FAILURE
from handlers.commands.failure import Failure
from handlers.consumers.state_router import StateRouter, Step
from handlers.core.error_text import error_of
from handlers.core.errors import NotRunning
from handlers.core.keys import check_version_number
from handlers.core.light_dataclasses import dataclass
from handlers.state_machines.ended_execution import EndedExecution
from handlers.state_machines.state_payload import StatePayload, check_fields, whole_number
from handlers.tasks.keys import TaskItemKey, TaskKey

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.tasks.finalize import Finalizer
    from handlers.tasks.items import ItemRunner


@dataclass(frozen=True)
class TaskRun:
    """The attempt of a task that an execution works on."""

    key: TaskKey
    attempt: int

    @classmethod
    def parse(cls, execution_input: Any) -> TaskRun:
        """From the execution's input. Raises ValidationError."""
        given = check_fields(execution_input, ("pk", "sk", "attempt"))
        key = TaskKey.parse(given["pk"], given["sk"])
        return cls(key, check_version_number("Execution.Input.attempt", given["attempt"]))


def task_states(items: ItemRunner, finalize: Finalizer, clock: Clock) -> StateRouter[TaskRun]:
    """The handler of all states of the task state machine."""

    def record_item_failure(run: TaskRun, payload: StatePayload) -> Any:
        return items.record_failure(_item(run, payload), run.attempt, Failure.from_state_input(payload.input["error"]))

    def record_failure(run: TaskRun, payload: StatePayload) -> dict[str, str]:
        failure = Failure.from_state_input(payload.input)
        finalize(run.key, run.attempt, error_of(failure.type, failure.message))
        return {"error": failure.type, "cause": failure.message}

    steps: dict[str, Step[TaskRun]] = {
        ITERATOR: lambda run, payload: items.run(_item(run, payload), run.attempt),
        RECORD_ITEM_FAILURE: record_item_failure,
        FINALIZE_TASK: lambda run, payload: {"status": finalize(run.key, run.attempt)},
        RECORD_FAILURE: record_failure,
    }
    return StateRouter(steps, lambda payload: TaskRun.parse(payload.execution_input), _about, clock)


class TaskExecutionEndedHandler:
    """Ends a task whose execution failed, timed out or was aborted."""

    def __init__(self, finalize: Finalizer) -> None:
        self._finalize = finalize

    def __call__(self, event: dict[str, Any]) -> dict[str, str | None]:
        """Handle one event. Raises ValidationError: it isn't about the task state machine."""
        ended = EndedExecution.parse(event)
        run = TaskRun.parse(ended.input)
        return {"status": self._finalize(run.key, run.attempt, error_of(NotRunning.__name__, ended.message))}


def _item(run: TaskRun, payload: StatePayload) -> TaskItemKey:
    return run.key.item(whole_number(payload, "index"))


def _about(run: TaskRun, payload: StatePayload) -> dict[str, Any]:
    index = payload.input.get("index") if isinstance(payload.input, dict) else None
    key = run.key
    return {"pk": key.pk, "sk": key.sk, "index": index, "tenant": key.tenant_code, "attempt": run.attempt}
