"""Stack outputs: the contract with other projects (docs/outputs.md).

Names are never changed or removed without raising ``SCHEMA_VERSION``; a test holds the list.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.components.functions import Function
from infra.components.messaging import Messaging
from infra.components.monitoring import Monitoring
from infra.components.state_machines import StateMachine
from infra.components.storage import Storage
from infra.components.tables import TABLES, Tables
from infra.configuration.stack_config import StackConfig

SCHEMA_VERSION = 1
QUEUE_OUTPUTS = {
    "task-action-queue": "taskActionQueue",
    "notification-queue": "notificationQueue",
    "import-action-queue": "importActionQueue",
}


def stack_outputs(
    config: StackConfig,
    tables: Tables,
    messaging: Messaging,
    storage: Storage,
    functions: dict[str, Function],
    command_machine: StateMachine,
    task_machine: StateMachine,
    import_csv_machine: StateMachine,
    import_zip_machine: StateMachine,
    custom_workflows: Mapping[str, StateMachine],
    monitoring: Monitoring,
) -> dict[str, pulumi.Input[object]]:
    """Output name to value."""
    outputs: dict[str, pulumi.Input[object]] = {"schemaVersion": SCHEMA_VERSION}
    for name, table in tables.by_name.items():
        outputs[f"{name}TableName"] = table.name
        outputs[f"{name}TableArn"] = table.arn
        if TABLES[name]:
            outputs[f"{name}StreamArn"] = table.stream_arn
    outputs["bucketName"] = storage.bucket.bucket
    # For publishers outside of the stack, which write large attributes to the bucket themselves.
    outputs["inlineAttributeLimit"] = config.inline_attribute_limit
    outputs["mainTopicArn"] = messaging.main_topic.arn
    outputs["alarmTopicArn"] = messaging.alarm_topic.arn
    for queue, prefix in QUEUE_OUTPUTS.items():
        outputs[f"{prefix}Url"] = messaging.queues[queue].url
        outputs[f"{prefix}Arn"] = messaging.queues[queue].arn
    outputs["deadLetterQueueUrls"] = {
        **{name: queue.url for name, queue in messaging.dead_letter_queues.items()},
        "stream-failures": messaging.stream_failures.url,
    }
    outputs["eventBusName"] = messaging.event_bus.name
    outputs["eventBusArn"] = messaging.event_bus.arn
    outputs["commandStateMachineArn"] = command_machine.machine.arn
    outputs["taskStateMachineArn"] = task_machine.machine.arn
    outputs["importCsvStateMachineArn"] = import_csv_machine.machine.arn
    outputs["importZipStateMachineArn"] = import_zip_machine.machine.arn
    outputs["customStateMachineArns"] = {name: one.machine.arn for name, one in custom_workflows.items()}
    # For creators of tasks outside of the stack, which refuse what the machine could not do.
    outputs["taskMaxConcurrency"] = config.task_max_concurrency
    outputs["taskTimeoutMinutes"] = config.task_timeout_minutes
    for name, function in functions.items():
        outputs[f"{name}FunctionArn"] = function.function.arn
    outputs["dashboardUrl"] = monitoring.dashboard_url
    return outputs
