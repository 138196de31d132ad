"""The ``workflow`` function: the Lambda states of the command state machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers import aws
from handlers.clock import Clock, SystemClock
from handlers.commands.attributes import AttributeStore
from handlers.commands.pipeline.steps import Pipeline, PipelineOptions, Ports
from handlers.commands.workflow_states import CommandStates
from handlers.entrypoints.lazy import Handler, lambda_handler
from handlers.notifications.sns import SnsTopic
from handlers.objects.s3 import S3Objects
from handlers.registry import load_registry
from handlers.settings import WorkflowSettings
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY
from handlers.targets.connect import connect
from handlers.targets.handler import remote_handlers
from handlers.workflows.stepfunctions import StepFunctions


def create(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    ports: Ports | None = None,
    attributes: AttributeStore | None = None,
) -> Handler:
    """The function's handler. ``ports`` and ``attributes`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = WorkflowSettings.from_env(env)
    if ports is None:
        ports = _aws_ports(settings, clock or SystemClock())
    if attributes is None:
        attributes = AttributeStore(S3Objects(aws.s3, settings.bucket))
    remote = remote_handlers(settings.sync_targets, settings.commands_table, connect)
    registry = load_registry(settings.handler_modules, {"store": ports.store, "clock": ports.clock}, remote)
    options = PipelineOptions(
        commands_table=settings.commands_table,
        machine_arn=settings.command_state_machine_arn,
        status_detail=settings.status_detail,
        lease_seconds=settings.lease_seconds,
        wait_limit_hours=settings.wait_limit_hours,
        ttl=settings.ttl,
    )
    states = CommandStates(Pipeline(ports, attributes, registry, options), ports.clock)

    def handle(event: dict[str, Any], context: Any) -> list[list[Any]]:
        return states(event)

    return handle


def _aws_ports(settings: WorkflowSettings, clock: Clock) -> Ports:
    tables = {COMMANDS: settings.commands_table, DATA: settings.data_table, HISTORY: settings.history_table}
    return Ports(
        store=DynamoTableStore(aws.dynamodb(), tables),
        workflows=StepFunctions(aws.stepfunctions()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock,
    )


handler = lambda_handler(create)
