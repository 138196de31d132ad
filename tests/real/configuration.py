"""Another value for each configuration key, and what that change is meant to reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FUNCTION = "aws:lambda/function:Function"
MACHINE = "aws:sfn/stateMachine:StateMachine"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
POLICY = "aws:iam/rolePolicy:RolePolicy"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
TABLE = "aws:dynamodb/table:Table"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
RULE = "aws:cloudwatch/eventRule:EventRule"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
BUCKET = "aws:s3/bucket:Bucket"
#: What is encrypted, and what allows the use of the key.
ENCRYPTED = (
    "aws:kms/alias:Alias",
    "aws:kms/key:Key",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
    FUNCTION,
    LOG_GROUP,
    POLICY,
    TABLE,
)

#: Key to another value than that of dev, and the only types of resources that may change.
OTHER: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "handlerModules": (["handlers.domain.orders"], (FUNCTION,)),
    "commandWorkflow": ("EXPRESS", (FUNCTION,)),
    "statusDetail": ("terminal", (FUNCTION,)),
    "statusEvents": ("all", (FUNCTION, MAPPING)),
    "syncTargets": (
        [{"id": "search", "types": ["ORDER"], "kind": "sqs", "arn": "arn:aws:sqs:us-east-1:123456789012:search"}],
        (FUNCTION, POLICY),
    ),
    "waitPollSeconds": (600, (MACHINE,)),
    "waitLimitHours": (48, (FUNCTION, MACHINE)),
    "leaseSeconds": (200, (FUNCTION,)),
    "sweepMinutes": (10, (RULE,)),
    "ttlDays": ({"commands": 30}, (FUNCTION,)),
    "inlineAttributeLimit": (32_768, (FUNCTION,)),
    "taskMaxConcurrency": (3, ()),
    "taskTimeoutMinutes": (20, (FUNCTION, MACHINE, ALARM)),
    "importDirectRows": (500, (FUNCTION,)),
    "importMaxConcurrency": (40, (MACHINE,)),
    "importBatchRows": (20, (MACHINE,)),
    "importBatchBytes": (210_000, (MACHINE,)),
    "importTimeoutHours": (12, (FUNCTION, MACHINE, ALARM)),
    "importBuckets": (["files-of-others"], (FUNCTION, POLICY)),
    "zipMaxEntries": (500, (FUNCTION,)),
    "zipMaxBytes": (1_000_000_000, (FUNCTION,)),
    "zipMaxRatio": (100, (FUNCTION,)),
    "streamBatchSize": (20, (MAPPING,)),
    "queueBatchSize": (5, (MAPPING,)),
    "logLevel": ("DEBUG", (FUNCTION,)),
    "logRetentionDays": (30, (LOG_GROUP,)),
    "workflowLogLevel": ("ALL", (MACHINE,)),
    "tracing": (True, (FUNCTION, MACHINE, POLICY)),
    "lambdaMemory": (1024, (FUNCTION,)),
    "lambdaArchitecture": ("x86_64", (FUNCTION,)),
    "lambdaRuntime": ("python3.12", (FUNCTION,)),
    "pointInTimeRecovery": (True, (TABLE,)),
    "deletionProtection": (True, (TABLE,)),
    "forceDestroy": (True, (BUCKET,)),
    "bucketAccessLog": ("logs-of-others", ("aws:s3/bucketLogging:BucketLogging",)),
    "kmsKey": ("create", ENCRYPTED),
    "kmsKeyArn": ("arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555", ENCRYPTED),
    "alarmEmails": (["ops@example.com"], (SUBSCRIPTION,)),
    "alarmIteratorAgeSeconds": (600, (ALARM,)),
    "alarmOldestMessageSeconds": (7200, (ALARM,)),
    "alarmFailedExecutions": (2, (ALARM,)),
    "alarmFailureRatePercent": (10, (ALARM,)),
    "alarmExecutionSeconds": (1000, (ALARM,)),
    "alarmOldestOpenCommandSeconds": (7200, (ALARM,)),
}
