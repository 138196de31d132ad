"""The command pipeline: the command state machines with the function of their Lambda states, the function that applies
commands itself (INLINE), and the stream that delivers new commands to the configured one.
"""

from __future__ import annotations

from contract.command_status import ACCEPTED, WAIT_PREV_COMMAND
from contract.functions import APPLY, STATES
from contract.messages import ALARM_TOPIC, STREAM_FAILURES
from contract.objects import ATTRIBUTES
from contract.state_machines import (
    COMMAND_HANDLER,
    COMMAND_HANDLER_EXPRESS,
    COMMAND_MACHINES,
    EXPRESS,
    INLINE,
    STANDARD,
    STARTED_MACHINES,
)
from contract.tables import COMMANDS, DATA, HISTORY, INSERT, TASKS
from infra.capabilities.application import application_environment, with_application
from infra.components.deployment import Deployment
from infra.components.environments import Environment, ttl_days
from infra.components.event_sources import stream_mapping
from infra.components.functions import Function, FunctionSpec
from infra.components.places import Places
from infra.components.state_machines import ONE_HOUR, StateMachine, StateMachineArgs, load_definition
from infra.configuration.stack_config import StackConfig
from infra.configuration.sync_targets import target_permissions, targets_json
from infra.permissions.policies import READ_STREAM
from infra.permissions.resources import machine, objects, queue, stream, table, topic

#: New commands of the asynchronous path; rows of publish_sync and request rows don't match.
#: Filters name leaves and positive values (Lambda Developer Guide, "Control which events Lambda sends").
STARTS_COMMAND = {"eventName": [INSERT], "dynamodb": {"NewImage": {"status": {"S": [ACCEPTED]}}}}
DEFINITIONS = {STANDARD: "command", EXPRESS: "command_express"}


def _environment(config: StackConfig, places: Places) -> Environment:
    return {**pipeline_environment(config, places), "TASKS_TABLE": places.tables[TASKS]}


def pipeline_environment(config: StackConfig, places: Places) -> Environment:
    """Variables of a function that applies commands."""
    return {
        **application_environment(config, places),
        "COMMAND_STATE_MACHINE_ARN": places.machines[STARTED_MACHINES[config.command_workflow]],
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
    # Below the states' own timeout (60 s), so that the function times out before its state.
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
    environment=_environment,
    configured=lambda config, _: target_permissions(config.sync_targets),
)


def _inline_environment(config: StackConfig, places: Places) -> Environment:
    return {
        **pipeline_environment(config, places),
        "INLINE_THREADS": str(config.inline_threads),
        "INLINE_TARGET_SECONDS": str(config.inline_target_seconds),
        "STREAM_FAILURES_URL": places.stream_failures,
    }


APPLY_SPEC = FunctionSpec(
    APPLY,
    "Applies new commands as they come, where commandWorkflow is INLINE",
    # Below the shortest lease (90 s), so that no lease ends while its invocation is still running.
    timeout=60,
    grants={
        table(COMMANDS): ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        table(DATA): ("dynamodb:GetItem", "dynamodb:PutItem"),
        table(HISTORY): ("dynamodb:PutItem",),
        objects(ATTRIBUTES): ("s3:GetObject",),
        stream(COMMANDS): READ_STREAM,
        # After a switch of commandWorkflow, successors may still wait in the STANDARD machine; the EXPRESS one takes
        # over commands that can't be completed here.
        machine(COMMAND_HANDLER): ("states:SendTaskSuccess",),
        machine(COMMAND_HANDLER_EXPRESS): ("states:StartExecution",),
        topic(ALARM_TOPIC): ("sns:Publish",),
        queue(STREAM_FAILURES): ("sqs:SendMessage",),
    },
    environment=_inline_environment,
    configured=lambda config, _: target_permissions(config.sync_targets),
)


def states_function(deployment: Deployment) -> Function:
    """The function, with the permissions of the configured targets and the application's classes."""
    return Function(STATES, with_application(SPEC, deployment))


def apply_function(deployment: Deployment) -> Function:
    """The function. It is always declared; ``commandWorkflow`` decides whether it receives commands."""
    return Function(APPLY, with_application(APPLY_SPEC, deployment))


def new_commands(events: Function, apply: Function, deployment: Deployment) -> None:
    """Connect the stream of new commands to one of the two functions.

    There is one mapping, whose function is changed in place (Lambda API reference, UpdateEventSourceMapping), so the
    new function continues at the old one's position. Therefore its name and parent stay the same.
    """
    config = deployment.config
    inline = config.command_workflow == INLINE
    stream_mapping(
        "events-commands-stream",
        COMMANDS,
        apply if inline else events,
        deployment,
        patterns=[STARTS_COMMAND],
        batch_size=config.stream_batch_size,
        parent=events,
        # Set in both cases: a value that is no longer set would keep its previous setting.
        parallelization_factor=config.inline_parallelization_factor if inline else 1,
        window_seconds=config.inline_batch_window_seconds if inline else 0,
    )


def command_machines(states: Function, deployment: Deployment) -> dict[str, StateMachine]:
    """Type to machine. Both are always declared, and one receives new commands, so that switching strands no running
    execution.
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
    """The configured timeouts of the STANDARD command machine."""
    return {
        "/TimeoutSeconds": config.wait_limit_hours * ONE_HOUR + ONE_HOUR,
        f"/States/{WAIT_PREV_COMMAND}/TimeoutSeconds": config.wait_poll_seconds,
    }
