"""Queues and topics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract.messages import ALARM_TOPIC
from policy.model import Declared, Props, ResourceRule, StackRule, last_part, of_type, parsed

QUEUE = "aws:sqs/queue:Queue"
TOPIC = "aws:sns/topic:Topic"
FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
FOUR_DAYS = 4 * 86_400
#: Lambda Developer Guide, "Using Lambda with Amazon SQS".
VISIBILITY_TIMES_TIMEOUT = 6
DEFAULT_VISIBILITY_SECONDS = 30
#: Logical name to why it isn't encrypted with a key.
TOPICS_WITHOUT_KEY = {
    ALARM_TOPIC: "CloudWatch alarms can't publish through the AWS managed key; alarms carry no record data",
}


def _queue_encrypted(props: Props) -> Iterator[str]:
    if not props.get("sqsManagedSseEnabled") and not props.get("kmsMasterKeyId"):
        yield "neither sqsManagedSseEnabled nor kmsMasterKeyId"


def _queue_retention(props: Props) -> Iterator[str]:
    if props.get("messageRetentionSeconds", 0) < FOUR_DAYS:
        yield f"messageRetentionSeconds is {props.get('messageRetentionSeconds')}, less than {FOUR_DAYS}"


def _dead_letter_queue(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    targets = set(_dead_letter_targets(resources))
    for queue in of_type(resources, QUEUE):
        redrive = parsed(queue.props.get("redrivePolicy"))
        if queue.props.get("name") in targets:
            continue
        if not redrive.get("deadLetterTargetArn"):
            yield queue, "has no dead-letter queue and is none"
        elif not 1 <= int(redrive.get("maxReceiveCount", 0)) <= 10:
            yield queue, f"maxReceiveCount is {redrive.get('maxReceiveCount')}, not 1 to 10"


def _dead_letter_targets(resources: Sequence[Declared]) -> Iterator[str]:
    """Names of the queues that take what others couldn't process."""
    for one in resources:
        if one.type == QUEUE:
            yield last_part(parsed(one.props.get("redrivePolicy")).get("deadLetterTargetArn"))
        on_failure = (one.props.get("destinationConfig") or {}).get("onFailure") or {}
        yield last_part(on_failure.get("destinationArn") or on_failure.get("destination"))
        for field in ("deadLetterConfig", "deadLetterQueue"):
            config = one.props.get(field) or {}
            yield last_part(config.get("arn") or config.get("targetArn"))


def _visibility(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    timeouts = {one.props.get("name"): one.props.get("timeout", 3) for one in of_type(resources, FUNCTION)}
    queues = {one.props.get("name"): one for one in of_type(resources, QUEUE)}
    for mapping in of_type(resources, MAPPING):
        queue = queues.get(last_part(mapping.props.get("eventSourceArn")))
        timeout = timeouts.get(last_part(mapping.props.get("functionName")))
        if queue is None or timeout is None:
            continue
        visibility = queue.props.get("visibilityTimeoutSeconds", DEFAULT_VISIBILITY_SECONDS)
        if visibility < VISIBILITY_TIMES_TIMEOUT * timeout:
            yield (
                queue,
                f"visible again after {visibility} s, while its consumer may run {timeout} s: less than 6 times",
            )


def _topics(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    for topic in of_type(resources, TOPIC):
        if not topic.props.get("kmsMasterKeyId") and topic.name not in TOPICS_WITHOUT_KEY:
            yield topic, "has no kmsMasterKeyId"


RULES = (
    ResourceRule("queue-encrypted", "encryption at rest", (QUEUE,), _queue_encrypted),
    ResourceRule("queue-retention", "messages wait four days or longer", (QUEUE,), _queue_retention),
    StackRule("queue-dead-letters", "a queue has a dead-letter queue or is one", _dead_letter_queue),
    StackRule("queue-visibility", "six times the consumer's timeout", _visibility),
    StackRule("topic-encrypted", "encryption at rest, or a reason", _topics),
)
