"""Follows the outcomes of another stack's commands: its bus -> a rule of ours -> a queue of ours -> a function of ours.

All that is taken from the other stack are two of its outputs. It knows nothing of this project, and grants it nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
from pulumi_aws import cloudwatch, dynamodb, iam, lambda_, sqs

SCHEMA_VERSION = 1
FUNCTION_TIMEOUT_SECONDS = 30
CODE = Path(__file__).parent / "function" / "follow.py"


def checked(version: object) -> object:
    """The outputs are a contract with a number; another number means that someone has to look."""
    if version != SCHEMA_VERSION:
        raise pulumi.RunError(f"the source's outputs have schemaVersion {version}; this project knows {SCHEMA_VERSION}")
    return version


def document(*statements: dict[str, object]) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


prefix = f"{pulumi.get_project()}-{pulumi.get_stack()}"
source = pulumi.StackReference(pulumi.Config().require("source"))
bus = source.require_output("eventBusName")
pulumi.export("sourceSchemaVersion", source.require_output("schemaVersion").apply(checked))

outcomes = dynamodb.Table(
    "outcomes",
    name=f"{prefix}-outcomes",
    billing_mode="PAY_PER_REQUEST",
    hash_key="id",
    attributes=[{"name": "id", "type": "S"}],
)
failed = sqs.Queue("failed", name=f"{prefix}-failed", message_retention_seconds=14 * 86_400)
queue = sqs.Queue(
    "events",
    name=f"{prefix}-events",
    visibility_timeout_seconds=6 * FUNCTION_TIMEOUT_SECONDS,
    redrive_policy=failed.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})),
)
rule = cloudwatch.EventRule(
    "outcomes",
    name=f"{prefix}-outcomes",
    event_bus_name=bus,
    event_pattern=json.dumps({"source": ["cqrs"], "detail-type": ["command-status"]}),
)
cloudwatch.EventTarget("queue", rule=rule.name, event_bus_name=bus, arn=queue.arn)
sqs.QueuePolicy(
    "events",
    queue_url=queue.url,
    policy=pulumi.Output.all(queue.arn, rule.arn).apply(
        lambda arns: document(
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arns[0],
                "Condition": {"ArnEquals": {"aws:SourceArn": arns[1]}},
            }
        )
    ),
)
logs = cloudwatch.LogGroup("follow", name=f"/aws/lambda/{prefix}-follow", retention_in_days=14)
role = iam.Role(
    "follow",
    name=f"{prefix}-follow",
    assume_role_policy=document(
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ),
)
policy = iam.RolePolicy(
    "follow",
    role=role.name,
    policy=pulumi.Output.all(queue.arn, outcomes.arn, logs.arn).apply(
        lambda arns: document(
            {
                "Effect": "Allow",
                "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                "Resource": arns[0],
            },
            {"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": arns[1]},
            {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{arns[2]}:*"},
        )
    ),
)
function = lambda_.Function(
    "follow",
    name=f"{prefix}-follow",
    runtime="python3.13",
    handler="follow.handler",
    code=pulumi.AssetArchive({"follow.py": pulumi.FileAsset(str(CODE))}),
    role=role.arn,
    timeout=FUNCTION_TIMEOUT_SECONDS,
    environment={"variables": {"TABLE": outcomes.name}},
    opts=pulumi.ResourceOptions(depends_on=[policy, logs]),
)
lambda_.EventSourceMapping(
    "events",
    event_source_arn=queue.arn,
    function_name=function.name,
    function_response_types=["ReportBatchItemFailures"],
    opts=pulumi.ResourceOptions(depends_on=[policy]),
)
pulumi.export("outcomesTableName", outcomes.name)
pulumi.export("failedQueueUrl", failed.url)
