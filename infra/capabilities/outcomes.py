"""Outcomes: the function that publishes status changes of commands, and its event sources."""

from __future__ import annotations

import pulumi

from contract.command_status import DONE, FAILED_STATUSES, SKIPPED
from contract.functions import OUTCOMES
from contract.messages import DEAD_LETTER_QUEUES, MAIN_TOPIC, NOTIFICATION_QUEUE, STREAM_FAILURES
from contract.options import ALL, TERMINAL
from contract.rows import IMPORT_SOURCE, SYNC_MODE
from contract.tables import COMMANDS, IMPORT_TMP, INSERT, MODIFY
from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.event_sources import queue_mapping, stream_mapping
from infra.components.functions import Function, FunctionArgs, FunctionSpec
from infra.components.messaging import CONSUMER_TIMEOUT_SECONDS
from infra.components.places import Places
from infra.configuration.stack_config import StackConfig
from infra.permissions.policies import READ_QUEUE, READ_STREAM
from infra.permissions.resources import EVENT_BUS, queue, stream, table, topic

#: Listed by name, not matched by suffix, so that a status added later isn't taken for an outcome.
_TERMINAL = [DONE, SKIPPED, *FAILED_STATUSES]
#: Commands whose status may have changed, by ``statusEvents``; the code drops those in which only other fields changed.
STATUS_CHANGED: dict[str, dict[str, object]] = {
    TERMINAL: {"eventName": [MODIFY], "dynamodb": {"NewImage": {"status": {"S": _TERMINAL}}}},
    ALL: {"eventName": [MODIFY], "dynamodb": {"NewImage": {"status": {"S": [{"exists": True}]}}}},
}
#: Commands that were applied in the transaction that accepted them.
APPLIED_AT_ONCE: dict[str, object] = {
    "eventName": [INSERT],
    "dynamodb": {"NewImage": {"status": {"S": [DONE]}, SYNC_MODE: {"BOOL": [{"exists": True}]}}},
}
#: Commands of imports that have reached their outcome.
IMPORTED: dict[str, object] = {
    "eventName": [MODIFY],
    "dynamodb": {"NewImage": {"source": {"S": [IMPORT_SOURCE]}, "status": {"S": _TERMINAL}}},
}


def _environment(config: StackConfig, places: Places) -> Environment:
    return {
        "COMMANDS_TABLE": places.tables[COMMANDS],
        "IMPORT_TABLE": places.tables[IMPORT_TMP],
        "MAIN_TOPIC_ARN": places.topics[MAIN_TOPIC],
        "STATUS_EVENTS": config.status_events,
        "EVENT_BUS_NAME": places.event_bus,
        "STREAM_FAILURES_URL": places.stream_failures,
        "DEAD_LETTER_QUEUE_URL": places.dead_letters[NOTIFICATION_QUEUE],
    }


SPEC = FunctionSpec(
    OUTCOMES,
    "Publishes the outcomes of commands and forwards events to the event bus",
    CONSUMER_TIMEOUT_SECONDS,
    grants={
        # A row of an import gets its outcome when its command does.
        table(IMPORT_TMP): ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        stream(COMMANDS): READ_STREAM,
        topic(MAIN_TOPIC): ("sns:Publish",),
        EVENT_BUS: ("events:PutEvents",),
        queue(NOTIFICATION_QUEUE): READ_QUEUE,
        queue(DEAD_LETTER_QUEUES[NOTIFICATION_QUEUE]): ("sqs:SendMessage",),
        queue(STREAM_FAILURES): ("sqs:SendMessage",),
    },
    environment=_environment,
)


class Outcomes(pulumi.ComponentResource):
    """``function``: from the commands' stream to the main topic, from its queue to the event bus."""

    function: Function

    def __init__(self, name: str, deployment: Deployment, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Outcomes", name, None, opts)
        config = deployment.config
        self.function = Function(OUTCOMES, FunctionArgs(SPEC, deployment), pulumi.ResourceOptions(parent=self))
        publishes = config.status_events in STATUS_CHANGED
        published = [STATUS_CHANGED[config.status_events], APPLIED_AT_ONCE] if publishes else []
        stream_mapping(
            "outcomes-commands-stream",
            COMMANDS,
            self.function,
            deployment,
            # Rows of imports end with their commands, whichever status events are configured.
            patterns=[*published, IMPORTED],
            batch_size=config.stream_batch_size,
        )
        queue_mapping(
            "outcomes-queue", NOTIFICATION_QUEUE, self.function, deployment, batch_size=config.queue_batch_size
        )
        self.register_outputs({"functionArn": self.function.function.arn})
