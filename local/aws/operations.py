"""The operations that the local endpoint supports; others are refused by name.

moto accepts more operations than it implements: it would confirm that a function has new code, a mapping is disabled
or a schedule enabled, without any effect. So a change is only accepted if it has an effect here. Declarations of the
program (functions, mappings, rules, roles, alarms) can only be changed by the program: once it is deployed, such calls
are refused as well. Reading works if moto supports the operation; Step Functions and DynamoDB refuse unsupported
operations themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Prefixes of operations that change nothing.
READS = ("BatchGet", "Check", "Describe", "Filter", "Get", "Head", "List", "Lookup", "Simulate")
#: Services that refuse unsupported operations themselves.
OWN_REFUSALS = frozenset({"dynamodb", "stepfunctions"})


@dataclass(frozen=True)
class Changes:
    """Operations of a service that change something: ``always``, or only while the program is being deployed."""

    always: frozenset[str] = frozenset()
    declared: frozenset[str] = frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHANGES: Mapping[str, Changes] = {
    "apigatewayv2": Changes(
        declared=_names(
            "CreateApi CreateAuthorizer CreateIntegration CreateRoute CreateStage DeleteApi DeleteAuthorizer "
            "DeleteCorsConfiguration DeleteIntegration DeleteRoute DeleteStage TagResource UntagResource UpdateApi "
            "UpdateAuthorizer UpdateIntegration UpdateRoute"
        )
    ),
    "cloudwatch": Changes(
        _names("PutMetricData TagResource UntagResource"),
        _names("DeleteAlarms DeleteDashboards PutCompositeAlarm PutDashboard PutMetricAlarm"),
    ),
    "events": Changes(
        _names(
            "CreateEventBus DeleteEventBus DeleteRule DisableRule EnableRule PutEvents PutRule PutTargets "
            "RemoveTargets TagResource TestEventPattern UntagResource"
        ),
        _names("PutPermission RemovePermission"),
    ),
    "iam": Changes(
        declared=_names(
            "AttachRolePolicy CreatePolicy CreateRole DeletePolicy DeleteRole DeleteRolePolicy DetachRolePolicy "
            "PutRolePolicy TagPolicy TagRole UntagRole UpdateAssumeRolePolicy"
        )
    ),
    "kms": Changes(
        _names("TagResource UntagResource"),
        _names(
            "CreateAlias CreateKey DeleteAlias DisableKeyRotation EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion"
        ),
    ),
    "lambda": Changes(
        _names("Invoke TagResource UntagResource"),
        _names(
            "AddPermission CreateEventSourceMapping CreateFunction DeleteEventSourceMapping DeleteFunction "
            "DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig PutFunctionConcurrency "
            "PutFunctionEventInvokeConfig RemovePermission UpdateEventSourceMapping "
            "UpdateFunctionCode UpdateFunctionConfiguration"
        ),
    ),
    "logs": Changes(
        _names(
            "CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream PutLogEvents TagLogGroup TagResource "
            "UntagLogGroup UntagResource"
        ),
        _names("DeleteRetentionPolicy PutRetentionPolicy"),
    ),
    "s3": Changes(
        _names(
            "AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateMultipartUpload DeleteBucket "
            "DeleteBucketTagging DeleteObject DeleteObjectTagging DeleteObjects PutBucketTagging PutBucketVersioning "
            "PutObject PutObjectTagging UploadPart UploadPartCopy"
        ),
        _names(
            "PutBucketCors PutBucketEncryption PutBucketLifecycleConfiguration PutBucketOwnershipControls "
            "PutBucketPolicy PutPublicAccessBlock"
        ),
    ),
    "scheduler": Changes(),
    "secretsmanager": Changes(
        _names("CreateSecret DeleteSecret PutSecretValue TagResource UntagResource UpdateSecret")
    ),
    "sns": Changes(
        _names(
            "CreateTopic DeleteTopic Publish PublishBatch SetSubscriptionAttributes SetTopicAttributes Subscribe "
            "TagResource Unsubscribe UntagResource"
        ),
    ),
    "sqs": Changes(
        _names(
            "ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue DeleteMessage DeleteMessageBatch "
            "DeleteQueue PurgeQueue ReceiveMessage SendMessage SendMessageBatch SetQueueAttributes TagQueue UntagQueue"
        ),
    ),
    "ssm": Changes(_names("DeleteParameter DeleteParameters PutParameter")),
    "sts": Changes(_names("AssumeRole")),
}


def refusal(service: str, operation: str, params: Mapping[str, Any], *, deployed: bool) -> str | None:
    """Why a request is refused; None if it isn't.

    Args:
        service: boto3's client name.
        operation: the API's name of it.
        params: ``AwsRequest.params``.
        deployed: whether the program's declarations are complete.
    """
    if service in OWN_REFUSALS or operation.startswith(READS):
        return None
    changes = CHANGES[service]
    if operation in changes.declared:
        if not deployed:
            return None
        return (
            f"{service} {operation} is refused: the local runtime runs what the program declares; change the program "
            "and start again"
        )
    if operation not in changes.always:
        return f"{service} {operation} is not supported by the local runtime: nothing would come of it"
    detail = _DETAILS.get((service, operation))
    reason = detail(params) if detail is not None and deployed else None
    return f"{service} {operation} is refused: {reason}" if reason else None


def _subscribe(params: Mapping[str, Any]) -> str | None:
    protocol = params.get("Protocol")
    if protocol == "sqs":
        return None
    return f"the local runtime delivers to queues (protocol sqs), not by {protocol!r}"


def _publish(params: Mapping[str, Any]) -> str | None:
    return "the local runtime sends no text messages" if params.get("PhoneNumber") else None


def _put_rule(params: Mapping[str, Any]) -> str | None:
    if params.get("ScheduleExpression"):
        return "the local runtime runs the schedules that the program declares, no others"
    if '"aws.' in str(params.get("EventPattern", "")):
        return "the local runtime sends events of AWS services to the rules that the program declares, to no others"
    return None


def _put_targets(params: Mapping[str, Any]) -> str | None:
    for target in params.get("Targets", ()):
        service = str(target.get("Arn", "")).split(":")[2:3]
        if service != ["sqs"]:
            return f"the local runtime delivers events to queues, not to {target.get('Arn')!r}"
    return None


_DETAILS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], str | None]] = {
    ("events", "PutRule"): _put_rule,
    ("events", "PutTargets"): _put_targets,
    ("sns", "Publish"): _publish,
    ("sns", "Subscribe"): _subscribe,
}
