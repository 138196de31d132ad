"""The sweeper: the function that repairs what a crash or a lost message left open, and its schedule."""

from __future__ import annotations

from contract.functions import SWEEPER
from contract.messages import ALARM_TOPIC, INVOCATION_FAILURES, MAIN_TOPIC
from contract.state_machines import COMMAND_HANDLER, COMMAND_HANDLER_EXPRESS, IMPORT_ZIP, STARTED_MACHINES
from contract.tables import COMMANDS, DATA, IMPORT_TMP, TASKS
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.functions import Function, FunctionArgs, FunctionSpec
from infra.components.places import Places
from infra.components.rules import sweep_schedule
from infra.configuration.stack_config import StackConfig
from infra.permissions.resources import machine, open_index, queue, table, topic


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        "COMMANDS_TABLE": places.tables[COMMANDS],
        "DATA_TABLE": places.tables[DATA],
        "TASKS_TABLE": places.tables[TASKS],
        "IMPORT_TABLE": places.tables[IMPORT_TMP],
        "COMMAND_STATE_MACHINE_ARN": places.machines[STARTED_MACHINES[config.command_workflow]],
        "ALARM_TOPIC_ARN": places.topics[ALARM_TOPIC],
        "MAIN_TOPIC_ARN": places.topics[MAIN_TOPIC],
        "WAIT_LIMIT_HOURS": str(config.wait_limit_hours),
        "IMPORT_TIMEOUT_HOURS": str(config.import_timeout_hours),
        "METRIC_NAMESPACE": places.metric_namespace,
    }


SPEC = FunctionSpec(
    SWEEPER,
    "Heals what a crash or a lost message left open",
    timeout=300,
    grants={
        table(COMMANDS): ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        table(DATA): ("dynamodb:GetItem",),
        table(TASKS): ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        table(IMPORT_TMP): ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        open_index(COMMANDS): ("dynamodb:Query",),
        open_index(TASKS): ("dynamodb:Query",),
        open_index(IMPORT_TMP): ("dynamodb:Query",),
        machine(COMMAND_HANDLER): ("states:SendTaskSuccess", "states:StartExecution"),
        machine(COMMAND_HANDLER_EXPRESS): ("states:StartExecution",),
        machine(IMPORT_ZIP): ("states:SendTaskSuccess",),
        topic(MAIN_TOPIC): ("sns:Publish",),
        topic(ALARM_TOPIC): ("sns:Publish",),
        queue(INVOCATION_FAILURES): ("sqs:SendMessage",),
    },
    environment=_environment,
)


def sweeper_function(deployment: Deployment) -> Function:
    """The function, called every ``sweepMinutes``."""
    function = Function(SWEEPER, FunctionArgs(SPEC, deployment))
    sweep_schedule(deployment, function)
    return function
