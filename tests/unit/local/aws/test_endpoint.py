"""The endpoint itself: threads, counting, faults, time, start and stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from handlers.operations.alarms import CloudWatchAlarms
from local.aws.endpoint import AwsEndpoint
from local.aws.model import AwsCall, AwsRequest, AwsResponse, EndpointError, EndpointStopped
from local.functions.model import SimulatedCrash, current_function
from local.scheduler import Scheduler
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key, read


class Plan:
    """Faults by a function of (when, call)."""

    def __init__(self, decide: Callable[[str, AwsCall], str | None]) -> None:
        self.decide = decide

    def before(self, call: AwsCall) -> str | None:
        return self.decide("before", call)

    def after(self, call: AwsCall) -> None:
        self.decide("after", call)


def add_one(dynamodb: Any, table: str, **more: Any) -> Any:
    return dynamodb.update_item(
        TableName=table,
        Key=key("counter"),
        UpdateExpression="SET n = if_not_exists(n, :zero) + :one",
        ExpressionAttributeValues={":zero": {"N": "0"}, ":one": {"N": "1"}, **more.pop("values", {})},
        **more,
    )


def test_32_threads_count_exactly(dynamodb: Any, table: str) -> None:
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: [add_one(dynamodb, table) for _ in range(50)], range(32)))

    assert read(dynamodb, table, "counter") == item("counter", n=1600)


def test_of_320_transactions_for_160_places_160_commit(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    def take(number: int) -> bool:
        try:
            dynamodb.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": table,
                            "Item": item(str(number % 160)),
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                    {
                        "Update": {
                            "TableName": table,
                            "Key": key("counter"),
                            "UpdateExpression": "ADD n :one",
                            "ExpressionAttributeValues": {":one": {"N": "1"}},
                        }
                    },
                ]
            )
        except dynamodb.exceptions.TransactionCanceledException:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        committed = sum(pool.map(take, range(320)))

    assert committed == 160
    assert read(dynamodb, table, "counter") == item("counter", n=160)
    assert endpoint.calls[(None, "dynamodb", "TransactWriteItems")] == 320


def test_inf_02_calls_are_kept_as_actions_and_resources_by_function(
    dynamodb: Any, table: str, endpoint: AwsEndpoint
) -> None:
    dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "lane")],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "open",
                    "KeySchema": [{"AttributeName": "lane", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )
    sqs, sns, s3 = boto3.client("sqs"), boto3.client("sns"), boto3.client("s3")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    s3.create_bucket(Bucket="bucket")

    token = current_function.set("worker")
    try:
        dynamodb.get_item(TableName=table, Key=key())
        dynamodb.query(
            TableName=table,
            IndexName="open",
            KeyConditionExpression="lane = :s",
            ExpressionAttributeValues={":s": {"S": "1"}},
        )
        dynamodb.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": key()}}])
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": item("1")}},
                {
                    "ConditionCheck": {
                        "TableName": table,
                        "Key": key("2"),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "x"}])
        sns.publish(TopicArn=topic, Message="x")
        s3.put_object(Bucket="bucket", Key="k/1", Body=b"x")
        s3.head_object(Bucket="bucket", Key="k/1")
    finally:
        current_function.reset(token)

    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    assert endpoint.calls_by_function() == {
        "worker": {
            "dynamodb:GetItem": {arn},
            "dynamodb:Query": {f"{arn}/index/open"},
            "dynamodb:PutItem": {arn},
            "dynamodb:ConditionCheckItem": {arn},
            "sqs:SendMessage": {"arn:aws:sqs:us-east-1:123456789012:q"},
            "sns:Publish": {topic},
            "s3:PutObject": {"arn:aws:s3:::bucket/k/1"},
            "s3:GetObject": {"arn:aws:s3:::bucket/k/1"},
        }
    }
    assert endpoint.calls[("worker", "dynamodb", "TransactGetItems")] == 1


def test_listeners_hear_of_calls_without_the_lock(dynamodb: Any, table: str, endpoint: AwsEndpoint) -> None:
    heard: list[tuple[str, str, bool]] = []

    def listen(call: AwsCall) -> None:
        if call.operation == "PutItem":
            with ThreadPoolExecutor(1) as pool:  # another thread gets in: the lock is free, the write is done
                seen = pool.submit(read, dynamodb, table, "x").result(timeout=5)
            heard.append((call.label, call.resource, seen is not None))

    endpoint.on_call(listen)
    dynamodb.put_item(TableName=table, Item=item("x"))

    assert heard == [("dynamodb.PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/orders", True)]


@pytest.mark.parametrize(("when", "stored"), [("before", None), ("after", item())])
def test_a_crash_before_or_after_a_call_passes_botocore(
    dynamodb: Any, table: str, endpoint: AwsEndpoint, when: str, stored: Any
) -> None:
    def crash(moment: str, call: AwsCall) -> None:
        if (moment, call.operation) == (when, "PutItem"):
            assert call.params["Item"] == item()
            raise SimulatedCrash("power cut")

    endpoint.faults = Plan(crash)
    with pytest.raises(SimulatedCrash):
        dynamodb.put_item(TableName=table, Item=item())
    endpoint.faults = None

    assert read(dynamodb, table) == stored


@pytest.mark.parametrize("service", ["dynamodb", "sns", "sqs", "s3", "lambda", "stepfunctions", "events"])
def test_an_injected_error_code_reaches_the_caller_as_its_own_error(endpoint: AwsEndpoint, service: Any) -> None:
    calls: dict[str, Callable[[Any], Any]] = {
        "dynamodb": lambda client: client.list_tables(),
        "sns": lambda client: client.list_topics(),
        "sqs": lambda client: client.list_queues(),
        "s3": lambda client: client.get_object(Bucket="bucket", Key="k"),
        "lambda": lambda client: client.list_functions(),
        "stepfunctions": lambda client: client.list_state_machines(),
        "events": lambda client: client.list_rules(),
    }
    endpoint.faults = Plan(lambda when, call: "AccessDeniedException" if when == "before" else None)

    with pytest.raises(ClientError) as failed:
        calls[service](boto3.client(service))

    assert failed.value.response["Error"]["Code"] == "AccessDeniedException"
    assert endpoint.calls.total() == 0


def test_throttling_is_retried_by_botocore_in_virtual_time() -> None:
    scheduler = Scheduler.virtual(seed=1)
    throttled = iter(["ThrottlingException"] * 2)
    with AwsEndpoint(scheduler) as endpoint:
        dynamodb = boto3.client("dynamodb", config=Config(retries={"mode": "standard", "max_attempts": 4}))
        table = create_table(dynamodb, "orders")
        endpoint.faults = Plan(lambda when, call: next(throttled, None) if when == "before" else None)
        started, real = scheduler.now(), time.monotonic()

        task = scheduler.spawn(dynamodb.put_item, TableName=table, Item=item())
        scheduler.run_until_idle()

        assert task.future.result()["ResponseMetadata"]["RetryAttempts"] == 2
        assert scheduler.now() - started == pytest.approx(0.2)
        assert time.monotonic() - real < 2


def test_every_call_is_a_task_switch_in_virtual_time() -> None:
    def run(seed: int) -> list[str]:
        scheduler = Scheduler.virtual(seed)
        scheduler.trace = []
        with AwsEndpoint(scheduler):
            dynamodb = boto3.client("dynamodb")
            table = create_table(dynamodb, "orders")

            def worker() -> None:
                for _ in range(3):
                    found = read(dynamodb, table, "counter") or item("counter", n=0)
                    dynamodb.put_item(TableName=table, Item=item("counter", n=int(found["n"]["N"]) + 1))

            for name in ("a", "b"):
                scheduler.spawn(worker, name=name)
            scheduler.run_until_idle()
            assert scheduler.trace is not None
            return [*scheduler.trace, str(read(dynamodb, table, "counter"))]

    traces = [run(seed) for seed in range(6)]
    assert traces == [run(seed) for seed in range(6)]
    assert len({tuple(trace) for trace in traces}) > 1
    assert any("'n': {'N': '6'}" not in trace[-1] for trace in traces)  # an unsafe counter loses updates
    assert any(line.endswith("dynamodb.GetItem") for line in traces[0])


def test_the_process_is_as_before_after_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.delenv("AWS_REGION", raising=False)
    before, session = dict(os.environ), boto3.DEFAULT_SESSION

    endpoint = AwsEndpoint(region="eu-west-1")
    with endpoint:
        client = boto3.client("dynamodb")
        assert client.meta.region_name == "eu-west-1"
        create_table(client, "orders")
        with pytest.raises(RuntimeError, match="another AwsEndpoint is running"):
            AwsEndpoint().start()

    assert dict(os.environ) == before
    assert boto3.DEFAULT_SESSION is session
    with pytest.raises(EndpointStopped, match="after the local endpoint was stopped"):
        client.list_tables()
    with AwsEndpoint(region="eu-west-1"):
        assert client.list_tables()["TableNames"] == []
    endpoint.stop()


def test_a_service_that_is_not_there_is_refused_by_name(endpoint: AwsEndpoint) -> None:
    with pytest.raises(EndpointError, match="service 'kinesis' is not part of the local endpoint"):
        boto3.client("kinesis").list_streams()


def test_an_operation_can_be_replaced_and_runs_without_the_lock(
    dynamodb: Any, table: str, endpoint: AwsEndpoint
) -> None:
    def answer(request: AwsRequest) -> AwsResponse:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(dynamodb.put_item, TableName=table, Item=item()).result(timeout=5)
        return AwsResponse(200, {}, b'{"events": []}')

    endpoint.replace("stepfunctions", "GetExecutionHistory", answer)
    history = boto3.client("stepfunctions").get_execution_history(executionArn="arn:aws:states:::execution:a:b")

    assert history["events"] == []
    assert read(dynamodb, table) == item()
    assert endpoint.calls[(None, "stepfunctions", "GetExecutionHistory")] == 1


def test_the_other_services_answer(endpoint: AwsEndpoint) -> None:
    iam = boto3.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    assert iam.get_role(RoleName="r")["Role"]["Arn"] == "arn:aws:iam::123456789012:role/r"
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/f")
    assert logs.describe_log_groups()["logGroups"][0]["logGroupName"] == "/aws/lambda/f"
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="a",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1.0,
    )
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmName"] == "a"
    topic = "arn:aws:sns:us-east-1:123456789012:t"
    alarm: Any = {"EvaluationPeriods": 1, "MetricName": "m", "Namespace": "n", "Period": 60, "Statistic": "Sum"}
    for name, actions in (("b", [topic]), ("c", [f"{topic}2"])):
        cloudwatch.put_metric_alarm(
            AlarmName=name, ComparisonOperator="GreaterThanThreshold", Threshold=1.0, AlarmActions=actions, **alarm
        )
    assert [one.name for one in CloudWatchAlarms(lambda: cloudwatch, topic).all()] == ["b"]
    events = boto3.client("events")
    events.put_rule(Name="x", EventPattern='{"source": ["aws.states"]}')
    assert events.list_rules()["Rules"][0]["Name"] == "x"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="dir/a b+ü.txt", Body=b"text")
    assert s3.get_object(Bucket="bucket", Key="dir/a b+ü.txt")["Body"].read() == b"text"
