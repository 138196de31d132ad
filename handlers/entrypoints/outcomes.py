"""The ``outcomes`` function: publishes each command's outcome, and forwards events to the event bus.

Separate from ``events``, which starts commands, so that it has its own position in the stream: a topic that rejects
messages must not block the starts. Lambda allows only one mapping of a stream to a function (decision record 0070).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handlers.consumers.batch_results import partial_answer
from handlers.consumers.dead_letters import QUEUE_SOURCE
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.outcomes import OutcomeParts, OutcomePorts, on_aws
from handlers.entrypoints.wiring.settings import OutcomesSettings

if TYPE_CHECKING:
    from handlers.core.clock import Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: OutcomePorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time. Raises SettingsError."""
    settings = OutcomesSettings(env)
    ports = ports or on_aws(settings, clock)
    parts = OutcomeParts(settings, ports)

    def handle(event: dict[str, Any], context: Any) -> Any:
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of a stream or a queue")
        if records and records[0].get("eventSource") == QUEUE_SOURCE:
            return parts.forward(records)
        # Import rows first: they are table writes, while an event may be redelivered.
        failed = parts.import_rows.on_stream_records(records)
        return partial_answer(records, {**parts.status_events.on_stream_records(records), **failed}, ports.dead_letters)

    return bounded(handle)


handler = lambda_handler(create)
