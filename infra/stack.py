"""The stack: composes the components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_aws as aws

from contract.functions import API, IMPORTS, OUTCOMES
from contract.state_machines import COMMAND_MACHINES, IMPORT_CSV, IMPORT_ZIP, STANDARD, TASK_HANDLER
from infra import application
from infra.application_sources import application_sources
from infra.capabilities.api import api_function
from infra.capabilities.application import Classes, problems_of_types
from infra.capabilities.catalogue import check_layers, environments, policies
from infra.capabilities.commands import apply_function, command_machines, new_commands, states_function
from infra.capabilities.custom_machines import custom_machines
from infra.capabilities.events import events_function
from infra.capabilities.http_api import HttpApi
from infra.capabilities.imports import Imports
from infra.capabilities.outcomes import Outcomes
from infra.capabilities.publishers import publisher_policy
from infra.capabilities.sweeper import sweeper_function
from infra.capabilities.tasks import Tasks
from infra.components.application import Application, ApplicationArgs
from infra.components.deployment import Deployment
from infra.components.encryption import check_key, encryption_key
from infra.components.environments import check_names_of_variables, check_sizes
from infra.components.messaging import Messaging, MessagingArgs
from infra.components.monitoring import Monitoring, MonitoringArgs
from infra.components.places import expected_places, expected_resources
from infra.components.rules import IMPORTS_ENDED_BADLY, RULES, ended_badly_rule
from infra.components.state_machines import check_definitions
from infra.components.storage import Storage, StorageArgs
from infra.components.tables import Tables, TablesArgs
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.configuration.sync_targets import duplicated_ids
from infra.definitions.handler_classes import problems_of
from infra.naming.names import Account, Names
from infra.outputs import stack_outputs, with_outputs_of_application
from infra.packages.layer import declare_layer
from infra.packaging import functions_archive
from infra.permissions.sizes import check_policies
from infra.physical_names import check_names


def build(
    config: StackConfig,
    names: Names,
    root: Path,
    declare: Callable[[ApplicationArgs], Application] = application.declare,
) -> dict[str, pulumi.Input[object]]:
    """Declare everything, and return the stack's outputs. ``root`` contains the ``handlers`` package.

    ``declare`` declares the application's own resources.

    Raises:
        ConfigError, PackagingError, DefinitionError, SubstitutionError: before any resource is declared.
    """
    check_definitions()
    sources = application_sources(config, root)
    packages, workflows, classes = sources.packages, sources.workflows, sources.classes
    check_names(names, [one.name for one in workflows])
    problems = [f"cqrs:handlerModules: {one}" for one in problems_of(classes)]
    problems += duplicated_ids(config.sync_targets, classes)
    problems += problems_of_types(config, classes)
    if problems:
        raise ConfigError(problems)
    account = _account()
    check_key(config, account)
    check_layers(config, account)
    places = expected_places(names, account, [one.name for one in workflows])
    environment = environments(config, places, classes)
    check_names_of_variables(config.handler_environment, environment)
    check_sizes(environment)
    known = Classes(config, account, classes, workflows, places.custom_machines)
    check_policies(policies(known, expected_resources(names, account, own_key=config.has_key), names))
    key = encryption_key(config, names, account)
    own = declare(ApplicationArgs(config, names, account, key))
    deployment = Deployment(
        config,
        names,
        account,
        functions_archive(sources.members, config, root),
        own,
        None if packages is None else declare_layer(packages, config, names).arn,
        workflows,
        classes,
        Tables("tables", TablesArgs(names, config.point_in_time_recovery, config.deletion_protection, key)),
        Messaging("messaging", MessagingArgs(names, account, config.alarm_emails, RULES, key)),
        Storage(
            "storage",
            StorageArgs(
                names, account, config.deletion_protection, config.force_destroy, key, config.bucket_access_log
            ),
        ),
        key,
    )
    api = api_function(deployment) if config.api_enabled else None
    http_api = HttpApi("api-gateway", deployment, api) if api is not None else None
    publishers = publisher_policy(deployment)
    states = states_function(deployment)
    events = events_function(deployment)
    apply = apply_function(deployment)
    new_commands(events, apply, deployment)
    sweeper = sweeper_function(deployment)
    outcomes = Outcomes(OUTCOMES, deployment)
    tasks = Tasks("task-runner", deployment, events)
    imports = Imports(IMPORTS, deployment)
    commands = command_machines(states, deployment)
    custom = custom_machines(states, deployment)
    ended_badly_rule(deployment, events, [commands[STANDARD], tasks.state_machine])
    ended_badly_rule(deployment, imports.loader, [imports.csv_machine, imports.zip_machine], name=IMPORTS_ENDED_BADLY)
    functions = {
        one.spec.name: one
        for one in (
            *(api, apply, events, imports.function, imports.loader, outcomes.function, sweeper),
            *(tasks.function, states),
        )
        if one is not None
    }
    machines = {
        **{COMMAND_MACHINES[kind]: one for kind, one in commands.items()},
        TASK_HANDLER: tasks.state_machine,
        IMPORT_CSV: imports.csv_machine,
        IMPORT_ZIP: imports.zip_machine,
    }
    apis = {API: http_api.id} if http_api is not None else {}
    monitoring = Monitoring("monitoring", MonitoringArgs(deployment, {**machines, **custom}, functions, apis))
    outputs = stack_outputs(deployment, functions, machines, custom, monitoring, http_api, publishers)
    return with_outputs_of_application(outputs, own.outputs)


def _account() -> Account:
    """Looked up at program time, so that names and ARNs appear in a preview."""
    return Account(
        aws.get_partition().partition,
        aws.get_region().region,
        aws.get_caller_identity().account_id,
    )
