"""The ``events`` function: consumes table streams, and events about executions that were ended from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import STATUS_SOURCE
from handlers.consumers.batch_results import partial_answer
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.events import EventParts, EventPorts, on_aws
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import EventsSettings
from handlers.state_machines.ended_execution import is_of

if TYPE_CHECKING:
    from handlers.core.clock import Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: EventPorts | None = None) -> Handler:
    """The function's handler. Raises SettingsError naming the variable."""
    settings = EventsSettings(env)
    ports = ports or on_aws(settings, clock)
    parts = EventParts(settings, ports)

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == STATUS_SOURCE:
            return (parts.task_ended if is_of(event, settings.task_state_machine_arn) else parts.command_ended)(event)
        if "Records" in event:
            records = event["Records"]
            if records and parts.tasks_stream in records[0].get("eventSourceARN", ""):
                return partial_answer(records, parts.tasks.on_stream_records(records), ports.dead_letters)
            return partial_answer(records, parts.starter.on_stream_records(records), ports.dead_letters)
        raise ValidationError("event", sorted(event), "a batch of a stream, or an aws.states event")

    return bounded(handle)


handler = lambda_handler(create)
