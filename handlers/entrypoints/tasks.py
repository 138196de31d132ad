"""The ``tasks`` function: the task queue's consumer and the Lambda states of the task machine."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import SOURCE
from handlers.consumers.dead_letters import QUEUE_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core import aws_clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import TasksSettings
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import DATA, TASKS, TableStore
from handlers.tasks.finalize import Finalizer
from handlers.tasks.handlers import load_task_handlers
from handlers.tasks.items import ItemRunner
from handlers.tasks.runner import RunnerOptions, TaskRunner
from handlers.tasks.states import task_states

if TYPE_CHECKING:
    from handlers.state_machines.port import StateMachines


@dataclass(frozen=True)
class TaskPorts:
    """Where the function reaches AWS."""

    store: TableStore
    workflows: StateMachines
    clock: Clock
    dead_letters: DeadLetters


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: TaskPorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = TasksSettings(env)
    if ports is None:
        ports = TaskPorts(
            store=DynamoTableStore(aws.dynamodb(), {TASKS: settings.tasks_table, DATA: settings.data_table}),
            workflows=StepFunctions(aws.stepfunctions(), starts=aws.stepfunctions_once()),
            clock=clock or SystemClock(),
            dead_letters=SqsDeadLetters(aws.sqs, {QUEUE_SOURCE: settings.dead_letter_queue_url}),
        )
    store, clock = ports.store, ports.clock
    handlers = load_task_handlers(settings.handler_modules, {"store": store, "clock": clock})
    options = RunnerOptions(
        machine_arn=settings.task_state_machine_arn,
        timeout_minutes=settings.task_timeout_minutes,
        lease_seconds=settings.lease_seconds,
        max_receives=settings.max_receives,
    )
    runner = TaskRunner(store, clock, ports.workflows, handlers, ports.dead_letters, options)
    states = task_states(ItemRunner(store, clock, handlers), Finalizer(store, clock), clock)

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == SOURCE:
            return states(event)
        if event.get("Records") and event["Records"][0].get("eventSource") == QUEUE_SOURCE:
            return runner(event["Records"], uuid.uuid4().hex)
        raise ValidationError("event", sorted(event), "a batch of the task queue or a state of the task machine")

    return bounded(handle)


handler = lambda_handler(create)
