"""The ``outcomes`` function: tells others of each command's outcome, and hands events on to the event bus.

Apart from ``events``, which starts commands, and with a place of its own in the stream: a topic that refuses messages
must not hold back the starts. Lambda takes only one mapping of a stream to a function (decision record 0070).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handlers.commands.outcomes import StatusEvents
from handlers.consumers.batch_results import partial_answer
from handlers.consumers.dead_letters import QUEUE_SOURCE, STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core import aws_clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import OutcomesSettings
from handlers.event_bus.eventbridge import EventBridgeBus
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.rows.command_outcomes import CommandOutcomes
from handlers.notifications.forwarder import Forwarder
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.event_bus.port import EventBus
    from handlers.topics.port import Topic


@dataclass(frozen=True)
class OutcomePorts:
    """Where the function reaches AWS."""

    main_topic: Topic
    bus: EventBus
    store: TableStore
    clock: Clock
    dead_letters: DeadLetters


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: OutcomePorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time. Raises SettingsError."""
    settings = OutcomesSettings(env)
    if ports is None:
        ports = OutcomePorts(
            SnsTopic(aws.sns(), settings.main_topic_arn),
            EventBridgeBus(aws.events, settings.event_bus_name),
            DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: settings.import_table}),
            clock or SystemClock(),
            SqsDeadLetters(
                aws.sqs, {STREAM_SOURCE: settings.stream_failures_url, QUEUE_SOURCE: settings.dead_letter_queue_url}
            ),
        )
    status_events = StatusEvents(ports.main_topic, settings.commands_table, settings.status_events)
    forward = Forwarder(ports.bus, ports.dead_letters)
    import_rows = CommandOutcomes(ImportRepository(ports.store, ports.clock))

    def handle(event: dict[str, Any], context: Any) -> Any:
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of a stream or a queue")
        if records and records[0].get("eventSource") == QUEUE_SOURCE:
            return forward(records)
        # A row of an import first: it is in the table, while an event may be lost and come again.
        failed = import_rows.on_stream_records(records)
        return partial_answer(records, {**status_events.on_stream_records(records), **failed}, ports.dead_letters)

    return bounded(handle)


handler = lambda_handler(create)
