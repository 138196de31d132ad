"""Policy documents of the functions' roles, and what of them is not the functions' own doing.

What each function may do is declared with it, in its component. Tests hold the policies against the calls that the
functions make, in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from infra.naming.names import Account
from infra.permissions.keys import key_actions
from infra.permissions.resources import Grants, Resources
from infra.permissions.task_tokens import placed

#: What a function needs to be called with a stream's records or a queue's messages.
READ_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
#: Beside it, on every resource: the action has none, and on a stream it would allow nothing (Service Authorization
#: Reference, DynamoDB: no resource type for ListStreams; Lambda Developer Guide, DynamoDB, execution role: required).
LIST_STREAMS = "dynamodb:ListStreams"
READ_QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_READS_STREAM = "the event source mapping reads the stream (Lambda Developer Guide, DynamoDB, execution role)"
_READS_QUEUE = "the event source mapping reads the queue (Lambda Developer Guide, SQS, execution role)"
#: Actions that Lambda takes with the function's role, not the function's code: a pattern of their resources and why.
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
#: Of a function's traces: actions for which AWS takes no resource, with the reason (Service Authorization Reference).
TRACING = {
    "xray:PutTraceSegments": "X-Ray has no resources for it",
    "xray:PutTelemetryRecords": "X-Ray has no resources for it",
}

#: Service to the resources of its own on whose behalf it takes roles. Event source mappings take their function's role,
#: executions of a Distributed Map's children their machine's.
TAKEN_BY = {"lambda.amazonaws.com": "*", "states.amazonaws.com": "stateMachine:*"}


def function_policy(
    grants: Sequence[Grants],
    resources: Resources,
    log_group_arn: pulumi.Input[str],
    *,
    tracing: bool,
    configured: Sequence[tuple[pulumi.Input[str], Sequence[str]]] = (),
) -> dict[str, object]:
    """The policy document of one function's role; ARNs may be outputs. ``grants`` of one resource are taken together;
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
    """A policy document of grants alone, for roles of other projects."""
    allowed: list[tuple[Sequence[str], pulumi.Input[str]]] = [
        (actions, resources.arn_of(name)) for name, actions in sorted(grants.items())
    ]
    if resources.key is not None:
        allowed.append((key_actions({action for actions, _ in allowed for action in actions}), resources.key))
    return {"Version": "2012-10-17", "Statement": [_allow(actions, arn) for actions, arn in allowed]}


def assume_role(service: str, account: Account) -> dict[str, object]:
    """Who may take a role: the service, on behalf of this account's resources in this region (decision record 0230)."""
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
    """A statement of a resource's own policy: all requests without TLS are refused."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _allow(actions: Sequence[str], resource: pulumi.Input[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}
