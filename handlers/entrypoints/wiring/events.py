"""Wiring of the ``events`` function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.options import FULL
from handlers.commands.execution_ended import CommandExecutionEndedHandler
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import Progress
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.consumers.dead_letters import STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.light_dataclasses import dataclass
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, TASKS, TableStore
from handlers.tasks.finalize import Finalizer
from handlers.tasks.states import TaskExecutionEndedHandler
from handlers.tasks.stream import TaskQueue, TaskStream
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import EventsSettings
    from handlers.state_machines.port import StateMachines
    from handlers.topics.port import Topic


@dataclass(frozen=True)
class EventPorts:
    """The function's ports to AWS."""

    store: TableStore
    state_machines: StateMachines
    alarms: Topic
    clock: Clock
    main_topic: Topic
    dead_letters: DeadLetters


def on_aws(settings: EventsSettings, clock: Clock | None) -> EventPorts:
    """The ports on AWS, with the tables and topics of the settings."""
    return EventPorts(
        store=DynamoTableStore(aws.dynamodb(), {COMMANDS: settings.commands_table, TASKS: settings.tasks_table}),
        state_machines=StepFunctions(aws.stepfunctions()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock or SystemClock(),
        main_topic=SnsTopic(aws.sns(), settings.main_topic_arn),
        dead_letters=SqsDeadLetters(aws.sqs, {STREAM_SOURCE: settings.stream_failures_url}),
    )


class EventParts:
    """The function's collaborators."""

    def __init__(self, settings: EventsSettings, ports: EventPorts) -> None:
        self.starter = CommandStarter(ports.state_machines, settings.command_state_machine_arn)
        # Only failures are recorded here: no lease is taken, and failures don't depend on the status detail.
        progress = Progress(ports.store, ports.clock, lease_seconds=1, detail=FULL)
        repository = CommandRepository(ports.store, ports.clock.now)
        recorder = FailureRecorder(repository, progress, ports.alarms, settings.commands_table)
        self.command_ended = CommandExecutionEndedHandler(recorder, repository)
        self.task_ended = TaskExecutionEndedHandler(Finalizer(ports.store, ports.clock))
        queue = TaskQueue(ports.store, ports.clock, settings.tasks_table)
        self.tasks = TaskStream(queue, ports.main_topic, ports.alarms, settings.tasks_table, settings.status_events)
        self.tasks_stream = f":table/{settings.tasks_table}/stream/"
