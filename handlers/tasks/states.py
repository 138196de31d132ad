"""Routes a state's payload of the task machine to its step, and answers as the machine expects: ``[[output]]``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handlers.commands.pipeline.failure import Failure
from handlers.consumers.failure_policy import named_for_retry
from handlers.core.clock import Clock
from handlers.core.error_text import error_of
from handlers.core.errors import NotRunning, ValidationError
from handlers.core.keys import check_version_number
from handlers.core.log import log_step
from handlers.state_machines.state_payload import StatePayload, check_fields
from handlers.tasks.finalize import Finalizer
from handlers.tasks.items import ItemRunner
from handlers.tasks.keys import TaskItemKey, TaskKey

ITERATOR = "iterator"
RECORD_ITEM_FAILURE = "record_item_failure"
FINALIZE_TASK = "finalize_task"
RECORD_FAILURE = "record_failure"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """Which attempt of which task an execution works on."""

    key: TaskKey
    attempt: int

    @classmethod
    def parse(cls, execution_input: Any) -> TaskRun:
        """From the execution's input. Raises ValidationError."""
        given = check_fields(execution_input, ("pk", "sk", "attempt"))
        key = TaskKey.parse(given["pk"], given["sk"])
        return cls(key, check_version_number("Execution.Input.attempt", given["attempt"]))


class TaskStates:
    """The handler of all states of the task machine."""

    def __init__(self, items: ItemRunner, finalize: Finalizer, clock: Clock) -> None:
        self._items = items
        self._finalize = finalize
        self._clock = clock
        self._steps: dict[str, Callable[[TaskRun, Any], Any]] = {
            ITERATOR: lambda run, given: items.run(_item(run, given), run.attempt),
            RECORD_ITEM_FAILURE: self._record_item_failure,
            FINALIZE_TASK: lambda run, given: {"status": finalize(run.key, run.attempt)},
            RECORD_FAILURE: self._record_failure,
        }

    def __call__(self, event: dict[str, Any]) -> list[list[Any]]:
        """Run the step. Raises what it raises: the machine's Retry and Catch decide."""
        payload = StatePayload.parse(event)
        step = self._steps.get(payload.state)
        if step is None:
            raise ValidationError("State.Name", payload.state, f"one of {', '.join(self._steps)}")
        run = TaskRun.parse(payload.execution_input)
        started = self._clock.now()
        try:
            with named_for_retry():
                output = step(run, payload.input)
        except Exception as error:
            self._log("failed", payload, run, started, error)
            raise
        self._log("done", payload, run, started)
        return [[output]]

    def _record_item_failure(self, run: TaskRun, given: Any) -> Any:
        return self._items.record_failure(_item(run, given), run.attempt, Failure.from_state_input(given["error"]))

    def _record_failure(self, run: TaskRun, given: Any) -> dict[str, str]:
        failure = Failure.from_state_input(given)
        self._finalize(run.key, run.attempt, error_of(failure.type, failure.message))
        return {"error": failure.type, "cause": failure.message}

    def _log(
        self, outcome: str, payload: StatePayload, run: TaskRun, started: float, error: Exception | None = None
    ) -> None:
        log_step(
            outcome,
            level=logging.INFO if error is None else logging.ERROR,
            error=error,
            executionName=payload.execution_name,
            state=payload.state,
            pk=run.key.pk,
            sk=run.key.sk,
            index=payload.input.get("index") if isinstance(payload.input, dict) else None,
            tenant=run.key.tenant_code,
            attempt=run.attempt,
            durationMs=round((self._clock.now() - started) * 1000),
        )


class TaskExecutionEndedHandler:
    """Brings a task to its outcome whose execution failed, timed out or was aborted (EventBridge status event)."""

    def __init__(self, finalize: Finalizer) -> None:
        self._finalize = finalize

    def __call__(self, event: dict[str, Any]) -> dict[str, str | None]:
        """Handle one event. Raises ValidationError if it is not one of the task machine."""
        detail = event.get("detail", {})
        try:
            execution_input = json.loads(detail["input"])
        except (KeyError, TypeError, ValueError):
            raise ValidationError("detail.input", detail.get("input"), "JSON with pk, sk, attempt") from None
        run = TaskRun.parse(execution_input)
        message = f"execution {detail['name']} ended as {detail['status']}"
        return {"status": self._finalize(run.key, run.attempt, error_of(NotRunning.__name__, message))}


def _item(run: TaskRun, given: Any) -> TaskItemKey:
    index = given.get("index") if isinstance(given, dict) else None
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise ValidationError("input.index", index, "a whole number of at least 0")
    return run.key.item(index)
