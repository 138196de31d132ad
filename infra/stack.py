"""The stack: composes the components and knows nothing else."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws

from contract import objects
from contract.messages import IMPORT_QUEUE, NOTIFICATION_QUEUE, TASK_QUEUE
from contract.state_machines import COMMAND_MACHINES, EXPRESS, IMPORT_CSV, IMPORT_ZIP, MACHINES, STANDARD, TASK_HANDLER
from contract.tables import OPEN_INDEX
from infra.components.custom_machines import custom_machine_arns, custom_permissions, custom_workflows
from infra.components.environments import (
    Environment,
    Places,
    check_sizes,
    declared_places,
    environments,
    expected_places,
)
from infra.components.functions import STARTS_COMMAND, STREAM_READERS, Function, FunctionArgs, stream_mapping
from infra.components.imports import Imports, ImportsArgs
from infra.components.messaging import Messaging, MessagingArgs
from infra.components.monitoring import Monitoring, MonitoringArgs
from infra.components.outcomes import Outcomes, OutcomesArgs
from infra.components.rules import IMPORTS_ENDED_BADLY, ended_badly_rule, sweep_schedule
from infra.components.state_machines import (
    StateMachine,
    StateMachineArgs,
    command_numbers,
    load_definition,
)
from infra.components.storage import Storage, StorageArgs
from infra.components.tables import Tables, TablesArgs
from infra.components.tasks import Tasks, TasksArgs
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.configuration.sync_targets import duplicated_ids, target_permissions
from infra.definitions.custom_workflows import find_workflows
from infra.naming.names import Account, Names
from infra.outputs import stack_outputs
from infra.packaging import archive_members, build_archive, check_modules, without_unused_samples
from infra.permissions.policies import OF_CUSTOM_WORKFLOWS, Resources
from infra.physical_names import check_names, taken_names

EVENTS_TIMEOUT_SECONDS = 60
SWEEPER_TIMEOUT_SECONDS = 300
#: Below the states' own timeout (60 s), so that the function's end is seen first.
STATES_TIMEOUT_SECONDS = 30


def build(config: StackConfig, names: Names, root: Path) -> dict[str, pulumi.Input[object]]:
    """Declare everything; answers the stack's outputs. ``root`` holds the ``handlers`` package.

    Raises:
        ConfigError, PackagingError, DefinitionError, SubstitutionError: before any resource is declared.
    """
    members = archive_members(root)
    check_modules(members, config.handler_modules)
    definitions = {STANDARD: load_definition("command"), EXPRESS: load_definition("command_express")}
    custom = find_workflows(members, config.handler_modules, taken_names())
    check_names(names, [one.name for one in custom])
    problems = list(duplicated_ids(config.sync_targets, members, config.handler_modules))
    if problems:
        raise ConfigError(problems)
    archive = build_archive(without_unused_samples(members, config.handler_modules))
    account = _account()
    # The machine calls the function and the function resumes the machine: one of the two ARNs is built from its name.
    machine_arns = {name: account.arn("states", f"stateMachine:{names.of(name)}") for name in MACHINES}
    machines = {**machine_arns, "commands": machine_arns[COMMAND_MACHINES[config.command_workflow]]}
    custom_arns = custom_machine_arns(names, account, custom)

    def environments_at(places: Places) -> dict[str, Environment]:
        return environments(config, names, places, machines, custom_arns)

    check_sizes(environments_at(expected_places(names, account)))

    tables = Tables("tables", TablesArgs(names, config.point_in_time_recovery, config.deletion_protection))
    messaging = Messaging("messaging", MessagingArgs(names, account, config.alarm_emails))
    storage = Storage("storage", StorageArgs(names, account, config.deletion_protection, config.force_destroy))
    resources = Resources(
        {
            **{f"table:{name}": table.arn for name, table in tables.by_name.items()},
            "stream:commands": tables.by_name["commands"].stream_arn,
            "stream:tasks": tables.by_name["tasks"].stream_arn,
            "stream:import_tmp": tables.by_name["import_tmp"].stream_arn,
            "index:open": pulumi.Output.concat(tables.by_name["commands"].arn, f"/index/{OPEN_INDEX}"),
            "index:open-tasks": pulumi.Output.concat(tables.by_name["tasks"].arn, f"/index/{OPEN_INDEX}"),
            "index:open-imports": pulumi.Output.concat(tables.by_name["import_tmp"].arn, f"/index/{OPEN_INDEX}"),
            **{f"machine:{name}": arn for name, arn in machine_arns.items()},
            "topic:alarm": messaging.alarm_topic.arn,
            "topic:main": messaging.main_topic.arn,
            "bus:events": messaging.event_bus.arn,
            f"queue:{NOTIFICATION_QUEUE}": messaging.queues[NOTIFICATION_QUEUE].arn,
            f"queue:{TASK_QUEUE}": messaging.queues[TASK_QUEUE].arn,
            f"queue:{IMPORT_QUEUE}": messaging.queues[IMPORT_QUEUE].arn,
            **{f"queue:{name}-dlq": queue.arn for name, queue in messaging.dead_letter_queues.items()},
            "queue:stream-failures": messaging.stream_failures.arn,
            "objects:attributes": pulumi.Output.concat(storage.bucket.arn, "/attributes/*"),
            "objects:imports": pulumi.Output.concat(storage.bucket.arn, f"/{objects.IMPORTS}*"),
            "objects:normalised": pulumi.Output.concat(storage.bucket.arn, "/normalised/*"),
            "objects:map-results": pulumi.Output.concat(storage.bucket.arn, "/map-results/*"),
            "objects:zip": pulumi.Output.concat(storage.bucket.arn, "/zip/*"),
            "objects:reports": pulumi.Output.concat(storage.bucket.arn, "/reports/*"),
        }
    )
    environment = environments_at(declared_places(tables, messaging, storage))
    states = Function(
        "states",
        FunctionArgs(
            "states",
            "The Lambda states of the command state machine",
            STATES_TIMEOUT_SECONDS,
            environment["states"],
            resources,
            archive,
            names,
            config,
            {**target_permissions(config.sync_targets), **custom_permissions(custom, custom_arns)},
            also=OF_CUSTOM_WORKFLOWS if custom else {},
        ),
    )
    events = Function(
        "events",
        FunctionArgs(
            "events",
            "Table streams, and executions that ended outside of their own control",
            EVENTS_TIMEOUT_SECONDS,
            environment["events"],
            resources,
            archive,
            names,
            config,
        ),
    )
    sweeper = Function(
        "sweeper",
        FunctionArgs(
            "sweeper",
            "Heals what a crash or a lost message left open",
            SWEEPER_TIMEOUT_SECONDS,
            environment["sweeper"],
            resources,
            archive,
            names,
            config,
        ),
    )
    # Both are always declared and one receives starts, so that switching strands nothing that is on its way.
    command_machines = {
        kind: StateMachine(
            name,
            StateMachineArgs(
                name,
                definitions[kind],
                {"StatesFunctionArn": states.function.arn},
                {"StatesFunctionArn": states.function.arn},
                names,
                account,
                config,
                command_numbers(config) if kind == STANDARD else {},
                kind,
            ),
        )
        for kind, name in COMMAND_MACHINES.items()
    }
    stream_mapping(
        "events-commands-stream",
        stream_arn=tables.by_name["commands"].stream_arn,
        function=events,
        on_failure_arn=messaging.stream_failures.arn,
        patterns=[STARTS_COMMAND],
        batch_size=config.stream_batch_size,
    )
    outcomes = Outcomes(
        "outcomes",
        OutcomesArgs(names, config, environment["outcomes"], resources, archive, tables, messaging),
    )
    tasks = Tasks(
        "task-runner",
        TasksArgs(names, account, config, resources, archive, tables, messaging, environment["tasks"], events),
    )
    custom_machines = custom_workflows(custom, states, names, account, config)
    imports = Imports(
        "imports",
        ImportsArgs(
            names,
            config,
            resources,
            archive,
            tables,
            messaging,
            storage,
            account,
            environment["imports"],
            environment["loader"],
        ),
    )
    ended_badly_rule(names, events, [command_machines[STANDARD], tasks.state_machine])
    ended_badly_rule(names, imports.loader, [imports.csv_machine, imports.zip_machine], name=IMPORTS_ENDED_BADLY)
    sweep_schedule(names, sweeper, config.sweep_minutes)
    functions = {
        "events": events,
        "imports": imports.function,
        "loader": imports.loader,
        "outcomes": outcomes.function,
        "sweeper": sweeper,
        "tasks": tasks.function,
        "states": states,
    }
    monitoring = Monitoring(
        "monitoring",
        MonitoringArgs(
            names,
            account,
            config,
            messaging.alarm_topic.arn,
            machines={
                **{COMMAND_MACHINES[kind]: one.machine.arn for kind, one in command_machines.items()},
                TASK_HANDLER: tasks.state_machine.machine.arn,
                IMPORT_CSV: imports.csv_machine.machine.arn,
                IMPORT_ZIP: imports.zip_machine.machine.arn,
                **{name: one.machine.arn for name, one in custom_machines.items()},
            },
            functions={name: function.function.name for name, function in functions.items()},
            stream_functions={name: functions[name].function.name for name in STREAM_READERS},
            dead_letter_queues={
                **{f"{name}-dlq": queue.name for name, queue in messaging.dead_letter_queues.items()},
                "stream-failures": messaging.stream_failures.name,
            },
            may_take_seconds={
                TASK_HANDLER: config.task_timeout_minutes * 60,
                IMPORT_CSV: config.import_timeout_hours * 3_600,
                IMPORT_ZIP: config.import_timeout_hours * 3_600,
                # Workflows may wait for people: they are slow only beyond what their definition allows.
                **{one.name: one.definition["TimeoutSeconds"] for one in custom},
            },
        ),
    )
    receiving = command_machines[config.command_workflow]
    return stack_outputs(
        config,
        tables,
        messaging,
        storage,
        functions,
        receiving,
        tasks.state_machine,
        imports.csv_machine,
        imports.zip_machine,
        custom_machines,
        monitoring,
    )


def _account() -> Account:
    """Known at program time, so that names and ARNs show in a preview."""
    return Account(
        aws.get_partition().partition,
        aws.get_region().region,
        aws.get_caller_identity().account_id,
    )
