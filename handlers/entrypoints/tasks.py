"""The ``tasks`` function: consumes the task queue, and handles the Lambda states of the task state machine."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import SOURCE
from handlers.consumers.dead_letters import QUEUE_SOURCE
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import TasksSettings
from handlers.entrypoints.wiring.tasks import TaskParts, TaskPorts, on_aws

if TYPE_CHECKING:
    from handlers.core.clock import Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: TaskPorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = TasksSettings(env)
    ports = ports or on_aws(settings, clock)
    parts = TaskParts(settings, ports)

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == SOURCE:
            return parts.states(event)
        if event.get("Records") and event["Records"][0].get("eventSource") == QUEUE_SOURCE:
            return parts.runner(event["Records"], uuid.uuid4().hex)
        raise ValidationError("event", sorted(event), "a batch of the task queue or a state of the task machine")

    return bounded(handle)


handler = lambda_handler(create)
