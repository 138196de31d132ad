"""Outcomes: the function that tells of status changes, and what leads to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from contract.messages import NOTIFICATION_QUEUE
from contract.tables import COMMANDS
from infra.components.functions import (
    APPLIED_AT_ONCE,
    IMPORTED,
    STATUS_CHANGED,
    Function,
    FunctionArgs,
    queue_mapping,
    stream_mapping,
)
from infra.components.messaging import CONSUMER_TIMEOUT_SECONDS, Messaging
from infra.components.tables import Tables
from infra.configuration.stack_config import StackConfig
from infra.naming.names import Names
from infra.permissions.policies import Resources


@dataclass(frozen=True)
class OutcomesArgs:
    """What the outcomes need to know."""

    names: Names
    config: StackConfig
    environment: Mapping[str, pulumi.Input[str]]
    resources: Resources
    archive: pulumi.Archive
    tables: Tables
    messaging: Messaging


class Outcomes(pulumi.ComponentResource):
    """``function``: from the commands' stream to the main topic, from its queue to the event bus."""

    function: Function

    def __init__(self, name: str, args: OutcomesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Outcomes", name, None, opts)
        config = args.config
        self.function = Function(
            "outcomes",
            FunctionArgs(
                "outcomes",
                "Publishes the outcomes of commands and forwards events to the event bus",
                CONSUMER_TIMEOUT_SECONDS,
                args.environment,
                args.resources,
                args.archive,
                args.names,
                config,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        publishes = config.status_events in STATUS_CHANGED
        published = [STATUS_CHANGED[config.status_events], APPLIED_AT_ONCE] if publishes else []
        stream_mapping(
            "outcomes-commands-stream",
            stream_arn=args.tables.by_name[COMMANDS].stream_arn,
            function=self.function,
            on_failure_arn=args.messaging.stream_failures.arn,
            # Rows of imports end with their commands, whatever status events are configured.
            patterns=[*published, IMPORTED],
            batch_size=config.stream_batch_size,
        )
        queue_mapping(
            "outcomes-queue",
            queue_arn=args.messaging.queues[NOTIFICATION_QUEUE].arn,
            function=self.function,
            batch_size=config.queue_batch_size,
        )
        self.register_outputs({"functionArn": self.function.function.arn})
