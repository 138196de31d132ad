"""Wiring of the ``states`` function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.commands.attributes import AttributeStore
from handlers.commands.pipeline.steps import Pipeline
from handlers.commands.ports import Ports
from handlers.commands.states import command_states
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.entrypoints.wiring.publishing import publishing
from handlers.entrypoints.wiring.targets import sync_targets
from handlers.objects.s3 import S3Objects
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import TASKS
from handlers.topics.sns import SnsTopic
from handlers.workflows.states import CustomStates
from handlers.workflows.workflow import build_workflows, workflow_classes

if TYPE_CHECKING:
    from handlers.entrypoints.wiring.settings import StatesSettings
    from handlers.state_machines.port import CustomWorkflows

#: Suffix of the EXPRESS command state machine's name; both command state machines call this function.
EXPRESS_END = "-express"


def on_aws(settings: StatesSettings, clock: Clock | None) -> Ports:
    """The ports on AWS, with the tables and topics of the settings."""
    tables = {TASKS: settings.tasks_table, **application_tables(settings)}
    return Ports(
        store=DynamoTableStore(aws.dynamodb(), tables),
        state_machines=StepFunctions(aws.stepfunctions()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock or SystemClock(),
    )


class StatesParts:
    """The function's collaborators. Raises RegistryError, naming the module."""

    def __init__(
        self,
        settings: StatesSettings,
        ports: Ports,
        attributes: AttributeStore | None,
        workflows: CustomWorkflows | None,
        new_id: Callable[[], str] | None,
    ) -> None:
        attributes = attributes or AttributeStore(S3Objects(aws.s3, settings.bucket), settings.inline_attribute_limit)
        collaborators = Collaborators(
            settings, ports.store, ports.clock, attributes=attributes, workflows=workflows, new_id=new_id
        )
        registry = sync_targets(settings, ports.store, ports.clock.now, attributes.decoded, collaborators)
        pipeline = Pipeline(ports, attributes, registry, settings.pipeline)
        self.commands = command_states(pipeline, ports.clock)
        of_workflows = collaborators.and_also(publishing(collaborators, ports, pipeline, settings))
        classes = workflow_classes(settings.handler_modules)
        self.custom = CustomStates(build_workflows(classes, of_workflows), ports.clock)
        #: Name of a custom state machine in AWS to the name of its workflow.
        self.workflow_of = {_name_of(arn): name for name, arn in settings.custom_machines.items()}
        command_machine = _name_of(settings.command_state_machine_arn).removesuffix(EXPRESS_END)
        self.machines = (command_machine, command_machine + EXPRESS_END, *self.workflow_of)


def _name_of(machine_arn: str) -> str:
    return machine_arn.rpartition(":")[2]
