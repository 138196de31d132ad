"""Consumes the outcomes of another stack's commands: its event bus -> our rule -> our queue -> our function.
Also publishes commands: through the API with its client, and without it, by a role with the stack's policy attached.

It uses only a few outputs of the other stack, which grants this project nothing but what its configuration of callers
says (``apiTenants``).
"""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
from pulumi_aws import cloudwatch, dynamodb, iam, lambda_, sqs

SCHEMA_VERSION = 1
FUNCTION_TIMEOUT_SECONDS = 30
FUNCTIONS = Path(__file__).parent / "function"
CODE = FUNCTIONS / "follow.py"
#: The client's package. In your own project, use the folder into which ``pip install --target`` installed it.
CLIENT = Path(__file__).parents[2] / "client" / "cqrs_client"


def checked(version: object) -> object:
    """The outputs are a versioned contract; a different version has to be reviewed by a person."""
    if version != SCHEMA_VERSION:
        raise pulumi.RunError(f"the source's outputs have schemaVersion {version}; this project knows {SCHEMA_VERSION}")
    return version


def document(*statements: dict[str, object]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


if not CLIENT.is_dir():
    raise pulumi.RunError(f"the client's package is not at {CLIENT}")
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
api_url = source.require_output("apiUrl")
order_logs = cloudwatch.LogGroup("order", name=f"/aws/lambda/{prefix}-order", retention_in_days=14)
order_role = iam.Role(
    "order",
    name=f"{prefix}-order",
    assume_role_policy=document(
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ),
)
order_policy = iam.RolePolicy(
    "order",
    role=order_role.name,
    policy=pulumi.Output.all(source.require_output("apiExecutionArn"), order_logs.arn).apply(
        lambda given: document(
            {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{given[0]}/*"},
            {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{given[1]}:*"},
        )
    ),
)
order = lambda_.Function(
    "order",
    name=f"{prefix}-order",
    runtime="python3.13",
    handler="order.handler",
    code=pulumi.AssetArchive(
        {
            "order.py": pulumi.FileAsset(str(FUNCTIONS / "order.py")),
            **{f"cqrs_client/{one.name}": pulumi.FileAsset(str(one)) for one in sorted(CLIENT.glob("*.py"))},
        }
    ),
    role=order_role.arn,
    timeout=FUNCTION_TIMEOUT_SECONDS,
    environment={"variables": {"API_URL": api_url, "TENANT": pulumi.Config().require("tenant")}},
    opts=pulumi.ResourceOptions(depends_on=[order_policy, order_logs]),
)
# A job that publishes without the API, with the stack's own package: the policy grants the table access it needs.
job_role = iam.Role(
    "job",
    name=f"{prefix}-job",
    assume_role_policy=document(
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ),
)
iam.RolePolicyAttachment("job", role=job_role.name, policy_arn=source.require_output("publisherPolicyArn"))
pulumi.export("orderFunctionName", order.name)
# For the other stack's ``apiTenants``.
pulumi.export("orderRoleArn", order_role.arn)
pulumi.export("outcomesTableName", outcomes.name)
pulumi.export("failedQueueUrl", failed.url)
