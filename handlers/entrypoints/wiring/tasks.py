"""Wiring of the ``tasks`` function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.consumers.dead_letters import QUEUE_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import TASKS, TableStore
from handlers.tasks.finalize import Finalizer
from handlers.tasks.handlers import load_task_handlers
from handlers.tasks.items import ItemRunner
from handlers.tasks.runner import RunnerOptions, TaskRunner
from handlers.tasks.states import task_states

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import TasksSettings
    from handlers.state_machines.port import StateMachines


@dataclass(frozen=True)
class TaskPorts:
    """The function's ports to AWS."""

    store: TableStore
    state_machines: StateMachines
    clock: Clock
    dead_letters: DeadLetters


def on_aws(settings: TasksSettings, clock: Clock | None) -> TaskPorts:
    """The ports on AWS, with the tables and topics of the settings."""
    return TaskPorts(
        store=DynamoTableStore(aws.dynamodb(), {TASKS: settings.tasks_table, **application_tables(settings)}),
        state_machines=StepFunctions(aws.stepfunctions(), starts=aws.stepfunctions_once()),
        clock=clock or SystemClock(),
        dead_letters=SqsDeadLetters(aws.sqs, {QUEUE_SOURCE: settings.dead_letter_queue_url}),
    )


class TaskParts:
    """The function's collaborators. Raises RegistryError, naming the module."""

    def __init__(self, settings: TasksSettings, ports: TaskPorts) -> None:
        store, clock = ports.store, ports.clock
        handlers = load_task_handlers(settings.handler_modules, Collaborators(settings, store, clock))
        options = RunnerOptions(
            machine_arn=settings.task_state_machine_arn,
            timeout_minutes=settings.task_timeout_minutes,
            lease_seconds=settings.lease_seconds,
            max_receives=settings.max_receives,
        )
        self.runner = TaskRunner(store, clock, ports.state_machines, handlers, ports.dead_letters, options)
        self.states = task_states(ItemRunner(store, clock, handlers), Finalizer(store, clock), clock)
