"""Decides whether a change of a resource is an update in place or a replacement.

``REPLACING`` lists, by type, the properties whose change replaces the resource, as marked in the AWS provider's schema
(Pulumi Registry, package aws: "Changing this forces a new resource"; Terraform AWS provider: ``ForceNew``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.provider.values import comparable

#: Properties that replace resources of every type.
EVERYWHERE = frozenset({"region"})
REPLACING: Mapping[str, frozenset[str]] = {
    "aws:apigatewayv2/api:Api": frozenset({"protocolType"}),
    "aws:apigatewayv2/authorizer:Authorizer": frozenset({"apiId"}),
    "aws:apigatewayv2/integration:Integration": frozenset({"apiId", "integrationSubtype", "integrationType"}),
    "aws:apigatewayv2/route:Route": frozenset({"apiId"}),
    "aws:apigatewayv2/stage:Stage": frozenset({"apiId", "name"}),
    "aws:cloudwatch/dashboard:Dashboard": frozenset({"dashboardName"}),
    "aws:cloudwatch/eventBus:EventBus": frozenset({"eventSourceName", "name"}),
    "aws:cloudwatch/eventRule:EventRule": frozenset({"eventBusName", "name", "namePrefix"}),
    "aws:cloudwatch/eventTarget:EventTarget": frozenset({"eventBusName", "rule", "targetId"}),
    "aws:cloudwatch/logGroup:LogGroup": frozenset({"logGroupClass", "name", "namePrefix"}),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": frozenset({"policyName"}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": frozenset({"name"}),
    "aws:dynamodb/table:Table": frozenset({"hashKey", "localSecondaryIndexes", "name", "rangeKey"}),
    "aws:iam/policy:Policy": frozenset({"description", "name", "namePrefix", "path"}),
    "aws:iam/role:Role": frozenset({"name", "namePrefix", "path"}),
    "aws:iam/rolePolicy:RolePolicy": frozenset({"name", "namePrefix", "role"}),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": frozenset({"policyArn", "role"}),
    "aws:kms/alias:Alias": frozenset({"name", "namePrefix"}),
    "aws:kms/key:Key": frozenset({"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion"}),
    "aws:lambda/eventSourceMapping:EventSourceMapping": frozenset(
        {"eventSourceArn", "startingPosition", "startingPositionTimestamp"}
    ),
    "aws:lambda/function:Function": frozenset({"name", "packageType"}),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": frozenset({"functionName", "qualifier"}),
    "aws:lambda/layerVersion:LayerVersion": frozenset(
        {"code", "compatibleArchitectures", "compatibleRuntimes", "description", "layerName", "licenseInfo"}
    ),
    "aws:lambda/permission:Permission": frozenset(
        {"action", "function", "principal", "qualifier", "sourceAccount", "sourceArn", "statementId"}
    ),
    "aws:s3/bucket:Bucket": frozenset({"bucket", "bucketPrefix", "objectLockEnabled"}),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:s3/bucketLogging:BucketLogging": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": frozenset({"bucket"}),
    "aws:s3/bucketPolicy:BucketPolicy": frozenset({"bucket"}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": frozenset({"bucket"}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": frozenset(
        {"bucket", "expectedBucketOwner"}
    ),
    "aws:s3/bucketVersioning:BucketVersioning": frozenset({"bucket", "expectedBucketOwner"}),
    "aws:sfn/stateMachine:StateMachine": frozenset({"name", "namePrefix", "type"}),
    "aws:sns/topic:Topic": frozenset({"fifoTopic", "name", "namePrefix"}),
    "aws:sns/topicPolicy:TopicPolicy": frozenset({"arn"}),
    "aws:sns/topicSubscription:TopicSubscription": frozenset({"endpoint", "protocol", "topic"}),
    "aws:sqs/queue:Queue": frozenset({"fifoQueue", "name", "namePrefix"}),
    "aws:sqs/queuePolicy:QueuePolicy": frozenset({"queueUrl"}),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": frozenset({"queueUrl"}),
    "aws:sqs/redrivePolicy:RedrivePolicy": frozenset({"queueUrl"}),
}
#: Properties with a resource's name.
_NAMES = ("bucket", "dashboardName", "name")


@dataclass(frozen=True)
class Change:
    """The changed properties, and those of them that replace the resource, sorted.

    ``delete_first``: the new resource has the old one's name, so the old one must be deleted first.
    """

    changed: list[str]
    replacing: list[str]
    delete_first: bool


def change_of(type_: str, old: Mapping[str, Any], new: Mapping[str, Any], ignored: frozenset[str]) -> Change:
    """Compare the inputs of the last update with the new ones. Unknown values count as changed."""
    keys = {*old, *new} - ignored
    changed = sorted(key for key in keys if comparable(old.get(key)) != comparable(new.get(key)))
    replacing = [key for key in changed if key in REPLACING[type_] | EVERYWHERE]
    renamed = any(key in _NAMES for key in replacing)
    return Change(changed, replacing, bool(replacing) and not renamed)
