"""The pipeline: the function of the machines' Lambda states, and the command machines."""

from __future__ import annotations

from contract.command_status import WAIT_PREV_COMMAND
from contract.functions import STATES
from contract.messages import ALARM_TOPIC
from contract.objects import ATTRIBUTES
from contract.state_machines import (
    COMMAND_HANDLER,
    COMMAND_HANDLER_EXPRESS,
    COMMAND_MACHINES,
    EXPRESS,
    STANDARD,
)
from contract.tables import COMMANDS, DATA, HISTORY, TASKS
from infra.capabilities.application import application_environment, with_application
from infra.components.deployment import Deployment
from infra.components.environments import Environment, ttl_days
from infra.components.functions import Function, FunctionSpec
from infra.components.places import Places
from infra.components.state_machines import ONE_HOUR, StateMachine, StateMachineArgs, load_definition
from infra.configuration.stack_config import StackConfig
from infra.configuration.sync_targets import target_permissions, targets_json
from infra.permissions.resources import machine, objects, table, topic

DEFINITIONS = {STANDARD: "command", EXPRESS: "command_express"}


def pipeline_environment(config: StackConfig, places: Places) -> Environment:
    """What a function needs that applies commands."""
    return {
        **application_environment(config, places),
        "TASKS_TABLE": places.tables[TASKS],
        "COMMAND_STATE_MACHINE_ARN": places.machines[COMMAND_MACHINES[config.command_workflow]],
        "ALARM_TOPIC_ARN": places.topics[ALARM_TOPIC],
        "STATUS_DETAIL": config.shown_status_detail,
        "SYNC_TARGETS": targets_json(config.sync_targets),
        "WAIT_LIMIT_HOURS": str(config.wait_limit_hours),
        "LEASE_SECONDS": str(config.lease_seconds),
        "TTL_DAYS": ttl_days(config),
    }


SPEC = FunctionSpec(
    STATES,
    "The Lambda states of the command state machine",
    # Below the states' own timeout (60 s), so that the function's end is seen first.
    timeout=30,
    grants={
        table(COMMANDS): ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
        table(DATA): ("dynamodb:GetItem", "dynamodb:PutItem"),
        table(HISTORY): ("dynamodb:PutItem",),
        objects(ATTRIBUTES): ("s3:GetObject",),
        machine(COMMAND_HANDLER): ("states:SendTaskSuccess", "states:StartExecution"),
        machine(COMMAND_HANDLER_EXPRESS): ("states:StartExecution",),
        topic(ALARM_TOPIC): ("sns:Publish",),
    },
    environment=pipeline_environment,
    configured=lambda config, _: target_permissions(config.sync_targets),
)


def states_function(deployment: Deployment) -> Function:
    """The function, with what the configured targets and the application's classes need."""
    return Function(STATES, with_application(SPEC, deployment))


def command_machines(states: Function, deployment: Deployment) -> dict[str, StateMachine]:
    """Type to machine. Both are always declared and one receives starts, so that switching strands nothing that is on
    its way.
    """
    return {
        kind: StateMachine(
            name,
            StateMachineArgs(
                load_definition(DEFINITIONS[kind]),
                [states],
                deployment,
                command_numbers(deployment.config) if kind == STANDARD else {},
                type=kind,
            ),
        )
        for kind, name in COMMAND_MACHINES.items()
    }


def command_numbers(config: StackConfig) -> dict[str, int]:
    """The timeouts of the STANDARD command machine that configuration decides."""
    return {
        "/TimeoutSeconds": config.wait_limit_hours * ONE_HOUR + ONE_HOUR,
        f"/States/{WAIT_PREV_COMMAND}/TimeoutSeconds": config.wait_poll_seconds,
    }
