"""INF-08: the guard rails hold for each stack, and each refuses what breaks it, by its name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

import policy
from policy import PROTECTED_RULES, RULES, Declared, violations
from policy.apis import PERMISSION as API_PERMISSION
from policy.apis import ROUTE, STAGE
from policy.buckets import BUCKET
from policy.functions import FUNCTION, INVOKE_CONFIG, LOG_GROUP, MAPPING, TARGET
from policy.machines import MACHINE
from policy.messaging import QUEUE, TOPIC
from policy.permissions import MANAGED_POLICY, ROLE, ROLE_POLICY
from policy.tables import TABLE
from tests.support.evaluation import Evaluation

ALL_RULES = (*RULES, *PROTECTED_RULES)
EVENTS_STREAM = "events-commands-stream"

Props = dict[str, Any]
Edit = Callable[[Props], object]


def declared(evaluation: Evaluation) -> list[Declared]:
    return [
        Declared(one.type, one.name, {key: value for key, value in one.props.items() if key != "code"})
        for one in evaluation.registrations
        if one.custom
    ]


def test_inf_08_every_stack_keeps_the_rules(stack: Evaluation) -> None:
    assert [str(one) for one in violations(declared(stack), RULES)] == []


def test_inf_08_prod_protects_its_data(prod: Evaluation, dev: Evaluation) -> None:
    assert [str(one) for one in violations(declared(prod), PROTECTED_RULES)] == []
    assert violations(declared(dev), PROTECTED_RULES)


def test_inf_08_every_rule_looks_at_something(dev: Evaluation) -> None:
    """A rule on a type that the stack doesn't have could never fail."""
    types = {one.type for one in declared(dev)}
    for rule in ALL_RULES:
        if isinstance(rule, policy.ResourceRule):
            assert types & set(rule.types), rule.name


def test_inf_08_rules_have_names_of_their_own() -> None:
    names = [rule.name for rule in ALL_RULES]
    assert len(set(names)) == len(names)
    assert all(rule.asks for rule in ALL_RULES)


def without(*names: str) -> Edit:
    return lambda props: [props.pop(name) for name in names]


def put(**values: Any) -> Edit:
    return lambda props: props.update(values)


def statement(field: str = "policy", **values: Any) -> Edit:
    """Change the first statement of a policy document."""

    def edit(props: Props) -> None:
        document = json.loads(props[field])
        document["Statement"][0].update(values)
        props[field] = json.dumps(document)

    return edit


def definition(**values: Any) -> Edit:
    return lambda props: props.update(definition=json.dumps({**json.loads(props["definition"]), **values}))


def only_allowing(props: Props) -> None:
    """A policy without its Deny."""
    document = json.loads(props["policy"])
    document["Statement"] = [one for one in document["Statement"] if one["Effect"] == "Allow"]
    props["policy"] = json.dumps(document)


QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
LETTERS = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
#: Rule, the resource that is changed, how, and a part of what is told.
EXAMPLES: list[tuple[str, str, str, Edit, str]] = [
    ("table-encrypted", TABLE, "data", without("serverSideEncryption"), "serverSideEncryption"),
    ("table-encrypted", TABLE, "data", put(serverSideEncryption={"enabled": False}), "not enabled"),
    ("table-ttl", TABLE, "tasks", without("ttl"), "ttl is not enabled"),
    ("table-ttl", TABLE, "tasks", put(ttl={"attributeName": "expires", "enabled": True}), "'ttl'"),
    ("table-stream-images", TABLE, "commands", put(streamViewType="KEYS_ONLY"), "KEYS_ONLY"),
    ("table-on-demand", TABLE, "commands", put(billingMode="PROVISIONED"), "PROVISIONED"),
    ("table-protection-decided", TABLE, "data", without("pointInTimeRecovery"), "pointInTimeRecovery"),
    ("table-protection-decided", TABLE, "data", without("deletionProtectionEnabled"), "deletionProtectionEnabled"),
    ("table-protected", TABLE, "data", put(pointInTimeRecovery={"enabled": False}), "pointInTimeRecovery"),
    ("table-protected", TABLE, "data", put(deletionProtectionEnabled=False), "deletionProtectionEnabled"),
    ("queue-encrypted", QUEUE, "notification-queue", without("sqsManagedSseEnabled"), "sqsManagedSseEnabled"),
    ("queue-retention", QUEUE, "stream-failures", put(messageRetentionSeconds=60), "60, less than 345600"),
    ("queue-dead-letters", QUEUE, "notification-queue", without("redrivePolicy"), "has no dead-letter queue"),
    ("queue-dead-letters", QUEUE, "notification-queue", put(redrivePolicy='{"deadLetterTargetArn": "a:b"}'), "None"),
    ("topic-encrypted", TOPIC, "main-topic", without("kmsMasterKeyId"), "kmsMasterKeyId"),
    ("function-explicit", FUNCTION, "events", without("memorySize"), "memorySize is not set"),
    ("function-explicit", FUNCTION, "events", without("timeout"), "timeout is not set"),
    ("function-explicit", FUNCTION, "events", without("architectures"), "architectures is not set"),
    ("function-explicit", FUNCTION, "events", without("tracingConfig"), "tracingConfig is not set"),
    ("function-runtime", FUNCTION, "events", put(runtime="python3.8"), "python3.8"),
    ("function-own-role", FUNCTION, "events", without("role"), "has no role"),
    (
        "function-own-role",
        FUNCTION,
        "events",
        put(role="arn:aws:iam::123456789012:role/cqrs-dev-states"),
        "role/cqrs-dev-states",
    ),
    ("function-log-group", LOG_GROUP, "events-logs", put(name="/aws/lambda/other"), "/aws/lambda/cqrs-dev-events"),
    ("log-retention", LOG_GROUP, "states-logs", without("retentionInDays"), "for ever"),
    ("source-partial-failures", MAPPING, EVENTS_STREAM, without("functionResponseTypes"), "ReportBatchItemFailures"),
    ("source-stream-bounded", MAPPING, EVENTS_STREAM, put(startingPosition="LATEST"), "LATEST"),
    ("source-stream-bounded", MAPPING, EVENTS_STREAM, without("bisectBatchOnFunctionError"), "bisect"),
    ("source-stream-bounded", MAPPING, EVENTS_STREAM, put(maximumRetryAttempts=-1), "maximumRetryAttempts is -1"),
    ("source-stream-bounded", MAPPING, EVENTS_STREAM, without("maximumRecordAgeInSeconds"), "maximumRecordAge"),
    ("source-stream-bounded", MAPPING, EVENTS_STREAM, without("destinationConfig"), "on-failure destination"),
    ("source-stream-bounded", MAPPING, EVENTS_STREAM, without("filterCriteria"), "has no filter"),
    ("machine-logging", MACHINE, "command-handler", without("loggingConfiguration"), "loggingConfiguration"),
    (
        "machine-logging",
        MACHINE,
        "command-handler",
        lambda props: props["loggingConfiguration"].update(includeExecutionData=True),
        "record data",
    ),
    ("machine-timeout", MACHINE, "command-handler", definition(TimeoutSeconds=None), "for a year"),
    ("machine-timeout", MACHINE, "command-handler", put(type="EXPRESS"), "ends after 300 s"),
    ("machine-own-role", MACHINE, "command-handler", without("roleArn"), "has no role"),
    ("bucket-versioned", BUCKET, "bucket", put(bucket="other"), "versioning"),
    (
        "bucket-encrypted",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "bucket-encryption",
        put(rules=[]),
        "encryption",
    ),
    (
        "bucket-private",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "bucket-public-access",
        put(blockPublicPolicy=False),
        "public access",
    ),
    (
        "bucket-lifecycle",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "bucket-lifecycle",
        put(rules=[]),
        "old versions",
    ),
    ("bucket-tls", "aws:s3/bucketPolicy:BucketPolicy", "bucket-policy", statement(Effect="Allow"), "TLS"),
    ("iam-no-wildcard-action", ROLE_POLICY, "events-policy", statement(Action="*"), "allows *"),
    ("iam-no-wildcard-action", ROLE_POLICY, "events-policy", statement(Action=["s3:Get*"]), "allows s3:Get*"),
    ("iam-no-wildcard-action", ROLE_POLICY, "events-policy", statement(NotAction="s3:GetObject"), "NotAction"),
    (
        "iam-no-wildcard-resource",
        ROLE_POLICY,
        "events-policy",
        statement(Action="states:StartExecution", Resource="*"),
        "allows states:StartExecution on every resource",
    ),
    ("iam-no-wildcard-resource", ROLE_POLICY, "events-policy", statement(Resource=[]), "names no resource"),
    (
        "iam-trusts-services",
        ROLE,
        "events-role",
        statement("assumeRolePolicy", Principal={"AWS": "*"}),
        "not by a service alone",
    ),
    (
        "policy-not-public",
        "aws:sqs/queuePolicy:QueuePolicy",
        "notification-queue-policy",
        statement(Principal="*"),
        "allows everyone",
    ),
    (
        "policy-not-public",
        "aws:sqs/queuePolicy:QueuePolicy",
        "notification-queue-policy",
        statement(Condition={}),
        "needs a Condition",
    ),
    (
        "iam-trusts-services",
        ROLE,
        "events-role",
        statement("assumeRolePolicy", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}),
        "lacks aws:SourceArn",
    ),
    ("async-failures-kept", INVOKE_CONFIG, "sweep-invocations", without("destinationConfig"), "called asynchronously"),
    ("async-failures-kept", TARGET, "sweep-target", without("deadLetterConfig"), "can't be delivered"),
    ("queue-tls", QUEUE_POLICY, "notification-queue-policy", only_allowing, "without TLS"),
    ("queue-tls", QUEUE_POLICY, "stream-failures-policy", put(queueUrl="https://sqs/1/other"), "without TLS"),
    ("topic-tls", TOPIC_POLICY, "alarm-topic-policy", only_allowing, "without TLS"),
    (
        "queue-letters-of-known-queues",
        LETTERS,
        "notification-queue-dlq-sources",
        put(redriveAllowPolicy='{"redrivePermission": "allowAll"}'),
        "is not byQueue with ['cqrs-dev-notification-queue']",
    ),
    (
        "queue-letters-of-known-queues",
        LETTERS,
        "stream-failures-sources",
        put(redriveAllowPolicy='{"redrivePermission": "allowAll"}'),
        "is not denyAll with []",
    ),
    ("name-taken-by-aws", FUNCTION, "events", put(name="x" * 65), "at most 64"),
    ("name-taken-by-aws", QUEUE, "stream-failures", without("name"), "name is not set"),
    ("name-taken-by-aws", FUNCTION, "events", put(name="a.b"), "is not allowed; expected letters, digits, '-' and '_'"),
    ("name-distinct", "aws:iam/role:Role", "events-role", put(name="cqrs-dev-States"), "is taken"),
    ("name-distinct", QUEUE, "stream-failures", put(name="cqrs-dev-notification-queue"), "is taken"),
    ("iam-no-wildcard-action", MANAGED_POLICY, "publisher-policy", statement(Action="dynamodb:*"), "allows dynamodb:*"),
    ("api-callers", ROUTE, "http-api-GET /{proxy+}", put(authorizationType="NONE"), "open to everybody"),
    ("api-callers", ROUTE, "http-api-GET /health", put(routeKey="GET /else"), "GET /else is open"),
    ("api-throttled", STAGE, "http-api-stage", without("defaultRouteSettings"), "throttlingBurstLimit"),
    ("api-access-log", STAGE, "http-api-stage", without("accessLogSettings"), "accessLogSettings is not set"),
    (
        "api-access-log",
        STAGE,
        "http-api-stage",
        lambda props: props["accessLogSettings"].update(format='{"body": "$request.body"}'),
        "contains content of requests or responses",
    ),
    ("api-permission-source", API_PERMISSION, "http-api-invokes", without("sourceArn"), "every API of every account"),
    ("tags", TOPIC, "main-topic", put(tags={"project": "cqrs"}), "lacks the tags stack"),
]


@pytest.mark.parametrize(
    ("rule", "type_", "name", "edit", "told"), EXAMPLES, ids=[f"{one[0]}-{index}" for index, one in enumerate(EXAMPLES)]
)
def test_inf_08_each_rule_refuses_its_example(
    prod: Evaluation, dev: Evaluation, rule: str, type_: str, name: str, edit: Edit, told: str
) -> None:
    evaluation = prod if rule == "table-protected" else dev
    resources = [copy.deepcopy(one) for one in declared(evaluation)]
    (target,) = [one for one in resources if (one.type, one.name) == (type_, name)]
    assert isinstance(target.props, dict)
    edit(target.props)
    found = [one for one in violations(resources, ALL_RULES) if one.rule == rule]
    assert any(told in one.problem for one in found), found


def queue_source(**props: Any) -> Declared:
    given = {
        "eventSourceArn": "arn:aws:sqs:us-east-1:123456789012:cqrs-dev-task-action-queue",
        "functionName": "arn:aws:lambda:us-east-1:123456789012:function:cqrs-dev-events",
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 5},
    }
    return Declared(MAPPING, "example", {**given, **props})


def test_inf_08_queue_visibility_refuses_its_example(dev: Evaluation) -> None:
    resources = [*copy.deepcopy(declared(dev)), queue_source()]
    assert violations(resources, RULES) == []
    (queue,) = [one for one in resources if (one.type, one.name) == (QUEUE, "task-action-queue")]
    assert isinstance(queue.props, dict)
    queue.props["visibilityTimeoutSeconds"] = 6 * 60 - 1
    assert {one.rule for one in violations(resources, RULES)} == {"queue-visibility"}
    queue.props.pop("visibilityTimeoutSeconds")
    assert {one.rule for one in violations(resources, RULES)} == {"queue-visibility"}


def test_inf_08_source_queue_concurrency_refuses_its_example(dev: Evaluation) -> None:
    resources = [*declared(dev), queue_source(scalingConfig=None)]
    assert [one.rule for one in violations(resources, RULES)] == ["source-queue-concurrency"]


def test_inf_08_machine_own_role_refuses_a_shared_one(dev: Evaluation) -> None:
    resources = declared(dev)
    (machine,) = [one for one in resources if one.name == "command-handler" and one.type == MACHINE]
    twin = Declared(MACHINE, "twin", {**machine.props, "name": "twin"})
    assert [one.rule for one in violations([*resources, twin], RULES)] == ["machine-own-role"] * 2


def test_inf_08_every_rule_has_an_example() -> None:
    elsewhere = {"queue-visibility", "source-queue-concurrency"}
    assert {one[0] for one in EXAMPLES} | elsewhere == {rule.name for rule in ALL_RULES}


def test_a_violation_reads_as_one_line() -> None:
    (found,) = violations([Declared(LOG_GROUP, "logs", {"name": "x", "tags": {"project": "p", "stack": "s"}})], RULES)
    assert (
        str(found) == "log-retention: aws:cloudwatch/logGroup:LogGroup logs: retentionInDays is not set: "
        "logs are kept for ever"
    )
