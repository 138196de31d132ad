"""What each function may do: the one place to edit. Held against the calls that tests make, in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.permissions.task_tokens import placed

STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
QUEUE = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
#: Function to resource to actions. Resources are names that ``Resources.arn_of`` knows.
PERMISSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "events": {
        "table:commands": ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        "table:tasks": ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        "stream:commands": STREAM,
        "stream:tasks": STREAM,
        # Both: while `commandWorkflow` is being switched, policy and environment change one after the other.
        "machine:command-handler": ("states:StartExecution",),
        "machine:command-handler-express": ("states:StartExecution",),
        "topic:alarm": ("sns:Publish",),
        "topic:main": ("sns:Publish",),
        "queue:stream-failures": ("sqs:SendMessage",),
    },
    "imports": {
        # The job of an archive's file is put on condition that the file has no outcome.
        "table:import_tmp": (
            *("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
            "dynamodb:UpdateItem",
        ),
        # Rows of tables that publish synchronously are applied here.
        "table:commands": (
            *("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
            "dynamodb:UpdateItem",
        ),
        "table:data": ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:PutItem"),
        "table:history": ("dynamodb:PutItem",),
        "objects:attributes": ("s3:GetObject", "s3:PutObject"),
        "objects:reports": ("s3:PutObject",),
        "machine:import-csv": ("states:SendTaskSuccess",),
        "machine:import-zip": ("states:SendTaskSuccess",),
        "stream:import_tmp": STREAM,
        "topic:alarm": ("sns:Publish",),
        "topic:main": ("sns:Publish",),
        "queue:import-action-queue": QUEUE,
        "queue:import-action-queue-dlq": ("sqs:SendMessage",),
        "queue:stream-failures": ("sqs:SendMessage",),
    },
    "loader": {
        "table:import_tmp": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        # Versions are pinned when a file is found (S3: a version is read with an action of its own).
        "objects:imports": ("s3:GetObject", "s3:GetObjectVersion"),
        # Files of archives, and copies for the Distributed Map.
        "objects:zip": ("s3:AbortMultipartUpload", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
        "objects:normalised": ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"),
        "objects:map-results": ("s3:GetObject",),
        "objects:reports": ("s3:PutObject",),
        "machine:import-csv": ("states:StartExecution",),
        "machine:import-zip": ("states:StartExecution",),
        "stream:import_tmp": STREAM,
        "queue:stream-failures": ("sqs:SendMessage",),
    },
    "outcomes": {
        # Rows of imports come to their outcome when their command does.
        "table:import_tmp": ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        "stream:commands": STREAM,
        "topic:main": ("sns:Publish",),
        "bus:events": ("events:PutEvents",),
        "queue:notification-queue": QUEUE,
        "queue:notification-queue-dlq": ("sqs:SendMessage",),
        "queue:stream-failures": ("sqs:SendMessage",),
    },
    "sweeper": {
        "table:commands": ("dynamodb:GetItem", "dynamodb:UpdateItem"),
        "table:data": ("dynamodb:GetItem",),
        "table:tasks": ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        "index:open": ("dynamodb:Query",),
        "index:open-tasks": ("dynamodb:Query",),
        "table:import_tmp": ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        "index:open-imports": ("dynamodb:Query",),
        "machine:command-handler": ("states:SendTaskSuccess", "states:StartExecution"),
        "machine:command-handler-express": ("states:StartExecution",),
        "machine:import-zip": ("states:SendTaskSuccess",),
        "topic:main": ("sns:Publish",),
        "topic:alarm": ("sns:Publish",),
    },
    # The handlers of the application read and write the read model with this role.
    "tasks": {
        "table:tasks": ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        "table:data": ("dynamodb:GetItem", "dynamodb:PutItem"),
        "machine:task-handler": ("states:StartExecution",),
        "queue:task-action-queue": QUEUE,
        "queue:task-action-queue-dlq": ("sqs:SendMessage",),
    },
    "states": {
        "table:commands": ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
        "table:data": ("dynamodb:GetItem", "dynamodb:PutItem"),
        "table:history": ("dynamodb:PutItem",),
        "objects:attributes": ("s3:GetObject",),
        "machine:command-handler": ("states:SendTaskSuccess", "states:StartExecution"),
        "machine:command-handler-express": ("states:StartExecution",),
        "topic:alarm": ("sns:Publish",),
    },
}
#: What the states function may do beside, once the application has workflows of its own: their classes may publish
#: commands and keep rows in ``tasks``.
OF_CUSTOM_WORKFLOWS: dict[str, tuple[str, ...]] = {
    "table:commands": ("dynamodb:PutItem", "dynamodb:Query"),
    "table:data": ("dynamodb:ConditionCheckItem",),
    "table:tasks": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    "objects:attributes": ("s3:PutObject",),
}
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


@dataclass(frozen=True)
class Resources:
    """ARNs by the names used above."""

    arns: Mapping[str, pulumi.Input[str]]

    def arn_of(self, name: str) -> pulumi.Input[str]:
        """The ARN of a resource. Raises KeyError for a name that the stack doesn't have."""
        return self.arns[name]


def function_policy(
    function: str,
    resources: Resources,
    log_group_arn: pulumi.Input[str],
    *,
    tracing: bool,
    configured: Mapping[str, Sequence[str]] | None = None,
    also: Mapping[str, Sequence[str]] | None = None,
) -> pulumi.Output[str]:
    """The policy document of one function's role.

    ``configured``: ARN to actions that configuration adds; ``also``: the same by names of resources.
    """
    allowed: list[tuple[Sequence[str], pulumi.Input[str]]] = [
        (actions, resources.arn_of(name))
        for given in (PERMISSIONS[function], also or {})
        for name, actions in sorted(given.items())
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
