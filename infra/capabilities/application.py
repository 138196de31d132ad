"""Environment of the functions that run the application's classes, and permissions for the collaborators they use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from contract.collaborators import OBJECTS, PUBLISHER, READER, SECRETS, STORE, SYNC_PUBLISHER, WORKFLOWS
from contract.functions import API, APPLY, IMPORTS, LOADER, STATES, TASKS
from contract.objects import APPLICATION, ATTRIBUTES
from contract.tables import COMMANDS, DATA, HISTORY
from contract.tables import TASKS as TASKS_TABLE
from infra.capabilities.custom_machines import custom_permissions
from infra.components.deployment import Deployment
from infra.components.environments import Environment, handler_modules
from infra.components.functions import FunctionArgs, FunctionSpec
from infra.components.places import Places
from infra.configuration.stack_config import StackConfig
from infra.definitions.custom_workflows import CustomWorkflow
from infra.definitions.handler_classes import IMPORT_STRATEGY, SYNC_HANDLER, TASK_HANDLER, WORKFLOW, HandlerClass
from infra.naming.names import Account
from infra.permissions.resources import Grants, objects, table

#: Function to the kinds of classes that it instantiates.
KINDS_OF = {
    API: (SYNC_HANDLER,),
    APPLY: (SYNC_HANDLER,),
    STATES: (SYNC_HANDLER, WORKFLOW),
    TASKS: (TASK_HANDLER,),
    LOADER: (IMPORT_STRATEGY,),
    IMPORTS: (IMPORT_STRATEGY,),
}
_PUBLISH: Grants = {
    table(COMMANDS): ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
    table(DATA): ("dynamodb:ConditionCheckItem", "dynamodb:GetItem"),
    objects(ATTRIBUTES): ("s3:GetObject", "s3:PutObject"),
}
#: Collaborator to its permissions, for classes of any kind.
GRANTS: Mapping[str, Grants] = {
    STORE: {
        table(DATA): (
            *("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
            "dynamodb:UpdateItem",
        )
    },
    OBJECTS: {objects(APPLICATION): ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")},
    PUBLISHER: _PUBLISH,
    SYNC_PUBLISHER: _PUBLISH,
    READER: {
        table(COMMANDS): ("dynamodb:GetItem", "dynamodb:Query"),
        table(DATA): ("dynamodb:GetItem", "dynamodb:Query"),
        table(HISTORY): ("dynamodb:Query",),
        objects(ATTRIBUTES): ("s3:GetObject",),
    },
}
#: Workflows keep their own rows in the tasks table: open approvals, and the completed steps of sagas.
STORE_OF_WORKFLOWS: Grants = {table(TASKS_TABLE): ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")}
#: For a sync handler whose ``up`` takes the previous state.
PREVIOUS: Grants = {table(HISTORY): ("dynamodb:Query",), table(COMMANDS): ("dynamodb:Query",)}
#: Service of a secret's ARN to the action that reads it.
READ_SECRET = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter"}


def entity_types(config: StackConfig, classes: Sequence[HandlerClass]) -> dict[str, list[str]]:
    """The types that may be published: the configured ones, and those that sync handlers and targets name."""
    handled = {one.type for one in classes if one.type is not None}
    handled.update(type_ for target in config.sync_targets for type_ in target.types)
    return {"allowed": sorted(config.entity_types), "handled": sorted(handled)}


def problems_of_types(config: StackConfig, classes: Sequence[HandlerClass]) -> Iterator[str]:
    """One message per handler whose type can't be published."""
    for one in classes:
        if config.entity_types and one.type is not None and one.type not in config.entity_types:
            yield f"cqrs:entityTypes: {one.type!r} is missing, which {one.where} handles"


def application_environment(config: StackConfig, places: Places) -> Environment:
    """Variables that every function that runs the application's classes has in addition to its own."""
    return {
        **config.handler_environment,
        "COMMANDS_TABLE": places.tables[COMMANDS],
        "DATA_TABLE": places.tables[DATA],
        "HISTORY_TABLE": places.tables[HISTORY],
        "BUCKET_NAME": places.bucket,
        "INLINE_ATTRIBUTE_LIMIT": str(config.inline_attribute_limit),
        "CUSTOM_STATE_MACHINE_ARNS": json.dumps(dict(places.custom_machines), separators=(",", ":")),
        "HANDLER_SECRETS": json.dumps(dict(config.handler_secrets), separators=(",", ":")),
        "HANDLER_MODULES": handler_modules(config),
    }


def environment_of_classes(config: StackConfig, classes: Sequence[HandlerClass]) -> Environment:
    """Variables about all classes, for the functions of ``KINDS_OF``."""
    return {"ENTITY_TYPES": json.dumps(entity_types(config, classes), separators=(",", ":"))}


@dataclass(frozen=True)
class Classes:
    """Everything that determines the permissions of the application's classes; known before anything is declared.
    ``custom_machines``: workflow to the ARN of its state machine.
    """

    config: StackConfig
    account: Account
    classes: Sequence[HandlerClass]
    workflows: Sequence[CustomWorkflow]
    custom_machines: Mapping[str, str]

    def rights(self, spec: FunctionSpec) -> tuple[dict[str, tuple[str, ...]], list[Grants]]:
        """A function's permissions from configuration and classes: by ARN, and by name of a resource."""
        allowed = dict(spec.configured(self.config, self.account))
        if spec.name not in KINDS_OF:
            return allowed, []
        classes = self.of(spec.name)
        asked = {name for one in classes for name in one.asks}
        if WORKFLOWS in asked or spec.name == API:
            allowed |= custom_permissions(self.workflows, self.custom_machines, shown=spec.name == API)
        if SECRETS in asked:
            allowed |= {arn: (READ_SECRET[arn.split(":")[2]],) for arn in self.config.handler_secrets.values()}
        return allowed, _also(classes, asked)

    def of(self, function: str) -> list[HandlerClass]:
        """The classes that a function instantiates. Where rows are applied at once, the imports function has sync
        handlers, too.
        """
        applies = any(one.applies_rows for one in self.classes)
        kinds = (*KINDS_OF[function], *((SYNC_HANDLER,) if function == IMPORTS and applies else ()))
        return [one for one in self.classes if one.kind in kinds]

    def permissions(self, function: str) -> list[tuple[pulumi.Input[str], tuple[str, ...]]]:
        """``handlerPermissions``, for the functions that instantiate classes."""
        if function not in KINDS_OF or not self.of(function):
            return []
        return [(resource, one.actions) for one in self.config.handler_permissions for resource in one.resources]


def with_application(spec: FunctionSpec, deployment: Deployment) -> FunctionArgs:
    """A function that runs classes of the application."""
    config, machines = deployment.config, deployment.places.custom_machines
    known = Classes(config, deployment.account, deployment.classes, deployment.workflows, machines)
    allowed, also = known.rights(spec)
    own: list[tuple[pulumi.Input[str], tuple[str, ...]]] = [*allowed.items(), *known.permissions(spec.name)]
    if known.of(spec.name):
        own += deployment.application.grants
    environment = {**deployment.application.environment, **environment_of_classes(config, deployment.classes)}
    layers = [] if deployment.layer is None else [deployment.layer]
    return FunctionArgs(spec, deployment, own, also, environment, layers)


def _also(classes: list[HandlerClass], asked: set[str]) -> list[Grants]:
    def wanted() -> Iterator[Grants]:
        yield from (grants for name, grants in GRANTS.items() if name in asked)
        if any(one.kind == WORKFLOW and STORE in one.asks for one in classes):
            yield STORE_OF_WORKFLOWS
        if any(one.takes_previous for one in classes):
            yield PREVIOUS

    return list(wanted())
