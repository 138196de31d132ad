"""The function that starts accepted commands and tasks, and closes those whose execution ended without an outcome."""

from __future__ import annotations

from contract.functions import EVENTS
from contract.messages import ALARM_TOPIC, INVOCATION_FAILURES, MAIN_TOPIC, STREAM_FAILURES
from contract.state_machines import COMMAND_HANDLER, COMMAND_HANDLER_EXPRESS, STARTED_MACHINES, TASK_HANDLER
from contract.tables import COMMANDS, TASKS
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.functions import Function, FunctionArgs, FunctionSpec
from infra.components.places import Places
from infra.configuration.stack_config import StackConfig
from infra.permissions.policies import READ_STREAM
from infra.permissions.resources import machine, queue, stream, table, topic


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        "COMMANDS_TABLE": places.tables[COMMANDS],
        "TASKS_TABLE": places.tables[TASKS],
        "COMMAND_STATE_MACHINE_ARN": places.machines[STARTED_MACHINES[config.command_workflow]],
        "TASK_STATE_MACHINE_ARN": places.machines[TASK_HANDLER],
        "ALARM_TOPIC_ARN": places.topics[ALARM_TOPIC],
        "MAIN_TOPIC_ARN": places.topics[MAIN_TOPIC],
        "STATUS_EVENTS": config.status_events,
        "STREAM_FAILURES_URL": places.stream_failures,
    }


SPEC = FunctionSpec(
    EVENTS,
    "Table streams, and executions that ended outside of their own control",
    timeout=60,
    grants={
        table(COMMANDS): ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        table(TASKS): ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        stream(COMMANDS): READ_STREAM,
        stream(TASKS): READ_STREAM,
        # Both: when `commandWorkflow` is switched, policy and environment don't change at the same moment.
        machine(COMMAND_HANDLER): ("states:StartExecution",),
        machine(COMMAND_HANDLER_EXPRESS): ("states:StartExecution",),
        topic(ALARM_TOPIC): ("sns:Publish",),
        topic(MAIN_TOPIC): ("sns:Publish",),
        queue(STREAM_FAILURES): ("sqs:SendMessage",),
        queue(INVOCATION_FAILURES): ("sqs:SendMessage",),
    },
    environment=_environment,
)


def events_function(deployment: Deployment) -> Function:
    """The function; its streams and rules are declared by the components they belong to."""
    return Function(EVENTS, FunctionArgs(SPEC, deployment))
