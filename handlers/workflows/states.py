"""Routes the states of the application's workflows to their methods; returns ``[[output]]`` as definitions expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from handlers.consumers.state_router import answered, step_of
from handlers.core.errors import ValidationError
from handlers.state_machines.checks import MAX_RESULT_BYTES, check_payload
from handlers.workflows.workflow import WorkflowEvent, state_methods

if TYPE_CHECKING:
    from handlers.core.clock import Clock


class CustomStates:
    """The handler of all states of the registered workflows."""

    def __init__(self, workflows: Mapping[str, Any], clock: Clock) -> None:
        """``workflows``: name to handler."""
        self._clock = clock
        self._states: dict[str, dict[str, Callable[[WorkflowEvent], Any]]] = {
            name: {state: getattr(handler, state) for state in state_methods(type(handler))}
            for name, handler in workflows.items()
        }

    def __call__(self, name: str, event: WorkflowEvent) -> list[list[Any]]:
        """Run a state's method. Raises its errors: the state machine's Retry and Catch apply.

        Raises:
            ValidationError: no such workflow or state; or the result isn't JSON, or is too large for an execution.
        """
        states = self._states.get(name)
        if states is None:
            raise ValidationError("StateMachine.Name", event.machine, f"one of {_listed(self._states)}")
        method = step_of(dict(sorted(states.items())), event.state, f" of workflow {name!r}")
        # Never the input: it may hold personal data, and a token.
        about = {"workflow": name, "executionName": event.execution_name, "state": event.state}
        return answered(lambda: check_payload("output", method(event), MAX_RESULT_BYTES), about, self._clock)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "(none is registered)"
