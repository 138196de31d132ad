"""The ``states`` function: the Lambda states of the command state machines and of the application's workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from handlers.commands.attributes import AttributeStore
from handlers.commands.pipeline.steps import Pipeline, PipelineOptions
from handlers.commands.ports import Ports
from handlers.commands.states import command_states
from handlers.commands.targets.registry import load_registry
from handlers.core import aws_clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import StatesSettings
from handlers.entrypoints.wiring.targets import remote_targets
from handlers.objects.s3 import S3Objects
from handlers.state_machines.state_payload import StatePayload
from handlers.state_machines.stepfunctions import StepFunctions, StepFunctionsWorkflows
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY, TASKS
from handlers.topics.sns import SnsTopic
from handlers.workflows.states import CustomStates
from handlers.workflows.workflow import WorkflowEvent, build_workflows, workflow_classes

if TYPE_CHECKING:
    from handlers.state_machines.port import CustomWorkflows

#: The command machines: one is the other's name with this end, and both send their states here.
EXPRESS_END = "-express"


def create(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    ports: Ports | None = None,
    attributes: AttributeStore | None = None,
    workflows: CustomWorkflows | None = None,
    new_id: Callable[[], str] | None = None,
) -> Handler:
    """The function's handler. ``ports``, ``attributes`` and ``workflows`` replace AWS, ``clock`` only the time,
    ``new_id`` the random ids of rows.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = StatesSettings(env)
    if ports is None:
        ports = _aws_ports(settings, clock or SystemClock())
    if attributes is None:
        attributes = AttributeStore(S3Objects(aws.s3, settings.bucket), settings.inline_attribute_limit)
    if workflows is None:
        workflows = StepFunctionsWorkflows(aws.stepfunctions, settings.custom_machines)
    remote = remote_targets(settings.sync_targets, settings.commands_table)
    collaborators: dict[str, Any] = {"store": ports.store, "clock": ports.clock, "workflows": workflows}
    registry = load_registry(settings.handler_modules, collaborators, remote)
    options = PipelineOptions(
        commands_table=settings.commands_table,
        machine_arn=settings.command_state_machine_arn,
        status_detail=settings.status_detail,
        lease_seconds=settings.lease_seconds,
        wait_limit_hours=settings.wait_limit_hours,
        ttl=settings.ttl,
    )
    pipeline = Pipeline(ports, attributes, registry, options)
    classes = workflow_classes(settings.handler_modules)
    if classes:
        # Imported here: a function without workflows of its own starts without the publishing code.
        from handlers.entrypoints.wiring.publishing import publishing

        collaborators |= publishing(ports, attributes, pipeline, settings, new_id)
    of_commands = command_states(pipeline, ports.clock)
    custom_states = CustomStates(build_workflows(classes, collaborators), ports.clock)
    custom = {_name_of(arn): name for name, arn in settings.custom_machines.items()}
    command_machine = _name_of(settings.command_state_machine_arn).removesuffix(EXPRESS_END)
    known = (command_machine, command_machine + EXPRESS_END, *custom)

    def handle(event: dict[str, Any], context: Any) -> list[list[Any]]:
        machine = _machine_of(event)
        if machine in custom:
            return custom_states(custom[machine], WorkflowEvent.parse(event))
        StatePayload.parse(event)
        if machine not in known:
            raise ValidationError("StateMachine.Name", machine, f"one of {', '.join(known)}")
        return of_commands(event)

    return bounded(handle)


def _machine_of(event: Any) -> Any:
    try:
        return event["context"]["StateMachine"]["Name"]
    except (KeyError, TypeError):
        return None


def _name_of(machine_arn: str) -> str:
    return machine_arn.rpartition(":")[2]


def _aws_ports(settings: StatesSettings, clock: Clock) -> Ports:
    tables = {
        COMMANDS: settings.commands_table,
        DATA: settings.data_table,
        HISTORY: settings.history_table,
        TASKS: settings.tasks_table,
    }
    return Ports(
        store=DynamoTableStore(aws.dynamodb(), tables),
        workflows=StepFunctions(aws.stepfunctions()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock,
    )


handler = lambda_handler(create)
