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
GATEWAY = "aws:apigatewayv2/api:Api"
CORS = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
STAGE = "aws:apigatewayv2/stage:Stage"
#: All that the HTTP API consists of.
API = (
    "aws:apigatewayv2/authorizer:Authorizer",
    "aws:apigatewayv2/integration:Integration",
    "aws:apigatewayv2/route:Route",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:iam/role:Role",
    "aws:lambda/permission:Permission",
    ALARM,
    FUNCTION,
    GATEWAY,
    LOG_GROUP,
    POLICY,
    STAGE,
)
#: What is encrypted, and what allows the use of the key.
ENCRYPTED = (
    "aws:iam/policy:Policy",
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
    "handlerModules": (["handlers.domain.orders"], (FUNCTION, POLICY)),
    "entityTypes": (["AIRPORT", "ORDER"], (FUNCTION,)),
    "handlerEnvironment": ({"STAGE": "one"}, (FUNCTION,)),
    "handlerSecrets": (
        {"api-token": "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf"},
        (FUNCTION,),
    ),
    "handlerPermissions": (
        [{"actions": ["ses:SendEmail"], "resources": ["arn:aws:ses:us-east-1:123456789012:identity/example.com"]}],
        (POLICY,),
    ),
    # The mapping of new commands gets another function in place, and so keeps its place in the stream (INL-06).
    "commandWorkflow": ("INLINE", (FUNCTION, MAPPING)),
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
    "inlineThreads": (4, (FUNCTION,)),
    "inlineTargetSeconds": (4, (FUNCTION,)),
    "inlineParallelizationFactor": (2, (FUNCTION, MAPPING)),
    "inlineBatchWindowSeconds": (1, (FUNCTION, MAPPING)),
    "inlineAttributeLimit": (32_768, (FUNCTION,)),
    "taskMaxConcurrency": (3, (FUNCTION,)),
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
    "alarmApiSeconds": (10, (ALARM,)),
    "apiEnabled": (False, API),
    "apiIssuer": ("https://issuer.example.com/", API),
    "apiTenantClaim": ("organisation", (FUNCTION,)),
    "apiRoleClaim": ("groups", (FUNCTION,)),
    "apiTenants": (
        {"arn:aws:iam::123456789012:role/shop": {"tenants": ["t1"], "roles": ["reader"]}},
        (FUNCTION,),
    ),
    "apiRateLimit": (50, (STAGE,)),
    "apiBurstLimit": (100, (STAGE,)),
    "apiCorsOrigins": (["https://app.example.com"], (GATEWAY,)),
    "consoleEnabled": (True, (*API, CORS)),
}
#: What a key needs beside it.
WITH: Mapping[str, Mapping[str, Any]] = {
    "apiIssuer": {"apiAudience": ["cqrs"]},
    "inlineParallelizationFactor": {"commandWorkflow": "INLINE"},
    "inlineBatchWindowSeconds": {"commandWorkflow": "INLINE"},
    "consoleEnabled": {"apiIssuer": "https://issuer.example.com/", "apiAudience": ["cqrs"]},
}
#: Keys that are in no row of their own, with the reason.
LEFT_OUT: Mapping[str, str] = {
    "apiAudience": "with apiIssuer",
    "applicationPackages": "needs a folder: tests/e2e/test_application.py",
}
