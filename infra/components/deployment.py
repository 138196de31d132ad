"""The argument of components with functions: configuration, and the resources that functions use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pulumi

from contract.state_machines import MACHINES
from infra.components.application import Application
from infra.components.messaging import Messaging
from infra.components.places import Places, all_alarms, declared_places, executions_of, expected_places, machine_arns
from infra.components.storage import Storage
from infra.components.tables import Tables
from infra.configuration.stack_config import StackConfig
from infra.definitions.custom_workflows import CustomWorkflow
from infra.definitions.handler_classes import HandlerClass
from infra.naming.names import Account, Names
from infra.permissions.resources import ALARMS, Resources, executions, machine


@dataclass(frozen=True)
class Deployment:
    """One stack. ``application``, ``workflows`` and ``classes`` are the application's. ``layer``: ARN of the layer with
    the packages that its code imports, None if it needs none.
    """

    config: StackConfig
    names: Names
    account: Account
    archive: pulumi.Archive
    application: Application
    layer: pulumi.Input[str] | None
    workflows: Sequence[CustomWorkflow]
    classes: Sequence[HandlerClass]
    tables: Tables
    messaging: Messaging
    storage: Storage
    #: ARN of the key that encrypts everything, None for AWS's own keys.
    key: pulumi.Input[str] | None

    @cached_property
    def places(self) -> Places:
        """For the functions' environments."""
        expected = expected_places(self.names, self.account, [one.name for one in self.workflows])
        return declared_places(expected, self.tables, self.messaging, self.storage)

    @cached_property
    def resources(self) -> Resources:
        """For the functions' permissions."""
        machines = machine_arns(self.names, self.account, MACHINES)
        return Resources(
            {
                **self.tables.arns(),
                **self.messaging.arns(),
                **self.storage.arns(),
                ALARMS: all_alarms(self.account),
                **{machine(name): arn for name, arn in machines.items()},
                **{executions(name): executions_of(arn) for name, arn in machines.items()},
            },
            self.key,
        )
