"""The task runner: its function, state machine and event sources."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from contract import functions
from contract.messages import DEAD_LETTER_QUEUES, TASK_QUEUE
from contract.options import ALL, NONE, TERMINAL
from contract.rows import BATCH, ITEM, TASK
from contract.state_machines import TASK_HANDLER
from contract.tables import INSERT, MODIFY, TASKS
from contract.work_status import CREATED, FAILED, PROCESSING, QUEUED, TASK_TERMINAL
from infra.capabilities.application import application_environment, with_application
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.event_sources import queue_mapping, stream_mapping
from infra.components.functions import Function, FunctionSpec
from infra.components.messaging import MAX_RECEIVE_COUNT, TASKS_TIMEOUT_SECONDS
from infra.components.places import Places
from infra.components.state_machines import StateMachine, StateMachineArgs, load_definition
from infra.configuration.stack_config import StackConfig
from infra.permissions.policies import READ_QUEUE
from infra.permissions.resources import machine, queue, table

#: Longer than the function's timeout, so that only a run that has ended can be taken over.
LEASE_SECONDS = TASKS_TIMEOUT_SECONDS + 30
ACCEPTED = {
    "eventName": [INSERT, MODIFY],
    "dynamodb": {"NewImage": {"kind": {"S": [TASK, BATCH]}, "status": {"S": [CREATED]}}},
}
#: Statuses that are published, by ``statusEvents``. Failures are always read: each raises its alarm.
PUBLISHED_STATUSES = {
    TERMINAL: TASK_TERMINAL,
    ALL: (QUEUED, PROCESSING, *TASK_TERMINAL),
    NONE: (FAILED,),
}


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        "TASKS_TABLE": places.tables[TASKS],
        **application_environment(config, places),
        "TASK_STATE_MACHINE_ARN": places.machines[TASK_HANDLER],
        "TASK_TIMEOUT_MINUTES": str(config.task_timeout_minutes),
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
        "DEAD_LETTER_QUEUE_URL": places.dead_letters[TASK_QUEUE],
    }


SPEC = FunctionSpec(
    functions.TASKS,
    "Task handlers: single tasks from the queue, items from the task state machine",
    TASKS_TIMEOUT_SECONDS,
    grants={
        table(TASKS): ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        machine(TASK_HANDLER): ("states:StartExecution",),
        queue(TASK_QUEUE): READ_QUEUE,
        queue(DEAD_LETTER_QUEUES[TASK_QUEUE]): ("sqs:SendMessage",),
    },
    environment=_environment,
)


class Tasks(pulumi.ComponentResource):
    """``function`` runs the handlers, ``state_machine`` iterates over the items of batches."""

    function: Function
    state_machine: StateMachine

    def __init__(
        self, name: str, deployment: Deployment, events: Function, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cqrs:infra:Tasks", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        config = deployment.config
        self.function = Function(functions.TASKS, with_application(SPEC, deployment), child)
        seconds = config.task_timeout_minutes * 60
        self.state_machine = StateMachine(
            TASK_HANDLER,
            StateMachineArgs(
                load_definition("task"),
                [self.function],
                deployment,
                {"/TimeoutSeconds": seconds},
                may_take_seconds=seconds,
            ),
            child,
        )
        # One mapping for both patterns: a topic that refuses messages delays queueing in any case.
        stream_mapping(
            "events-tasks-stream",
            TASKS,
            events,
            deployment,
            patterns=[ACCEPTED, has_status(PUBLISHED_STATUSES[config.status_events])],
            batch_size=config.stream_batch_size,
        )
        queue_mapping("tasks-action-queue", TASK_QUEUE, self.function, deployment, batch_size=1)
        self.register_outputs({"stateMachineArn": self.state_machine.machine.arn})


def has_status(statuses: Sequence[str]) -> dict[str, object]:
    """Tasks and items with one of these statuses; the code drops those in which only other fields changed."""
    return {
        "eventName": [INSERT, MODIFY],
        "dynamodb": {"NewImage": {"kind": {"S": [TASK, BATCH, ITEM]}, "status": {"S": list(statuses)}}},
    }
