"""Wiring of the ``apply`` function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.commands.attributes import AttributeStore
from handlers.commands.inline.batch import InlineConsumer
from handlers.commands.inline.entity import EntityVersions
from handlers.commands.inline.progress import InlineProgress
from handlers.commands.inline.targets import TargetCalls
from handlers.commands.inline.version import InlineVersion
from handlers.commands.pipeline.steps import Pipeline
from handlers.commands.ports import Ports
from handlers.consumers.dead_letters import STREAM_SOURCE, DeadLetters, SqsDeadLetters
from handlers.core.aws import clients as aws
from handlers.core.clock import Clock, SystemClock
from handlers.core.concurrency import Threads
from handlers.core.light_dataclasses import dataclass
from handlers.entrypoints.wiring.collaborators import Collaborators, application_tables
from handlers.entrypoints.wiring.targets import sync_targets
from handlers.objects.s3 import S3Objects
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.store.dynamodb import DynamoTableStore
from handlers.topics.sns import SnsTopic

if TYPE_CHECKING:
    from handlers.core.concurrency import Concurrency
    from handlers.entrypoints.wiring.settings import ApplySettings
    from handlers.state_machines.port import CustomWorkflows


@dataclass(frozen=True)
class ApplyPorts(Ports):
    """The function's ports to AWS: those of the pipeline, and the dead-letter queue."""

    dead_letters: DeadLetters


def on_aws(settings: ApplySettings, clock: Clock | None) -> ApplyPorts:
    """The ports on AWS, with the tables and topics of the settings."""
    return ApplyPorts(
        store=DynamoTableStore(aws.dynamodb(), application_tables(settings)),
        state_machines=StepFunctions(aws.stepfunctions()),
        alarms=SnsTopic(aws.sns(), settings.alarm_topic_arn),
        clock=clock or SystemClock(),
        dead_letters=SqsDeadLetters(aws.sqs, {STREAM_SOURCE: settings.stream_failures_url}),
    )


class ApplyParts:
    """The function's collaborators. Raises RegistryError, naming the module."""

    def __init__(
        self,
        settings: ApplySettings,
        ports: ApplyPorts,
        attributes: AttributeStore | None,
        workflows: CustomWorkflows | None,
        concurrency: Concurrency | None,
        new_id: Callable[[], str] | None,
    ) -> None:
        clock, store = ports.clock, ports.store
        attributes = attributes or AttributeStore(S3Objects(aws.s3, settings.bucket), settings.inline_attribute_limit)
        collaborators = Collaborators(settings, store, clock, attributes=attributes, workflows=workflows, new_id=new_id)
        registry = sync_targets(settings, store, clock.now, attributes.decoded, collaborators)
        pipeline = Pipeline(ports, attributes, registry, settings.pipeline)
        progress = InlineProgress(store, clock, lease_seconds=settings.lease_seconds)
        concurrency = concurrency or Threads()
        at_once = settings.inline_threads
        calls = TargetCalls(concurrency, clock, at_once=at_once, seconds=settings.inline_target_seconds)
        version = InlineVersion(pipeline, progress, calls, clock, wait_limit_hours=settings.wait_limit_hours)
        self.consumer = InlineConsumer(
            pipeline.repository,
            EntityVersions(pipeline, progress, version, clock),
            concurrency,
            at_once=at_once,
            inline_attribute_limit=settings.inline_attribute_limit,
        )
