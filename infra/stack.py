"""The stack: composes the components and knows nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra.config import ConfigError, StackConfig
from infra.custom_machines import custom_machine_arns, custom_permissions, custom_workflows
from infra.custom_workflows import find_workflows
from infra.functions import STARTS_COMMAND, Function, FunctionArgs, stream_mapping
from infra.imports import FILES, Imports, ImportsArgs
from infra.messaging import IMPORT_QUEUE, NOTIFICATION_QUEUE, TASK_QUEUE, Messaging, MessagingArgs
from infra.monitoring import Monitoring, MonitoringArgs
from infra.naming import Account, Names
from infra.notifications import Notifications, NotificationsArgs
from infra.outputs import stack_outputs
from infra.packaging import archive_members, build_archive, check_modules
from infra.permissions import OF_CUSTOM_WORKFLOWS, Resources
from infra.rules import ended_badly_rule, sweep_schedule
from infra.storage import Storage, StorageArgs
from infra.sync_targets import duplicated_ids, target_permissions, targets_json
from infra.tables import OPEN_INDEX, Tables, TablesArgs
from infra.tasks import Tasks, TasksArgs
from infra.workflows import (
    COMMAND_HANDLER,
    COMMAND_HANDLER_EXPRESS,
    EXPRESS,
    IMPORT_CSV,
    IMPORT_ZIP,
    STANDARD,
    TASK_HANDLER,
    Workflow,
    WorkflowArgs,
    command_numbers,
    load_definition,
)

EVENTS_TIMEOUT_SECONDS = 60
SWEEPER_TIMEOUT_SECONDS = 300
#: Below the states' own timeout (60 s), so that the function's end is seen first.
WORKFLOW_TIMEOUT_SECONDS = 30
STREAM_READERS = ("events", "imports", "loader", "notifications")
#: Type of the command machine to its name.
MACHINES = {STANDARD: COMMAND_HANDLER, EXPRESS: COMMAND_HANDLER_EXPRESS}


def build(config: StackConfig, names: Names, root: Path) -> dict[str, pulumi.Input[object]]:
    """Declare everything; answers the stack's outputs. ``root`` holds the ``handlers`` package.

    Raises:
        ConfigError, PackagingError, DefinitionError, SubstitutionError: before any resource is declared.
    """
    members = archive_members(root)
    check_modules(members, config.handler_modules)
    definitions = {STANDARD: load_definition("command"), EXPRESS: load_definition("command_express")}
    custom = find_workflows(members, config.handler_modules)
    problems = list(duplicated_ids(config.sync_targets, members, config.handler_modules))
    if problems:
        raise ConfigError(problems)
    archive = build_archive(members)
    account = _account()

    tables = Tables("tables", TablesArgs(names, config.point_in_time_recovery, config.deletion_protection))
    messaging = Messaging("messaging", MessagingArgs(names, account, config.alarm_emails))
    storage = Storage("storage", StorageArgs(names, account, config.deletion_protection))
    # The machine calls the function and the function resumes the machine: one of the two ARNs is built from its name.
    machine_arns = {kind: account.arn("states", f"stateMachine:{names.of(name)}") for kind, name in MACHINES.items()}
    machine_arn = machine_arns[config.command_workflow]
    task_machine_arn = account.arn("states", f"stateMachine:{names.of(TASK_HANDLER)}")
    import_csv_arn = account.arn("states", f"stateMachine:{names.of(IMPORT_CSV)}")
    import_zip_arn = account.arn("states", f"stateMachine:{names.of(IMPORT_ZIP)}")
    custom_arns = custom_machine_arns(names, account, custom)
    resources = Resources(
        {
            **{f"table:{name}": table.arn for name, table in tables.by_name.items()},
            "stream:commands": tables.by_name["commands"].stream_arn,
            "stream:tasks": tables.by_name["tasks"].stream_arn,
            "stream:import_tmp": tables.by_name["import_tmp"].stream_arn,
            "index:open": pulumi.Output.concat(tables.by_name["commands"].arn, f"/index/{OPEN_INDEX}"),
            "index:open-tasks": pulumi.Output.concat(tables.by_name["tasks"].arn, f"/index/{OPEN_INDEX}"),
            "index:open-imports": pulumi.Output.concat(tables.by_name["import_tmp"].arn, f"/index/{OPEN_INDEX}"),
            **{f"machine:{MACHINES[kind]}": arn for kind, arn in machine_arns.items()},
            f"machine:{TASK_HANDLER}": task_machine_arn,
            f"machine:{IMPORT_CSV}": import_csv_arn,
            f"machine:{IMPORT_ZIP}": import_zip_arn,
            "topic:alarm": messaging.alarm_topic.arn,
            "topic:main": messaging.main_topic.arn,
            "bus:events": messaging.event_bus.arn,
            f"queue:{NOTIFICATION_QUEUE}": messaging.queues[NOTIFICATION_QUEUE].arn,
            f"queue:{TASK_QUEUE}": messaging.queues[TASK_QUEUE].arn,
            f"queue:{IMPORT_QUEUE}": messaging.queues[IMPORT_QUEUE].arn,
            "queue:stream-failures": messaging.stream_failures.arn,
            "objects:attributes": pulumi.Output.concat(storage.bucket.arn, "/attributes/*"),
            "objects:imports": pulumi.Output.concat(storage.bucket.arn, f"/{FILES}*"),
            "objects:normalised": pulumi.Output.concat(storage.bucket.arn, "/normalised/*"),
            "objects:map-results": pulumi.Output.concat(storage.bucket.arn, "/map-results/*"),
            "objects:zip": pulumi.Output.concat(storage.bucket.arn, "/zip/*"),
            "objects:reports": pulumi.Output.concat(storage.bucket.arn, "/reports/*"),
        }
    )
    environments = _environments(config, names, tables, messaging, storage, machine_arn, task_machine_arn, custom_arns)
    workflow = Function(
        "workflow",
        FunctionArgs(
            "workflow",
            "The Lambda states of the command state machine",
            WORKFLOW_TIMEOUT_SECONDS,
            environments["workflow"],
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
            environments["events"],
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
            environments["sweeper"],
            resources,
            archive,
            names,
            config,
        ),
    )
    # Both are always declared and one receives starts, so that switching strands nothing that is on its way.
    command_workflows = {
        kind: Workflow(
            name,
            WorkflowArgs(
                name,
                definitions[kind],
                {"WorkflowFunctionArn": workflow.function.arn},
                {"WorkflowFunctionArn": workflow.function.arn},
                names,
                config,
                command_numbers(config) if kind == STANDARD else {},
                kind,
            ),
        )
        for kind, name in MACHINES.items()
    }
    stream_mapping(
        "events-commands-stream",
        stream_arn=tables.by_name["commands"].stream_arn,
        function=events,
        on_failure_arn=messaging.stream_failures.arn,
        patterns=[STARTS_COMMAND],
        batch_size=config.stream_batch_size,
    )
    notifications = Notifications(
        "notifier",
        NotificationsArgs(names, config, environments["notifications"], resources, archive, tables, messaging),
    )
    tasks = Tasks(
        "task-runner",
        TasksArgs(names, config, resources, archive, tables, messaging, events, task_machine_arn),
    )
    custom_machines = custom_workflows(custom, workflow, names, config)
    imports = Imports(
        "imports",
        ImportsArgs(
            names, config, resources, archive, tables, messaging, storage, account, import_csv_arn, import_zip_arn
        ),
    )
    ended_badly_rule(names, events, [command_workflows[STANDARD], tasks.workflow])
    ended_badly_rule(names, imports.loader, [imports.csv_workflow, imports.zip_workflow], name="imports-ended-badly")
    sweep_schedule(names, sweeper, config.sweep_minutes)
    functions = {
        "events": events,
        "imports": imports.function,
        "loader": imports.loader,
        "notifications": notifications.function,
        "sweeper": sweeper,
        "tasks": tasks.function,
        "workflow": workflow,
    }
    monitoring = Monitoring(
        "monitoring",
        MonitoringArgs(
            names,
            account,
            config,
            messaging.alarm_topic.arn,
            machines={
                **{MACHINES[kind]: one.machine.arn for kind, one in command_workflows.items()},
                TASK_HANDLER: tasks.workflow.machine.arn,
                IMPORT_CSV: imports.csv_workflow.machine.arn,
                IMPORT_ZIP: imports.zip_workflow.machine.arn,
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
    receiving = command_workflows[config.command_workflow]
    return stack_outputs(
        config,
        tables,
        messaging,
        storage,
        functions,
        receiving,
        tasks.workflow,
        imports.csv_workflow,
        imports.zip_workflow,
        custom_machines,
        monitoring,
    )


def _environments(
    config: StackConfig,
    names: Names,
    tables: Tables,
    messaging: Messaging,
    storage: Storage,
    machine_arn: str,
    task_machine_arn: str,
    custom_arns: Mapping[str, str],
) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Exactly what each function's settings read; a test holds both sides."""
    commands = tables.by_name["commands"].name
    return {
        "events": {
            "COMMANDS_TABLE": commands,
            "TASKS_TABLE": tables.by_name["tasks"].name,
            "COMMAND_STATE_MACHINE_ARN": machine_arn,
            "TASK_STATE_MACHINE_ARN": task_machine_arn,
            "ALARM_TOPIC_ARN": messaging.alarm_topic.arn,
            "MAIN_TOPIC_ARN": messaging.main_topic.arn,
            "STATUS_EVENTS": config.status_events,
            "LOG_LEVEL": config.log_level,
        },
        "notifications": {
            "COMMANDS_TABLE": commands,
            "IMPORT_TABLE": tables.by_name["import_tmp"].name,
            "MAIN_TOPIC_ARN": messaging.main_topic.arn,
            "STATUS_EVENTS": config.status_events,
            "EVENT_BUS_NAME": messaging.event_bus.name,
            "LOG_LEVEL": config.log_level,
        },
        "sweeper": {
            "COMMANDS_TABLE": commands,
            "DATA_TABLE": tables.by_name["data"].name,
            "TASKS_TABLE": tables.by_name["tasks"].name,
            "IMPORT_TABLE": tables.by_name["import_tmp"].name,
            "COMMAND_STATE_MACHINE_ARN": machine_arn,
            "ALARM_TOPIC_ARN": messaging.alarm_topic.arn,
            "MAIN_TOPIC_ARN": messaging.main_topic.arn,
            "WAIT_LIMIT_HOURS": str(config.wait_limit_hours),
            "IMPORT_TIMEOUT_HOURS": str(config.import_timeout_hours),
            "METRIC_NAMESPACE": names.metric_namespace,
            "LOG_LEVEL": config.log_level,
        },
        "workflow": {
            "COMMANDS_TABLE": commands,
            "DATA_TABLE": tables.by_name["data"].name,
            "HISTORY_TABLE": tables.by_name["history"].name,
            "TASKS_TABLE": tables.by_name["tasks"].name,
            "COMMAND_STATE_MACHINE_ARN": machine_arn,
            "CUSTOM_STATE_MACHINE_ARNS": json.dumps(custom_arns, separators=(",", ":")),
            "BUCKET_NAME": storage.bucket.bucket,
            "INLINE_ATTRIBUTE_LIMIT": str(config.inline_attribute_limit),
            "ALARM_TOPIC_ARN": messaging.alarm_topic.arn,
            "HANDLER_MODULES": ",".join(config.handler_modules),
            "STATUS_DETAIL": config.shown_status_detail,
            "SYNC_TARGETS": targets_json(config.sync_targets),
            "WAIT_LIMIT_HOURS": str(config.wait_limit_hours),
            "LEASE_SECONDS": str(config.lease_seconds),
            "TTL_DAYS": json.dumps(config.ttl_days, sort_keys=True),
            "LOG_LEVEL": config.log_level,
        },
    }


def _account() -> Account:
    """Known at program time, so that names and ARNs show in a preview."""
    return Account(
        aws.get_partition().partition,
        aws.get_region().region,
        aws.get_caller_identity().account_id,
    )
