"""The task runner: its function and state machine, and what leads to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from contract.messages import TASK_QUEUE
from contract.options import ALL, NONE, TERMINAL
from contract.rows import BATCH, ITEM, TASK
from contract.state_machines import STANDARD, TASK_HANDLER
from contract.tables import INSERT, MODIFY, TASKS
from contract.work_status import CREATED, FAILED, PROCESSING, QUEUED, TASK_TERMINAL
from infra.components.functions import Function, FunctionArgs, queue_mapping, stream_mapping
from infra.components.messaging import TASKS_TIMEOUT_SECONDS, Messaging
from infra.components.state_machines import StateMachine, StateMachineArgs, load_definition
from infra.components.tables import Tables
from infra.configuration.stack_config import StackConfig
from infra.naming.names import Account, Names
from infra.permissions.policies import Resources

ACCEPTED = {
    "eventName": [INSERT, MODIFY],
    "dynamodb": {"NewImage": {"kind": {"S": [TASK, BATCH]}, "status": {"S": [CREATED]}}},
}
#: Statuses that others are told of, by ``statusEvents``. Failures are always read: each raises its alarm.
PUBLISHED_STATUSES = {
    TERMINAL: TASK_TERMINAL,
    ALL: (QUEUED, PROCESSING, *TASK_TERMINAL),
    NONE: (FAILED,),
}


@dataclass(frozen=True)
class TasksArgs:
    """What the task runner needs to know."""

    names: Names
    account: Account
    config: StackConfig
    resources: Resources
    archive: pulumi.Archive
    tables: Tables
    messaging: Messaging
    environment: Mapping[str, pulumi.Input[str]]
    events: Function


class Tasks(pulumi.ComponentResource):
    """``function`` runs the handlers, ``state_machine`` goes over lists."""

    function: Function
    state_machine: StateMachine

    def __init__(self, name: str, args: TasksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Tasks", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        config = args.config
        self.function = Function(
            "tasks",
            FunctionArgs(
                "tasks",
                "Task handlers: single tasks from the queue, items from the task state machine",
                TASKS_TIMEOUT_SECONDS,
                args.environment,
                args.resources,
                args.archive,
                args.names,
                config,
            ),
            child,
        )
        functions = {"TasksFunctionArn": self.function.function.arn}
        self.state_machine = StateMachine(
            TASK_HANDLER,
            StateMachineArgs(
                TASK_HANDLER,
                load_definition("task"),
                functions,
                functions,
                args.names,
                args.account,
                config,
                {"/TimeoutSeconds": config.task_timeout_minutes * 60},
                STANDARD,
            ),
            child,
        )
        # One mapping for all: a topic that refuses messages holds back the queueing anyway.
        stream_mapping(
            "events-tasks-stream",
            stream_arn=args.tables.by_name[TASKS].stream_arn,
            function=args.events,
            on_failure_arn=args.messaging.stream_failures.arn,
            patterns=[ACCEPTED, has_status(PUBLISHED_STATUSES[config.status_events])],
            batch_size=config.stream_batch_size,
        )
        queue_mapping(
            "tasks-action-queue",
            queue_arn=args.messaging.queues[TASK_QUEUE].arn,
            function=self.function,
            batch_size=1,
        )
        self.register_outputs({"stateMachineArn": self.state_machine.machine.arn})


def has_status(statuses: Sequence[str]) -> dict[str, object]:
    """Tasks and items with one of these statuses; the code drops those that only got another field."""
    return {
        "eventName": [INSERT, MODIFY],
        "dynamodb": {"NewImage": {"kind": {"S": [TASK, BATCH, ITEM]}, "status": {"S": list(statuses)}}},
    }
