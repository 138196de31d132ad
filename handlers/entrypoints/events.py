"""The ``events`` function: table streams, and executions that ended outside of their own control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.options import FULL
from contract.state_machines import STATUS_SOURCE
from handlers.commands.execution_ended import CommandExecutionEndedHandler
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import Progress
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.consumers.batch_results import partial_answer
from handlers.consumers.dead_letters import STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core import aws_clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import EventsSettings
from handlers.state_machines.ended_execution import is_of
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, TASKS, TableStore
from handlers.tasks.finalize import Finalizer
from handlers.tasks.states import TaskExecutionEndedHandler
from handlers.tasks.stream import TaskQueue, TaskStream
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.state_machines.port import StateMachines
    from handlers.topics.port import Topic


@dataclass(frozen=True)
class EventPorts:
    """Where the function reaches AWS."""

    store: TableStore
    workflows: StateMachines
    alarms: Topic
    clock: Clock
    main_topic: Topic
    dead_letters: DeadLetters


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: EventPorts | None = None) -> Handler:
    """The function's handler. Raises SettingsError naming the variable."""
    settings = EventsSettings(env)
    if ports is None:
        ports = EventPorts(
            store=DynamoTableStore(aws.dynamodb(), {COMMANDS: settings.commands_table, TASKS: settings.tasks_table}),
            workflows=StepFunctions(aws.stepfunctions()),
            alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
            clock=clock or SystemClock(),
            main_topic=SnsTopic(aws.sns(), settings.main_topic_arn),
            dead_letters=SqsDeadLetters(aws.sqs, {STREAM_SOURCE: settings.stream_failures_url}),
        )
    starter = CommandStarter(ports.workflows, settings.command_state_machine_arn)
    # No lease is taken here, only a failure recorded, which no status detail leaves out.
    progress = Progress(ports.store, ports.clock, lease_seconds=1, detail=FULL)
    repository = CommandRepository(ports.store, ports.clock.now)
    recorder = FailureRecorder(repository, progress, ports.alarms, settings.commands_table)
    command_ended = CommandExecutionEndedHandler(recorder, repository)
    task_ended = TaskExecutionEndedHandler(Finalizer(ports.store, ports.clock))
    queue = TaskQueue(ports.store, ports.clock, settings.tasks_table)
    tasks = TaskStream(queue, ports.main_topic, ports.alarms, settings.tasks_table, settings.status_events)
    tasks_stream = f":table/{settings.tasks_table}/stream/"

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == STATUS_SOURCE:
            return (task_ended if is_of(event, settings.task_state_machine_arn) else command_ended)(event)
        if "Records" in event:
            records = event["Records"]
            if records and tasks_stream in records[0].get("eventSourceARN", ""):
                return partial_answer(records, tasks.on_stream_records(records), ports.dead_letters)
            return start_commands(records, starter, ports.dead_letters)
        raise ValidationError("event", sorted(event), "a batch of a stream, or an aws.states event")

    return bounded(handle)


def start_commands(records: list[dict[str, Any]], starter: CommandStarter, letters: DeadLetters) -> dict[str, Any]:
    """Start what the records ask for. One bad record does not keep back the others."""
    failed: dict[int, Exception] = {}
    for index, record in enumerate(records):
        try:
            starter.on_stream_record(record)
        except Exception as error:  # noqa: BLE001 - boundary: one record; `partial_answer` says what becomes of it
            failed[index] = error
    return partial_answer(records, failed, letters)


handler = lambda_handler(create)
