from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.state_machines import stepfunctions
from local.deploy import DeployContext, DeployError, Deployment, deploy_program
from local.deploy.project import load_stack
from local.functions.host import FunctionHost
from local.scheduler import Scheduler
from local.sources.mappings import QueueMapping, StreamMapping
from local.states.manager import ExecutionManager
from tests.unit.local.deploy.sample import write_project

ACCOUNT = "123456789012"


class Ground:
    """A running endpoint with a function host, and a project folder."""

    def __init__(self, tmp_path: Path) -> None:
        self.scheduler = Scheduler.virtual()
        self.endpoint = AwsEndpoint(self.scheduler)
        self.host = FunctionHost(self.scheduler)
        self.project = tmp_path / "project"
        self.project.mkdir()
        self.work = tmp_path / "work"

    def deploy(self, stack: str = "dev", config: dict[str, str] | None = None, **project: Any) -> Deployment:
        write_project(self.project, **project)
        context = DeployContext(self.endpoint, self.host, self.work)
        return deploy_program(self.project, load_stack(self.project, stack, config), context)

    def calls(self) -> list[tuple[str, str]]:
        return [(service, operation) for _, service, operation in self.endpoint.calls]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    with made.endpoint:
        yield made


@pytest.fixture
def deployed(ground: Ground) -> Deployment:
    return ground.deploy()


def test_outputs_are_plain_and_complete(deployed: Deployment) -> None:
    table = deployed.of_type("aws:dynamodb/table:Table")[0].outputs["name"]
    assert deployed.outputs["commandsTableName"] == table
    assert deployed.outputs["commandsTableArn"] == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{table}"
    assert deployed.outputs["commandsStreamArn"].startswith(deployed.outputs["commandsTableArn"] + "/stream/")
    assert deployed.outputs["workQueueUrl"].endswith(f"/{ACCOUNT}/sample-work")
    assert deployed.outputs["eventsFunctionArn"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:sample-events"
    assert deployed.outputs["accountId"] == ACCOUNT
    assert deployed.outputs["nested"]["list"] == [f"arn:aws:s3:::{deployed.outputs['nested']['bucket']}", 3]


def test_table_has_keys_index_stream_ttl_and_protection(deployed: Deployment) -> None:
    client = boto3.client("dynamodb")
    name = deployed.outputs["commandsTableName"]
    assert client.list_tables()["TableNames"] == [name]
    table = client.describe_table(TableName=name)["Table"]
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["LatestStreamArn"] == deployed.outputs["commandsStreamArn"]
    assert table["DeletionProtectionEnabled"] is True
    index = table["GlobalSecondaryIndexes"][0]
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["openShard", "dueAt"]
    assert (index["IndexName"], index["Projection"]) == (
        "open",
        {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"]},
    )
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_queues_topics_bucket_and_rules_exist(deployed: Deployment) -> None:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    url = deployed.outputs["workQueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "60"
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["maxReceiveCount"] == 5
    assert redrive["deadLetterTargetArn"].split(":")[-1].startswith("dead-")
    assert "Policy" in attributes
    topic = deployed.outputs["mainTopicArn"]
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    found = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
    assert json.loads(found["FilterPolicy"]) == {"action": ["task-execute"]}
    bucket = deployed.outputs["nested"]["bucket"]
    assert boto3.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rules = boto3.client("events").list_rules()["Rules"]
    assert {rule.get("ScheduleExpression") for rule in rules} == {None, "rate(5 minutes)"}
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    assert [(one["logGroupName"], one["retentionInDays"]) for one in groups] == [("/aws/lambda/sample-events", 30)]


def test_function_is_listed_and_registered_with_its_code(ground: Ground, deployed: Deployment) -> None:
    listed = boto3.client("lambda").list_functions()["Functions"]
    assert [(one["FunctionName"], one["Timeout"], one["MemorySize"]) for one in listed] == [("sample-events", 30, 256)]
    spec = ground.host.get("sample-events")
    assert spec is deployed.functions["sample-events"]
    assert (spec.archive_dir / "app.py").read_text() == "def handler(event, context):\n    return event\n"
    assert spec.env == {"COMMANDS_TABLE": deployed.outputs["commandsTableName"]}
    assert (spec.handler, spec.timeout_s, spec.memory_mb, spec.reserved_concurrency) == ("app.handler", 30, 256, None)
    task = ground.scheduler.spawn(ground.host.invoke, "sample-events", {"hello": 1})
    ground.scheduler.run_until_idle()
    assert task.future.result().payload == {"hello": 1}


def test_role_policies_are_collected_by_function(deployed: Deployment) -> None:
    (document,) = deployed.role_policies["sample-events"]
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": deployed.outputs["commandsTableArn"]}
    ]


def test_mappings_and_rules_are_ready_for_the_sources(deployed: Deployment) -> None:
    by_kind = {type(one): one for one in deployed.event_source_mappings}
    stream, queue = by_kind[StreamMapping], by_kind[QueueMapping]
    assert isinstance(stream, StreamMapping)
    assert isinstance(queue, QueueMapping)
    assert (stream.function, queue.function) == (deployed.outputs["eventsFunctionArn"],) * 2
    assert stream.stream_arn == deployed.outputs["commandsStreamArn"]
    assert (stream.maximum_retry_attempts, queue.maximum_concurrency) == (3, 3)
    assert [len(rule.targets) for rule in deployed.rules] == [1, 1]
    sweep = next(rule for rule in deployed.rules if rule.schedule is not None)
    assert sweep.targets[0].input == {"reason": "schedule"}
    listed = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(listed) == 2


def test_inf_01_every_registration_is_recorded_in_order(deployed: Deployment) -> None:
    types = [one.type for one in deployed.resources]
    assert types.count("sample:index:Tables") == 1
    component = deployed.of_type("sample:index:Tables")[0]
    assert (component.custom, component.id) == (False, None)
    assert deployed.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")[0].name == "failures"
    assert types.index("aws:lambda/function:Function") < types.index("aws:lambda/eventSourceMapping:EventSourceMapping")


def test_numbers_are_integers(deployed: Deployment) -> None:
    function = deployed.of_type("aws:lambda/function:Function")[0]
    assert type(function.inputs["timeout"]) is int


def test_same_program_gives_the_same_names_and_the_same_sources_in_order(tmp_path: Path) -> None:
    def once(name: str) -> Any:
        folder = tmp_path / name
        folder.mkdir()
        ground = Ground(folder)
        with ground.endpoint:
            deployment = ground.deploy()
        # the endpoint numbers subscriptions and mappings in the order of creation, which may differ
        named = [one for one in deployment.resources if not one.type.endswith(("Subscription", "EventSourceMapping"))]
        names = {(one.type, one.name, one.id) for one in named}
        mappings = [one.id for one in deployment.event_source_mappings]
        return names, mappings, [one.name for one in deployment.rules]

    first, second = once("one"), once("two")
    assert first == second
    assert first[1] == sorted(first[1])
    assert first[2] == sorted(first[2])


def test_configuration_comes_from_defaults_then_the_stack_then_overrides(ground: Ground) -> None:
    deployment = ground.deploy("prod", {"retries": "7"})
    assert deployment.outputs["nested"]["list"][1] == 7


def test_wrong_configuration_is_refused_and_nothing_is_created(ground: Ground) -> None:
    with pytest.raises(DeployError) as caught:
        ground.deploy(config={"sample:retries": "99"})
    assert str(caught.value) == "sample:retries is 99; allowed: 0 to 10"
    assert ground.calls() == []


def test_program_that_fails_late_creates_nothing_and_says_where(ground: Ground) -> None:
    with pytest.raises(DeployError, match=r"the program failed: KeyError: 'missing' \(__main__\.py:\d+\)"):
        ground.deploy(extra='{}["missing"]')
    assert ground.calls() == []
    assert ground.host.names == []


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("x = (", r"__main__\.py:1: '\(' was never closed"),
        ("raise SystemExit(3)", r"__main__\.py ended the process: 3"),
        ("import pulumi\npulumi.Config('sample').require('absent')", "Missing required configuration variable"),
        ("import pulumi\npulumi.export('x', None)", "outputs without a value: x"),
    ],
)
def test_program_that_cannot_run(ground: Ground, program: str, message: str) -> None:
    with pytest.raises(DeployError, match=message):
        ground.deploy(program=program)


def test_an_error_that_the_program_logs_fails_the_deployment(ground: Ground) -> None:
    """As the engine has it: the update fails, though the program itself goes on."""
    with pytest.raises(DeployError, match="this cannot be"):
        ground.deploy(extra='pulumi.log.error("this cannot be")')


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            'aws.kinesis.Stream("clicks", shard_count=1)',
            "cannot create aws:kinesis/stream:Stream 'clicks'; known: .*aws:cloudwatch/dashboard:Dashboard",
        ),
        (
            'aws.sqs.Queue("odd", name_prefix="x")',
            "local runtime does not support namePrefix of aws:sqs/queue:Queue 'odd'; supported: name",
        ),
        ("aws.get_availability_zones_output().names", "cannot call aws:index/getAvailabilityZones"),
        (
            'aws.lambda_.EventSourceMapping("t", event_source_arn=tables.commands.stream_arn, function_name="x", '
            'starting_position="LATEST", tumbling_window_in_seconds=30)',
            "unsupported tumblingWindowInSeconds",
        ),
        (
            'aws.lambda_.EventSourceMapping("t", event_source_arn=work.arn, function_name="x", '
            'filter_criteria={"filters": [{"pattern": json.dumps({"body": [{"wildcard": "*"}]})}]})',
            "unknown operator 'wildcard'",
        ),
        (
            'aws.sns.TopicSubscription("l", topic=topic.arn, protocol="lambda", endpoint=function.arn)',
            "protocol 'lambda' of .* is not supported; allowed: sqs, email",
        ),
        (
            'aws.cloudwatch.EventRule("c", schedule_expression="cron(0 1 * * ? *)")',
            r"schedule 'cron\(0 1 \* \* \? \*\)' is not supported",
        ),
        (
            'r = aws.cloudwatch.EventRule("q", schedule_expression="rate(1 hour)")\n'
            'aws.cloudwatch.EventTarget("q", rule=r.name, arn=work.arn)',
            "allowed: a Lambda function",
        ),
        (
            'r = aws.cloudwatch.EventRule("u", schedule_expression="rate(1 hour)")\n'
            'other = aws.lambda_.Function("other", name="other", role=role.arn, runtime="python3.12", '
            'handler="app.handler", code=pulumi.AssetArchive({"app.py": pulumi.StringAsset("")}))\n'
            'aws.cloudwatch.EventTarget("u", rule=r.name, arn=other.arn)',
            "targets function 'other', but no aws:lambda/permission",
        ),
        ('aws.iam.RolePolicy("bad", role=role.id, policy="{not json")', "policy of .* is not JSON"),
        (
            'aws.iam.RolePolicyAttachment("m", role=role.name, policy_arn="arn:aws:iam::aws:policy/Admin")',
            "AWS managed policies are not known locally",
        ),
        ('aws.dynamodb.Table.get("old", "old-table")', "the local runtime only creates"),
    ],
)
def test_loc_03_what_the_runtime_does_not_have_is_refused_by_name(ground: Ground, extra: str, message: str) -> None:
    with pytest.raises(DeployError, match=message) as caught:
        ground.deploy(extra=extra)
    assert "\n" not in str(caught.value)
    assert ground.host.names == [], "functions of a failed deployment are taken back"


MACHINE = """
group = aws.cloudwatch.LogGroup("machine", name="/aws/vendedlogs/states/sample-logs")
machine = aws.sfn.StateMachine(
    "machine",
    name="sample",
    role_arn=role.arn,
    definition=json.dumps({"StartAt": "wait", "States": {"wait": STATE}}),
    logging_configuration={
        "level": "ERROR",
        "include_execution_data": False,
        "log_destination": pulumi.Output.concat(group.arn, ":*"),
    },
    tracing_configuration={"enabled": True},
)
pulumi.export("machineArn", machine.arn)
"""


def test_state_machines_are_created_through_step_functions(ground: Ground) -> None:
    manager = ExecutionManager(ground.scheduler, ground.host, region="us-east-1", account_id=ACCOUNT)
    stepfunctions.install(ground.endpoint, manager)
    deployment = ground.deploy(extra=MACHINE.replace("STATE", '{"Type": "Wait", "Seconds": 5, "End": True}'))
    client = boto3.client("stepfunctions")
    listed = client.list_state_machines()["stateMachines"]
    assert [(one["name"], one["stateMachineArn"]) for one in listed] == [("sample", deployment.outputs["machineArn"])]
    described = client.describe_state_machine(stateMachineArn=deployment.outputs["machineArn"])
    assert described["loggingConfiguration"]["level"] == "ERROR"
    destination = described["loggingConfiguration"]["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    assert destination.endswith("/aws/vendedlogs/states/sample-logs:*")


def test_loc_03_definition_with_an_unknown_feature_is_refused_naming_it(ground: Ground) -> None:
    manager = ExecutionManager(ground.scheduler, ground.host, region="us-east-1", account_id=ACCOUNT)
    stepfunctions.install(ground.endpoint, manager)
    with pytest.raises(DeployError, match=r"aws:sfn/stateMachine:StateMachine 'machine': .*JSONata") as caught:
        ground.deploy(extra=MACHINE.replace("STATE", '{"Type": "Pass", "QueryLanguage": "JSONata", "End": True}'))
    assert "\n" not in str(caught.value)


def test_property_that_the_service_refuses(ground: Ground) -> None:
    with pytest.raises(DeployError, match="aws:dynamodb/table:Table 'bad' has no hashKey"):
        ground.deploy(extra='aws.dynamodb.Table("bad", billing_mode="PAY_PER_REQUEST")')
    ground.endpoint.stop()
    ground.endpoint.start()
    with pytest.raises(DeployError, match=r"aws:cloudwatch/logGroup:LogGroup 'twice': .*already exists"):
        ground.deploy(extra='aws.cloudwatch.LogGroup("twice", name="/aws/lambda/sample-events")')


def test_unknown_stack_names_those_that_exist(ground: Ground) -> None:
    with pytest.raises(DeployError) as caught:
        ground.deploy("staging")
    assert str(caught.value) == "unknown stack 'staging'; stacks: dev, prod"


def test_a_failed_deployment_leaves_nothing_in_this_process(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    for name, config in (("bad", {"retries": "99"}), ("good", {})):
        folder = tmp_path / name
        folder.mkdir()
        ground = Ground(folder)
        with ground.endpoint:
            if name == "bad":
                with pytest.raises(DeployError):
                    ground.deploy(config=config)
            else:
                assert len(ground.deploy(config=config).outputs) == 8
    assert set(threading.enumerate()) <= threads
    assert pulumi.Config("sample").get("retries") is None
    assert pulumi.runtime.get_root_resource() is None
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_warnings_of_the_program_go_to_our_logger(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ground.deploy(extra='pulumi.log.warn("look here")')
    assert ("cqrs.local.deploy", "look here") in {(one.name, one.message) for one in caplog.records}
