"""Policy documents of the functions' roles, and what of them is not the functions' own doing.

What each function may do is declared with it, in its component. Tests hold the policies against the calls that the
functions make, in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from infra.permissions.resources import Grants, Resources
from infra.permissions.task_tokens import placed

#: What a function needs to be called with a stream's records or a queue's messages.
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
READ_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_READS_STREAM = "the event source mapping reads the stream (Lambda Developer Guide, DynamoDB, execution role)"
_READS_QUEUE = "the event source mapping reads the queue (Lambda Developer Guide, SQS, execution role)"
#: Actions that Lambda takes with the function's role, not the function's code: a pattern of their resources and why.
USED_BY_LAMBDA_ITSELF = {
    "dynamodb:DescribeStream": ("/stream/", _READS_STREAM),
    "dynamodb:GetRecords": ("/stream/", _READS_STREAM),
    "dynamodb:GetShardIterator": ("/stream/", _READS_STREAM),
    "dynamodb:ListStreams": ("/stream/", _READS_STREAM),
    "sqs:DeleteMessage": (":sqs:", _READS_QUEUE),
    "sqs:GetQueueAttributes": (":sqs:", _READS_QUEUE),
    "sqs:ReceiveMessage": (":sqs:", _READS_QUEUE),
    "sqs:SendMessage": (":[^:]*-stream-failures$", "the event source mapping's on-failure destination"),
    "logs:CreateLogStream": (":log-group:/aws/lambda/", "Lambda writes the function's log"),
    "logs:PutLogEvents": (":log-group:/aws/lambda/", "Lambda writes the function's log"),
    "xray:PutTelemetryRecords": (r"^\*$", "Lambda sends the function's traces"),
    "xray:PutTraceSegments": (r"^\*$", "Lambda sends the function's traces"),
}
#: Actions for which AWS takes no resource, with the reason (Service Authorization Reference).
WITHOUT_RESOURCE = {
    "xray:PutTraceSegments": "X-Ray has no resources for it",
    "xray:PutTelemetryRecords": "X-Ray has no resources for it",
}


def function_policy(
    grants: Sequence[Grants],
    resources: Resources,
    log_group_arn: pulumi.Input[str],
    *,
    tracing: bool,
    configured: Mapping[str, Sequence[str]] | None = None,
) -> pulumi.Output[str]:
    """The policy document of one function's role. ``configured``: ARN to actions that configuration adds."""
    allowed: list[tuple[Sequence[str], pulumi.Input[str]]] = [
        (actions, resources.arn_of(name)) for given in grants for name, actions in sorted(given.items())
    ]
    allowed.extend((actions, arn) for arn, actions in sorted((configured or {}).items()))
    statements = [_allow(actions, arn) for actions, arn in placed(allowed)]
    statements.append(_allow(("logs:CreateLogStream", "logs:PutLogEvents"), pulumi.Output.concat(log_group_arn, ":*")))
    if tracing:
        statements.append(_allow(tuple(WITHOUT_RESOURCE), "*"))
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)


def assume_role(service: str) -> dict[str, object]:
    """Who may take a role."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def _allow(actions: Sequence[str], resource: pulumi.Input[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}
