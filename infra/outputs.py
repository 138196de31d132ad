"""Stack outputs: the contract with other projects (docs/outputs.md).

No name is changed or removed without incrementing ``SCHEMA_VERSION``; a test pins the list.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import iam

from contract import outputs
from contract.state_machines import STARTED_MACHINES
from contract.tables import WITH_STREAM
from infra.capabilities.application import entity_types
from infra.capabilities.http_api import HttpApi
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.monitoring import Monitoring
from infra.components.state_machines import StateMachine
from infra.configuration.stack_config import ConfigError

SCHEMA_VERSION = 1
CONSOLE_PATH = "/console"


def stack_outputs(
    deployment: Deployment,
    functions: Mapping[str, Function],
    machines: Mapping[str, StateMachine],
    custom_machines: Mapping[str, StateMachine],
    monitoring: Monitoring,
    api: HttpApi | None,
    publishers: iam.Policy,
) -> dict[str, pulumi.Input[object]]:
    """Output name to value. ``machines``: the stack's own, ``custom_machines``: the application's."""
    config, messaging = deployment.config, deployment.messaging
    values: dict[str, pulumi.Input[object]] = {outputs.SCHEMA_VERSION: SCHEMA_VERSION}
    for name, table in deployment.tables.by_name.items():
        values[outputs.TABLE_NAME[name]] = table.name
        values[outputs.TABLE_ARN[name]] = table.arn
        if name in WITH_STREAM:
            values[outputs.STREAM_ARN[name]] = table.stream_arn
    values[outputs.BUCKET_NAME] = deployment.storage.bucket.bucket
    # For publishers outside the stack, which write large attributes to the bucket themselves.
    values[outputs.INLINE_ATTRIBUTE_LIMIT] = config.inline_attribute_limit
    values[outputs.ENTITY_TYPES] = entity_types(config, deployment.classes)
    values[outputs.MAIN_TOPIC_ARN] = messaging.main_topic.arn
    values[outputs.ALARM_TOPIC_ARN] = messaging.alarm_topic.arn
    for name, queue in messaging.queues.items():
        values[outputs.QUEUE_URL[name]] = queue.url
        values[outputs.QUEUE_ARN[name]] = queue.arn
    values[outputs.DEAD_LETTER_QUEUE_URLS] = {
        **{name: queue.url for name, queue in messaging.dead_letter_queues.items()},
        **{name: queue.url for name, queue in messaging.failure_queues.items()},
    }
    values[outputs.EVENT_BUS_NAME] = messaging.event_bus.name
    values[outputs.EVENT_BUS_ARN] = messaging.event_bus.arn
    receiving = STARTED_MACHINES[config.command_workflow]
    values[outputs.COMMAND_STATE_MACHINE_ARN] = machines[receiving].machine.arn
    for name, output in outputs.MACHINE_ARN.items():
        values[output] = machines[name].machine.arn
    values[outputs.CUSTOM_STATE_MACHINE_ARNS] = {name: one.machine.arn for name, one in custom_machines.items()}
    # For programs outside the stack that create tasks: they refuse tasks that exceed the machine's limits.
    values[outputs.TASK_MAX_CONCURRENCY] = config.task_max_concurrency
    values[outputs.TASK_TIMEOUT_MINUTES] = config.task_timeout_minutes
    for name, function in functions.items():
        values[outputs.FUNCTION_ARN[name]] = function.function.arn
    if deployment.key is not None:
        values[outputs.KMS_KEY_ARN] = deployment.key
    if api is not None:
        values[outputs.API_URL] = api.url
        values[outputs.API_EXECUTION_ARN] = api.execution_arn
        if config.console_enabled:
            values[outputs.CONSOLE_URL] = pulumi.Output.concat(api.url, CONSOLE_PATH)
    values[outputs.PUBLISHER_POLICY_ARN] = publishers.arn
    values[outputs.DASHBOARD_URL] = monitoring.dashboard_url
    return values


def with_outputs_of_application(
    own: Mapping[str, pulumi.Input[object]], more: Mapping[str, pulumi.Input[object]]
) -> dict[str, pulumi.Input[object]]:
    """The outputs of the stack and of ``infra/application.py``. Raises ConfigError: both have an output of one name."""
    taken = sorted(set(own) & set(more))
    if taken:
        raise ConfigError([f"infra/application.py: output {taken[0]!r} is not allowed; expected another name"])
    return {**own, **more}
