"""Policy documents of the functions' roles, and the permissions in them that Lambda itself uses.

Each function's permissions are declared with it, in its component. Tests compare the policies with the functions'
calls, in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from infra.naming.names import Account
from infra.permissions.keys import key_actions
from infra.permissions.resources import Grants, Resources
from infra.permissions.task_tokens import placed

#: Permissions of the event source mapping for a stream; for a queue, ``READ_QUEUE``.
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
#: Also needed, on every resource: the action has no resource type, so on a stream it would allow nothing (Service
#: Authorization Reference, DynamoDB: no resource type for ListStreams; Lambda Developer Guide, DynamoDB, execution
#: role: required).
LIST_STREAMS = "dynamodb:ListStreams"
READ_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_READS_STREAM = "the event source mapping reads the stream (Lambda Developer Guide, DynamoDB, execution role)"
_READS_QUEUE = "the event source mapping reads the queue (Lambda Developer Guide, SQS, execution role)"
#: Actions that Lambda, not the function's code, takes with the function's role: pattern of the resource, and reason.
USED_BY_LAMBDA_ITSELF = {
    "dynamodb:DescribeStream": ("/stream/", _READS_STREAM),
    "dynamodb:GetRecords": ("/stream/", _READS_STREAM),
    "dynamodb:GetShardIterator": ("/stream/", _READS_STREAM),
    LIST_STREAMS: (r"^\*$", _READS_STREAM),
    "sqs:DeleteMessage": (":sqs:", _READS_QUEUE),
    "sqs:GetQueueAttributes": (":sqs:", _READS_QUEUE),
    "sqs:ReceiveMessage": (":sqs:", _READS_QUEUE),
    "sqs:SendMessage": (":[^:]*-(invocation|stream)-failures$", "the on-failure destination of a mapping or a call"),
    "logs:CreateLogStream": (":log-group:/aws/lambda/", "Lambda writes the function's log"),
    "logs:PutLogEvents": (":log-group:/aws/lambda/", "Lambda writes the function's log"),
    "xray:PutTelemetryRecords": (r"^\*$", "Lambda sends the function's traces"),
    "xray:PutTraceSegments": (r"^\*$", "Lambda sends the function's traces"),
}
#: Actions for a function's traces, which have no resource types, with the reason (Service Authorization Reference).
TRACING = {
    "xray:PutTraceSegments": "X-Ray has no resources for it",
    "xray:PutTelemetryRecords": "X-Ray has no resources for it",
}

#: Service to the resources on whose behalf it assumes roles. Event source mappings use their function's role, child
#: executions of a Distributed Map their machine's.
TAKEN_BY = {"lambda.amazonaws.com": "*", "states.amazonaws.com": "stateMachine:*"}


def function_policy(
    grants: Sequence[Grants],
    resources: Resources,
    log_group_arn: pulumi.Input[str],
    *,
    tracing: bool,
    configured: Sequence[tuple[pulumi.Input[str], Sequence[str]]] = (),
) -> dict[str, object]:
    """The policy document of one function's role; ARNs may be outputs. ``grants`` for the same resource are merged;
    ``configured``: ARN and actions that configuration and the application add.
    """
    together: dict[str, set[str]] = {}
    for given in grants:
        for name, actions in given.items():
            together.setdefault(name, set()).update(actions)
    allowed: list[tuple[Sequence[str], pulumi.Input[str]]] = [
        (tuple(sorted(actions)), resources.arn_of(name)) for name, actions in sorted(together.items())
    ]
    allowed.extend((actions, arn) for arn, actions in configured)
    if resources.key is not None:
        used = {action for actions, _ in allowed for action in actions}
        allowed.append((key_actions(used, reads_environment=True), resources.key))
    statements = [_allow(actions, arn) for actions, arn in placed(allowed)]
    streams = f"{log_group_arn}:*" if isinstance(log_group_arn, str) else pulumi.Output.concat(log_group_arn, ":*")
    statements.append(_allow(("logs:CreateLogStream", "logs:PutLogEvents"), streams))
    if any(set(READ_STREAM) <= set(actions) for actions, _ in allowed):
        statements.append(_allow((LIST_STREAMS,), "*"))
    if tracing:
        statements.append(_allow(tuple(TRACING), "*"))
    return {"Version": "2012-10-17", "Statement": statements}


def grants_policy(grants: Grants, resources: Resources) -> dict[str, object]:
    """A policy document with grants only, for roles of other projects."""
    allowed: list[tuple[Sequence[str], pulumi.Input[str]]] = [
        (actions, resources.arn_of(name)) for name, actions in sorted(grants.items())
    ]
    if resources.key is not None:
        allowed.append((key_actions({action for actions, _ in allowed for action in actions}), resources.key))
    return {"Version": "2012-10-17", "Statement": [_allow(actions, arn) for actions, arn in allowed]}


def assume_role(service: str, account: Account) -> dict[str, object]:
    """A role's trust policy: the service, for this account's resources in this region (decision record 0230)."""
    source = account.arn(service.partition(".")[0], TAKEN_BY[service])
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account.account_id},
                    "ArnLike": {"aws:SourceArn": source},
                },
            }
        ],
    }


def tls_only(actions: str, resource: object) -> dict[str, object]:
    """A statement for resource policies that denies all requests without TLS."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _allow(actions: Sequence[str], resource: pulumi.Input[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}
