"""The ``states`` function: the Lambda states of the command state machines and of the application's workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import StatesSettings
from handlers.entrypoints.wiring.states import StatesParts, on_aws
from handlers.state_machines.state_payload import StatePayload
from handlers.workflows.workflow import WorkflowEvent

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.ports import Ports
    from handlers.core.clock import Clock
    from handlers.state_machines.port import CustomWorkflows


def create(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    ports: Ports | None = None,
    attributes: AttributeStore | None = None,
    workflows: CustomWorkflows | None = None,
    new_id: Callable[[], str] | None = None,
) -> Handler:
    """The function's handler. ``ports``, ``attributes`` and ``workflows`` replace AWS, ``clock`` only the time,
    ``new_id`` the random ids of rows.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = StatesSettings(env)
    parts = StatesParts(settings, ports or on_aws(settings, clock), attributes, workflows, new_id)

    def handle(event: dict[str, Any], context: Any) -> list[list[Any]]:
        machine = _machine_of(event)
        if machine in parts.workflow_of:
            return parts.custom(parts.workflow_of[machine], WorkflowEvent.parse(event))
        StatePayload.parse(event)
        if machine not in parts.machines:
            raise ValidationError("StateMachine.Name", machine, f"one of {', '.join(parts.machines)}")
        return parts.commands(event)

    return bounded(handle)


def _machine_of(event: Any) -> Any:
    try:
        return event["context"]["StateMachine"]["Name"]
    except (KeyError, TypeError):
        return None


handler = lambda_handler(create)
