"""Wiring of the ``outcomes`` function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.commands.outcomes import StatusEvents
from handlers.consumers.dead_letters import QUEUE_SOURCE, STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.light_dataclasses import dataclass
from handlers.event_bus.eventbridge import EventBridgeBus
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.rows.command_outcomes import CommandOutcomes
from handlers.notifications.forwarder import Forwarder
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import IMPORT_TMP, TableStore
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import OutcomesSettings
    from handlers.event_bus.port import EventBus
    from handlers.topics.port import Topic


@dataclass(frozen=True)
class OutcomePorts:
    """The function's ports to AWS."""

    main_topic: Topic
    bus: EventBus
    store: TableStore
    clock: Clock
    dead_letters: DeadLetters


def on_aws(settings: OutcomesSettings, clock: Clock | None) -> OutcomePorts:
    """The ports on AWS, with the tables and topics of the settings."""
    return OutcomePorts(
        SnsTopic(aws.sns(), settings.main_topic_arn),
        EventBridgeBus(aws.events, settings.event_bus_name),
        DynamoTableStore(aws.dynamodb(), {IMPORT_TMP: settings.import_table}),
        clock or SystemClock(),
        SqsDeadLetters(
            aws.sqs, {STREAM_SOURCE: settings.stream_failures_url, QUEUE_SOURCE: settings.dead_letter_queue_url}
        ),
    )


class OutcomeParts:
    """The function's collaborators."""

    def __init__(self, settings: OutcomesSettings, ports: OutcomePorts) -> None:
        self.status_events = StatusEvents(ports.main_topic, settings.commands_table, settings.status_events)
        self.forward = Forwarder(ports.bus, ports.dead_letters)
        self.import_rows = CommandOutcomes(ImportRepository(ports.store, ports.clock))
