"""The ``events`` function: table streams, the notification queue, and executions that ended outside of their own
control.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers import aws
from handlers.clock import Clock, SystemClock
from handlers.commands.ended_outside import SOURCE, EndedOutside
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import FULL, Progress
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.commands.status_events import StatusEvents
from handlers.entrypoints.lazy import Handler, lambda_handler
from handlers.errors import ValidationError
from handlers.log import log_step
from handlers.notifications.bus import EventBus
from handlers.notifications.eventbridge import EventBridgeBus
from handlers.notifications.forwarder import QUEUE_SOURCE, Forwarder
from handlers.notifications.port import Topic
from handlers.notifications.sns import SnsTopic
from handlers.settings import EventsSettings
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, TASKS, TableStore
from handlers.tasks.finalise import Finaliser
from handlers.tasks.stream import TaskQueue, TaskStream
from handlers.tasks.workflow_states import TaskEndedOutside
from handlers.workflows.port import Workflows
from handlers.workflows.stepfunctions import StepFunctions


@dataclass(frozen=True)
class EventPorts:
    """Where the function reaches AWS."""

    store: TableStore
    workflows: Workflows
    alarms: Topic
    clock: Clock
    main_topic: Topic
    bus: EventBus


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: EventPorts | None = None) -> Handler:
    """The function's handler. Raises SettingsError naming the variable."""
    settings = EventsSettings.from_env(env)
    if ports is None:
        ports = EventPorts(
            store=DynamoTableStore(aws.dynamodb(), {COMMANDS: settings.commands_table, TASKS: settings.tasks_table}),
            workflows=StepFunctions(aws.stepfunctions()),
            alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
            clock=clock or SystemClock(),
            main_topic=SnsTopic(aws.sns(), settings.main_topic_arn),
            bus=EventBridgeBus(aws.events, settings.event_bus_name),
        )
    starter = CommandStarter(ports.workflows, settings.command_state_machine_arn)
    # No lease is taken here, only a failure recorded, which no status detail leaves out.
    progress = Progress(ports.store, ports.clock, lease_seconds=1, detail=FULL)
    repository = CommandRepository(ports.store, ports.clock.now)
    status_events = StatusEvents(ports.main_topic, settings.commands_table, settings.status_events)
    forward = Forwarder(ports.bus)
    recorder = FailureRecorder(repository, progress, ports.alarms, settings.commands_table)
    command_ended = EndedOutside(recorder, repository)
    task_ended = TaskEndedOutside(Finaliser(ports.store, ports.clock))
    queue = TaskQueue(ports.store, ports.clock, settings.tasks_table)
    tasks = TaskStream(queue, ports.main_topic, ports.alarms, settings.tasks_table, settings.status_events)
    tasks_stream = f":table/{settings.tasks_table}/stream/"

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == SOURCE:
            is_task = event.get("detail", {}).get("stateMachineArn") == settings.task_state_machine_arn
            return task_ended(event) if is_task else command_ended(event)
        if event.get("Records") and event["Records"][0].get("eventSource") == QUEUE_SOURCE:
            return forward(event["Records"])
        if "Records" in event:
            records = event["Records"]
            if records and tasks_stream in records[0].get("eventSourceARN", ""):
                return partial_answer(records, tasks.on_stream_records(records))
            return handle_stream(records, starter, status_events)
        raise ValidationError("event", sorted(event), "a batch of a stream or a queue, or an aws.states event")

    return handle


def handle_stream(
    records: list[dict[str, Any]], starter: CommandStarter, status_events: StatusEvents
) -> dict[str, Any]:
    """Start and tell what the records ask for. One bad record does not keep back the others.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <sequence number>}]}``: Lambda delivers again from the lowest
        (Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda").
    """
    failed: dict[int, Exception] = {}
    for index, record in enumerate(records):
        try:
            starter.on_stream_record(record)
        except Exception as error:  # noqa: BLE001 - boundary: one record; it is logged and delivered again
            failed[index] = error
    failed.update(status_events.on_stream_records(records))
    return partial_answer(records, failed)


def partial_answer(records: list[dict[str, Any]], failed: Mapping[int, Exception]) -> dict[str, Any]:
    """The answer to a stream's batch, from the index of each failed record and the reason, which is logged."""
    failures = []
    for index, reason in sorted(failed.items(), key=lambda one: one[0]):
        sequence_number = records[index].get("dynamodb", {}).get("SequenceNumber", "")
        log_step("record failed", level=logging.ERROR, error=reason, sequenceNumber=sequence_number)
        failures.append({"itemIdentifier": sequence_number})
    return {"batchItemFailures": failures}


handler = lambda_handler(create)
