"""Stack outputs: the contract with other projects (docs/outputs.md).

Names are never changed or removed without raising ``SCHEMA_VERSION``; a test holds the list.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from contract import outputs
from contract.messages import STREAM_FAILURES
from contract.tables import WITH_STREAM
from infra.components.functions import Function
from infra.components.messaging import Messaging
from infra.components.monitoring import Monitoring
from infra.components.state_machines import StateMachine
from infra.components.storage import Storage
from infra.components.tables import Tables
from infra.configuration.stack_config import StackConfig

SCHEMA_VERSION = 1


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
    values: dict[str, pulumi.Input[object]] = {outputs.SCHEMA_VERSION: SCHEMA_VERSION}
    for name, table in tables.by_name.items():
        values[outputs.TABLE_NAME[name]] = table.name
        values[outputs.TABLE_ARN[name]] = table.arn
        if name in WITH_STREAM:
            values[outputs.STREAM_ARN[name]] = table.stream_arn
    values[outputs.BUCKET_NAME] = storage.bucket.bucket
    # For publishers outside of the stack, which write large attributes to the bucket themselves.
    values[outputs.INLINE_ATTRIBUTE_LIMIT] = config.inline_attribute_limit
    values[outputs.MAIN_TOPIC_ARN] = messaging.main_topic.arn
    values[outputs.ALARM_TOPIC_ARN] = messaging.alarm_topic.arn
    for name, queue in messaging.queues.items():
        values[outputs.QUEUE_URL[name]] = queue.url
        values[outputs.QUEUE_ARN[name]] = queue.arn
    values[outputs.DEAD_LETTER_QUEUE_URLS] = {
        **{name: queue.url for name, queue in messaging.dead_letter_queues.items()},
        STREAM_FAILURES: messaging.stream_failures.url,
    }
    values[outputs.EVENT_BUS_NAME] = messaging.event_bus.name
    values[outputs.EVENT_BUS_ARN] = messaging.event_bus.arn
    values[outputs.COMMAND_STATE_MACHINE_ARN] = command_machine.machine.arn
    values[outputs.TASK_STATE_MACHINE_ARN] = task_machine.machine.arn
    values[outputs.IMPORT_CSV_STATE_MACHINE_ARN] = import_csv_machine.machine.arn
    values[outputs.IMPORT_ZIP_STATE_MACHINE_ARN] = import_zip_machine.machine.arn
    values[outputs.CUSTOM_STATE_MACHINE_ARNS] = {name: one.machine.arn for name, one in custom_workflows.items()}
    # For creators of tasks outside of the stack, which refuse what the machine could not do.
    values[outputs.TASK_MAX_CONCURRENCY] = config.task_max_concurrency
    values[outputs.TASK_TIMEOUT_MINUTES] = config.task_timeout_minutes
    for name, function in functions.items():
        values[outputs.FUNCTION_ARN[name]] = function.function.arn
    values[outputs.DASHBOARD_URL] = monitoring.dashboard_url
    return values
