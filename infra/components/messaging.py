"""Topics and queues: the main topic fans out by the message attribute ``action``; alarms have a separate topic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi
from pulumi_aws import cloudwatch, sns, sqs

from contract.messages import (
    ACTION,
    ALARM_TOPIC,
    DEAD_LETTER_QUEUES,
    EVENT_BUS,
    FAILURE_QUEUES,
    INVOCATION_FAILURES,
    MAIN_TOPIC,
    QUEUES,
    TASK_QUEUE,
    TOPICS,
)
from contract.outputs import ALARM_TOPIC_ARN, MAIN_TOPIC_ARN
from infra.naming.names import Account, Names
from infra.permissions import resources
from infra.permissions.policies import tls_only

MAX_RECEIVE_COUNT = 5
CONSUMER_TIMEOUT_SECONDS = 60
#: One item or one single task: decision record 0060.
TASKS_TIMEOUT_SECONDS = 120
#: Recommended minimum, as a multiple of the consumer's timeout (Lambda Developer Guide, "Using Lambda with Amazon
#: SQS").
VISIBILITY_TIMES_TIMEOUT = 6
FOURTEEN_DAYS = 14 * 86_400
#: How long SQS may reuse a data key before it calls KMS again: its default (SQS API reference, SetQueueAttributes).
KEY_REUSE_SECONDS = 300
#: Messages carry keys, never records. Set on both sides, since SNS and SQS have different defaults.
MAX_MESSAGE_BYTES = 262_144


class QueueEncryption(TypedDict, total=False):
    """With SQS's own key, or with a KMS key."""

    sqs_managed_sse_enabled: bool
    kms_master_key_id: pulumi.Input[str]
    kms_data_key_reuse_period_seconds: int


@dataclass(frozen=True)
class MessagingArgs:
    """Arguments of ``Messaging``. ``rules``: names of the stack's EventBridge rules."""

    names: Names
    account: Account
    alarm_emails: Sequence[str]
    rules: Sequence[str]
    key: pulumi.Input[str] | None


class Messaging(pulumi.ComponentResource):
    """``topics``, ``queues`` and ``failure_queues`` by name, ``dead_letter_queues`` by their source queue's name.

    ``event_bus``: the notification queue's consumer puts the status events there, for the rules of other projects.
    """

    topics: dict[str, sns.Topic]
    main_topic: sns.Topic
    alarm_topic: sns.Topic
    queues: dict[str, sqs.Queue]
    dead_letter_queues: dict[str, sqs.Queue]
    failure_queues: dict[str, sqs.Queue]
    event_bus: cloudwatch.EventBus

    def __init__(self, name: str, args: MessagingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Messaging", name, None, opts)
        self._args = args
        self.topics = {topic: self._topic(topic) for topic in TOPICS}
        for topic, resource in self.topics.items():
            self._topic_policy(topic, resource)
        self.main_topic, self.alarm_topic = self.topics[MAIN_TOPIC], self.topics[ALARM_TOPIC]
        for email in args.alarm_emails:
            sns.TopicSubscription(
                f"alarm-email-{email}",
                topic=self.alarm_topic.arn,
                protocol="email",
                endpoint=email,
                opts=self._child,
            )
        self.dead_letter_queues = {queue: self._dead_letter_queue(name) for queue, name in DEAD_LETTER_QUEUES.items()}
        self.queues = {queue: self._queue(queue, actions) for queue, actions in QUEUES.items()}
        self.failure_queues = {name: self._dead_letter_queue(name) for name in FAILURE_QUEUES}
        for name, queue in self.failure_queues.items():
            self._queue_policy(name, queue, *self._from_rules(name, queue))
            self._takes_letters_of(name, queue, None)
        self.event_bus = cloudwatch.EventBus(
            "event-bus", name=args.names.of(EVENT_BUS), tags=args.names.tags, opts=self._child
        )
        self.register_outputs({MAIN_TOPIC_ARN: self.main_topic.arn, ALARM_TOPIC_ARN: self.alarm_topic.arn})

    def arns(self) -> dict[str, pulumi.Input[str]]:
        """For permissions: topics, queues and the event bus."""
        letters = {DEAD_LETTER_QUEUES[queue]: one for queue, one in self.dead_letter_queues.items()}
        queues = {**self.queues, **letters, **self.failure_queues}
        return {
            **{resources.topic(name): one.arn for name, one in self.topics.items()},
            **{resources.queue(name): one.arn for name, one in queues.items()},
            resources.EVENT_BUS: self.event_bus.arn,
        }

    @property
    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    @property
    def _encryption(self) -> QueueEncryption:
        if self._args.key is None:
            return {"sqs_managed_sse_enabled": True}
        return {"kms_master_key_id": self._args.key, "kms_data_key_reuse_period_seconds": KEY_REUSE_SECONDS}

    def _topic(self, topic: str) -> sns.Topic:
        return sns.Topic(
            topic,
            name=self._args.names.of(topic),
            # CloudWatch can't publish alarms to a topic with AWS's own key, whose policy doesn't allow CloudWatch.
            kms_master_key_id=self._args.key or ("alias/aws/sns" if topic == MAIN_TOPIC else None),
            tags=self._args.names.tags,
            opts=self._child,
        )

    def _dead_letter_queue(self, queue: str) -> sqs.Queue:
        return sqs.Queue(
            queue,
            name=self._args.names.of(queue),
            message_retention_seconds=FOURTEEN_DAYS,
            max_message_size=MAX_MESSAGE_BYTES,
            **self._encryption,
            tags=self._args.names.tags,
            opts=self._child,
        )

    def _queue(self, queue: str, actions: Sequence[str]) -> sqs.Queue:
        dead_letters = self.dead_letter_queues[queue]
        resource = sqs.Queue(
            queue,
            name=self._args.names.of(queue),
            visibility_timeout_seconds=VISIBILITY_TIMES_TIMEOUT
            * (TASKS_TIMEOUT_SECONDS if queue == TASK_QUEUE else CONSUMER_TIMEOUT_SECONDS),
            message_retention_seconds=FOURTEEN_DAYS,
            max_message_size=MAX_MESSAGE_BYTES,
            **self._encryption,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": MAX_RECEIVE_COUNT}, sort_keys=True
            ),
            tags=self._args.names.tags,
            opts=self._child,
        )
        self._queue_policy(queue, resource, _sends("sns.amazonaws.com", resource.arn, self.main_topic.arn))
        letters = DEAD_LETTER_QUEUES[queue]
        self._queue_policy(letters, dead_letters)
        self._takes_letters_of(letters, dead_letters, resource)
        sns.TopicSubscription(
            f"{queue}-subscription",
            topic=self.main_topic.arn,
            protocol="sqs",
            endpoint=resource.arn,
            filter_policy=json.dumps({ACTION: list(actions)}),
            opts=self._child,
        )
        return resource

    def _topic_policy(self, topic: str, resource: sns.Topic) -> None:
        """Roles of the account publish by their own policies. This policy replaces SNS's default one, which had
        allowed CloudWatch's alarms, so the alarm topic allows them explicitly.
        """
        alarms = [_alarms(resource.arn, self._args.account)] if topic == ALARM_TOPIC else []
        sns.TopicPolicy(
            f"{topic}-policy",
            arn=resource.arn,
            policy=_document(*alarms, tls_only("sns:Publish", resource.arn)),
            opts=self._child,
        )

    def _queue_policy(self, queue: str, resource: sqs.Queue, *allowed: Mapping[str, object]) -> None:
        sqs.QueuePolicy(
            f"{queue}-policy",
            queue_url=resource.url,
            policy=_document(*allowed, tls_only("sqs:*", resource.arn)),
            opts=self._child,
        )

    def _from_rules(self, name: str, queue: sqs.Queue) -> list[dict[str, object]]:
        """Let EventBridge send events that it couldn't deliver to a rule's target (EventBridge User Guide, "Using
        dead-letter queues to process undelivered events"). A function's failures are sent with the function's role.
        """
        if name != INVOCATION_FAILURES:
            return []
        rules = [self._args.account.arn("events", f"rule/{self._args.names.of(rule)}") for rule in self._args.rules]
        return [_sends("events.amazonaws.com", queue.arn, rules)]

    def _takes_letters_of(self, letters: str, resource: sqs.Queue, source: sqs.Queue | None) -> None:
        """No other queue may use this one as its dead-letter queue; None: no queue at all."""
        allowed: dict[str, object] = {"redrivePermission": "denyAll"}
        if source is not None:
            allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [source.arn]}
        sqs.RedriveAllowPolicy(
            f"{letters}-sources",
            queue_url=resource.url,
            redrive_allow_policy=pulumi.Output.json_dumps(allowed, sort_keys=True),
            opts=self._child,
        )


def _document(*statements: Mapping[str, object]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def _sends(
    service: str, queue_arn: pulumi.Output[str], source_arn: pulumi.Input[str] | Sequence[str]
) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }


def _alarms(topic_arn: pulumi.Output[str], account: Account) -> dict[str, object]:
    """CloudWatch's alarms of this account (SNS Developer Guide, "Example cases for Amazon SNS access control")."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account.account_id},
            "ArnLike": {"aws:SourceArn": account.arn("cloudwatch", "alarm:*")},
        },
    }
