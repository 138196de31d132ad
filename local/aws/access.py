"""The IAM actions and resource ARNs that a caller's role must allow for a request.

Source: Service Authorization Reference, the pages of the services named here. A transaction needs the action of
each of its parts (DynamoDB Developer Guide, "Amazon DynamoDB transactions: how it works", IAM section).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from local.aws.model import ACCOUNT_ID, AwsRequest
from local.partitions import partition_of

Access = tuple[tuple[str, str], ...]

_PREFIXES = {"stepfunctions": "states"}
_TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
_S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "UploadPart": "PutObject",
}


#: Maximum number of recorded resources per function and action, for comparison with its role.
MOST_RESOURCES = 10_000


class UsedPermissions:
    """Records callers' actions: {caller: {action: {resource ARN}}}."""

    def __init__(self) -> None:
        self._used: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def note(self, caller: str, action: str, resource: str) -> None:
        """Record a call."""
        resources = self._used[caller][action]
        if len(resources) < MOST_RESOURCES:
            resources.add(resource)

    def by_caller(self) -> dict[str, dict[str, set[str]]]:
        """A copy of the records."""
        return {
            caller: {action: set(resources) for action, resources in actions.items()}
            for caller, actions in self._used.items()
        }


def access_of(request: AwsRequest) -> Access:
    """The (action, resource ARN) pairs, in the order of the request; ``*`` where IAM has no resource type."""
    params, service = request.params, request.service
    if service == "dynamodb":
        return _dynamodb(request.operation, params, request.region)
    if service == "s3":
        return _s3(request.operation, params, request.region)
    action = f"{_PREFIXES.get(service, service)}:{request.operation}"
    if service == "lambda":
        action = "lambda:InvokeFunction" if request.operation == "Invoke" else action
        return ((action, _function(params.get("FunctionName"), request.region)),)
    if service == "sqs":
        name = str(params.get("QueueUrl") or params.get("QueueName") or "").rpartition("/")[2]
        batch = action.removesuffix("Batch") if action.endswith("Batch") else action
        return ((batch, _arn("sqs", request.region, name) if name else "*"),)
    if service == "sns":
        action = "sns:Publish" if request.operation == "PublishBatch" else action
        return ((action, str(params.get("TopicArn") or params.get("TargetArn") or "*")),)
    if service == "stepfunctions":
        return ((action, str(params.get("stateMachineArn") or params.get("executionArn") or "*")),)
    if service == "secretsmanager":
        return ((action, str(params.get("SecretId") or "*")),)
    if service == "ssm":
        return ((action, str(params.get("Name") or "*")),)
    if service == "cloudwatch" and request.operation == "DescribeAlarms" and not params.get("AlarmNames"):
        return ((action, _arn("cloudwatch", request.region, "alarm:*")),)
    if service == "events" and request.operation == "PutEvents":
        buses = dict.fromkeys(str(entry.get("EventBusName", "default")) for entry in params.get("Entries", ()))
        return tuple((action, _bus(bus, request.region)) for bus in buses)
    return ((action, "*"),)


def _dynamodb(operation: str, params: Mapping[str, Any], region: str) -> Access:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        pairs = (
            (f"dynamodb:{_TRANSACTION_ACTIONS.get(kind, kind)}", _table(part.get("TableName", ""), region))
            for entry in params.get("TransactItems", ())
            for kind, part in entry.items()
        )
        return tuple(dict.fromkeys(pairs))
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return tuple((f"dynamodb:{operation}", _table(name, region)) for name in params.get("RequestItems", ()))
    name = params.get("TableName")
    if not name:
        return ((f"dynamodb:{operation}", str(params.get("ResourceArn") or "*")),)
    index = params.get("IndexName")
    arn = _table(name, region)
    return ((f"dynamodb:{operation}", f"{arn}/index/{index}" if index else arn),)


def _s3(operation: str, params: Mapping[str, Any], region: str) -> Access:
    action = _S3_ACTIONS.get(operation, operation)
    if action in ("GetObject", "DeleteObject") and params.get("VersionId"):
        action += "Version"
    bucket, key = params.get("Bucket"), params.get("Key")
    if not bucket:
        return ((f"s3:{action}", "*"),)
    arn = f"arn:{partition_of(region)}:s3:::{bucket}"
    return ((f"s3:{action}", f"{arn}/{key}" if key else arn),)


def _table(name: str, region: str) -> str:
    return name if name.startswith("arn:") else _arn("dynamodb", region, f"table/{name}")


def _function(name: str | None, region: str) -> str:
    if not name:
        return "*"
    return name if name.startswith("arn:") else _arn("lambda", region, f"function:{name}")


def _bus(name: str, region: str) -> str:
    return name if name.startswith("arn:") else _arn("events", region, f"event-bus/{name}")


def _arn(service: str, region: str, resource: str) -> str:
    return f"arn:{partition_of(region)}:{service}:{region}:{ACCOUNT_ID}:{resource}"
