"""Queues and topics."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from contract.messages import ALARM_TOPIC
from policy.model import Declared, Props, ResourceRule, StackRule, last_part, of_type, parsed, tls_only

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
            yield queue, "has no dead-letter queue and isn't one"
        elif not 1 <= int(redrive.get("maxReceiveCount", 0)) <= 10:
            yield queue, f"maxReceiveCount is {redrive.get('maxReceiveCount')}, not 1 to 10"


def _dead_letter_targets(resources: Sequence[Declared]) -> Iterator[str]:
    """Names of the dead-letter queues and on-failure destinations."""
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


def _name_in(url: Any) -> str:
    return str(url).rpartition("/")[2]


def _queue_tls(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    policies = of_type(resources, "aws:sqs/queuePolicy:QueuePolicy")
    guarded = {_name_in(one.props.get("queueUrl")) for one in policies if tls_only(one.props)}
    yield from _unguarded(of_type(resources, QUEUE), guarded)


def _topic_tls(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    policies = of_type(resources, "aws:sns/topicPolicy:TopicPolicy")
    guarded = {last_part(one.props.get("arn")) for one in policies if tls_only(one.props)}
    yield from _unguarded(of_type(resources, TOPIC), guarded)


def _unguarded(declared: Iterable[Declared], guarded: Container[str]) -> Iterator[tuple[Declared, str]]:
    for one in declared:
        if one.props.get("name") not in guarded:
            yield one, "requests without TLS are not denied"


def _letters_of_known_queues(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    """Each dead-letter queue names its source queues, or denies all."""
    allow = of_type(resources, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    policies = {_name_in(one.props.get("queueUrl")): parsed(one.props.get("redriveAllowPolicy")) for one in allow}
    sources: dict[str, set[str]] = {}
    for queue in of_type(resources, QUEUE):
        letters = last_part(parsed(queue.props.get("redrivePolicy")).get("deadLetterTargetArn"))
        sources.setdefault(letters, set()).add(str(queue.props.get("name")))
    targets = set(_dead_letter_targets(resources))
    for queue in of_type(resources, QUEUE):
        name = str(queue.props.get("name"))
        if name not in targets:
            continue
        allowed = policies.get(name, {})
        named = {last_part(arn) for arn in allowed.get("sourceQueueArns", ())}
        expected = "byQueue" if name in sources else "denyAll"
        if allowed.get("redrivePermission") != expected or named != sources.get(name, set()):
            yield queue, f"its redriveAllowPolicy is not {expected} with {sorted(sources.get(name, ()))}"


RULES = (
    ResourceRule("queue-encrypted", "encryption at rest", (QUEUE,), _queue_encrypted),
    ResourceRule("queue-retention", "messages wait four days or longer", (QUEUE,), _queue_retention),
    StackRule("queue-dead-letters", "a queue has a dead-letter queue or is one", _dead_letter_queue),
    StackRule("queue-tls", "encryption in transit", _queue_tls),
    StackRule("queue-letters-of-known-queues", "dead-letter queues have known sources", _letters_of_known_queues),
    StackRule("queue-visibility", "six times the consumer's timeout", _visibility),
    StackRule("topic-tls", "encryption in transit", _topic_tls),
    StackRule("topic-encrypted", "encryption at rest, or a reason", _topics),
)
