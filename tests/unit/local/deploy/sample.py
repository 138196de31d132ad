"""A small Pulumi program for tests, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

config = pulumi.Config("sample")
retries = config.get_int("retries") or 2
if not 0 <= retries <= 10:
    raise pulumi.RunError(f"sample:retries is {retries}; allowed: 0 to 10")


class Tables(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("sample:index:Tables", name)
        self.commands = aws.dynamodb.Table(
            "commands",
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
                aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
                aws.dynamodb.TableAttributeArgs(name="openShard", type="N"),
                aws.dynamodb.TableAttributeArgs(name="dueAt", type="S"),
            ],
            global_secondary_indexes=[
                aws.dynamodb.TableGlobalSecondaryIndexArgs(
                    name="open",
                    key_schemas=[
                        {"attribute_name": "openShard", "key_type": "HASH"},
                        {"attribute_name": "dueAt", "key_type": "RANGE"},
                    ],
                    projection_type="INCLUDE",
                    non_key_attributes=["status"],
                )
            ],
            stream_enabled=True,
            stream_view_type="NEW_AND_OLD_IMAGES",
            ttl=aws.dynamodb.TableTtlArgs(attribute_name="ttl", enabled=True),
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


tables = Tables("tables")
failures = aws.sqs.Queue("failures", message_retention_seconds=1209600)
dead = aws.sqs.Queue("dead")
work = aws.sqs.Queue(
    "work",
    name="sample-work",
    visibility_timeout_seconds=60,
    redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5}),
)
topic = aws.sns.Topic("main")
aws.sns.TopicSubscription(
    "work", topic=topic.arn, protocol="sqs", endpoint=work.arn, filter_policy=json.dumps({"action": ["task-execute"]})
)
statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
aws.sqs.QueuePolicy(
    "work",
    queue_url=work.url,
    policy=work.arn.apply(
        lambda arn: json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]})
    ),
)
bucket = aws.s3.Bucket("objects")
aws.s3.BucketVersioning("objects", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
role = aws.iam.Role("events", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
aws.iam.RolePolicy(
    "events",
    role=role.id,
    policy=tables.commands.arn.apply(
        lambda arn: json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arn}]}
        )
    ),
)
logs = aws.cloudwatch.LogGroup("events", name="/aws/lambda/sample-events", retention_in_days=30)
function = aws.lambda_.Function(
    "events",
    name="sample-events",
    role=role.arn,
    runtime="python3.12",
    handler="app.handler",
    timeout=30,
    memory_size=256,
    code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("def handler(event, context):\\n    return event\\n")}),
    environment=aws.lambda_.FunctionEnvironmentArgs(variables={"COMMANDS_TABLE": tables.commands.name}),
)
aws.lambda_.EventSourceMapping(
    "events",
    event_source_arn=tables.commands.stream_arn,
    function_name=function.arn,
    starting_position="TRIM_HORIZON",
    batch_size=10,
    maximum_retry_attempts=retries,
    bisect_batch_on_function_error=True,
    function_response_types=["ReportBatchItemFailures"],
    destination_config={"on_failure": {"destination_arn": failures.arn}},
    filter_criteria={"filters": [{"pattern": json.dumps({"eventName": ["INSERT"]})}]},
)
aws.lambda_.EventSourceMapping(
    "work", event_source_arn=work.arn, function_name=function.arn, scaling_config={"maximum_concurrency": 3}
)
machine_arn = "arn:aws:states:us-east-1:123456789012:stateMachine:sample"
rule = aws.cloudwatch.EventRule(
    "failed", event_pattern=json.dumps({"source": ["aws.states"], "detail": {"stateMachineArn": [machine_arn]}})
)
aws.cloudwatch.EventTarget("failed", rule=rule.name, arn=function.arn)
sweep = aws.cloudwatch.EventRule("sweep", schedule_expression="rate(5 minutes)")
aws.cloudwatch.EventTarget("sweep", rule=sweep.name, arn=function.arn, input=json.dumps({"reason": "schedule"}))
aws.lambda_.Permission(
    "events", action="lambda:InvokeFunction", function=function.name, principal="events.amazonaws.com"
)
aws.cloudwatch.MetricAlarm(
    "failures", comparison_operator="GreaterThanThreshold", evaluation_periods=1, threshold=0
)
# EXTRA
pulumi.export("commandsTableName", tables.commands.name)
pulumi.export("commandsTableArn", tables.commands.arn)
pulumi.export("commandsStreamArn", tables.commands.stream_arn)
pulumi.export("workQueueUrl", work.url)
pulumi.export("mainTopicArn", topic.arn)
pulumi.export("eventsFunctionArn", function.arn)
pulumi.export("accountId", aws.get_caller_identity_output().account_id)
pulumi.export("nested", {"bucket": bucket.bucket, "list": [bucket.arn, retries]})
"""


def write_project(folder: Path, *, extra: str = "", stack_config: str = "", program: str = PROGRAM) -> Path:
    """Put the program and its two files into ``folder``; ``extra`` is more program text."""
    (folder / "Pulumi.yaml").write_text(
        "name: sample\nruntime: python\nconfig:\n  retries:\n    type: integer\n    default: 3\n"
    )
    (folder / "Pulumi.dev.yaml").write_text(stack_config or "config: {}\n")
    (folder / "Pulumi.prod.yaml").write_text("config:\n  sample:retries: 5\n")
    (folder / "__main__.py").write_text(program.replace("# EXTRA", extra))
    return folder
