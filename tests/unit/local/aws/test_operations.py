"""EDGE-42: what the endpoint doesn't do is refused by name, never answered with success."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

from local.aws.endpoint import AwsEndpoint
from local.aws.operations import CHANGES, OWN_REFUSALS, READS, refusal
from local.aws.services import MOTO_PACKAGES

ROLE = "arn:aws:iam::123456789012:role/r"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.fixture
def deployed() -> Iterator[AwsEndpoint]:
    """An endpoint on which the program's declarations are complete: a rule, a queue and a topic."""
    with AwsEndpoint() as endpoint:
        boto3.client("events").put_rule(Name="ours", ScheduleExpression="rate(5 minutes)")
        boto3.client("events").create_event_bus(Name="theirs")
        boto3.client("sqs").create_queue(QueueName="q")
        boto3.client("sns").create_topic(Name="t")
        endpoint.seal()
        yield endpoint


def operations(service: str) -> set[str]:
    return set(botocore.session.get_session().get_service_model(service).operation_names)


def test_every_service_says_what_it_does_in_names_that_exist() -> None:
    assert set(CHANGES) | OWN_REFUSALS == set(MOTO_PACKAGES)
    for service, changes in CHANGES.items():
        named = changes.always | changes.declared
        assert named <= operations(service), service
        assert not changes.always & changes.declared, service
        assert not [name for name in named if name.startswith(READS)], service


@pytest.mark.parametrize("service", sorted(CHANGES))
def test_edge_42_everything_else_that_changes_something_is_refused(service: str) -> None:
    changes = CHANGES[service]
    others = {name for name in operations(service) if not name.startswith(READS)}
    for operation in others - changes.always - changes.declared:
        for is_deployed in (False, True):
            reason = refusal(service, operation, {}, deployed=is_deployed)
            assert reason is not None
            assert f"{service} {operation} is not supported" in reason
    for operation in changes.declared:
        assert refusal(service, operation, {}, deployed=False) is None
        reason = refusal(service, operation, {}, deployed=True)
        assert reason is not None
        assert f"{service} {operation} is refused" in reason


CALLS: dict[str, Callable[[], Any]] = {
    "lambda UpdateFunctionCode": lambda: boto3.client("lambda").update_function_code(FunctionName="f", ZipFile=b"x"),
    "lambda UpdateFunctionConfiguration": lambda: boto3.client("lambda").update_function_configuration(
        FunctionName="f", Timeout=3
    ),
    "lambda PutFunctionConcurrency": lambda: boto3.client("lambda").put_function_concurrency(
        FunctionName="f", ReservedConcurrentExecutions=1
    ),
    "lambda PublishVersion": lambda: boto3.client("lambda").publish_version(FunctionName="f"),
    "lambda UpdateEventSourceMapping": lambda: boto3.client("lambda").update_event_source_mapping(
        UUID="0" * 36, Enabled=False
    ),
    "lambda DeleteEventSourceMapping": lambda: boto3.client("lambda").delete_event_source_mapping(UUID="0" * 36),
    "lambda CreateEventSourceMapping": lambda: boto3.client("lambda").create_event_source_mapping(
        EventSourceArn=QUEUE, FunctionName="f"
    ),
    "events PutRule": lambda: boto3.client("events").put_rule(Name="x", ScheduleExpression="rate(1 minute)"),
    "events DisableRule": lambda: boto3.client("events").disable_rule(Name="ours"),
    "events RemoveTargets": lambda: boto3.client("events").remove_targets(Rule="ours", Ids=["1"]),
    "events PutTargets": lambda: boto3.client("events").put_targets(
        Rule="x", EventBusName="theirs", Targets=[{"Id": "1", "Arn": FUNCTION}]
    ),
    "events CreateArchive": lambda: boto3.client("events").create_archive(ArchiveName="a", EventSourceArn="arn:x"),
    "scheduler CreateSchedule": lambda: boto3.client("scheduler").create_schedule(
        Name="s",
        ScheduleExpression="rate(5 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": FUNCTION, "RoleArn": ROLE},
    ),
    "sns Subscribe": lambda: boto3.client("sns").subscribe(
        TopicArn="arn:aws:sns:us-east-1:123456789012:t", Protocol="https", Endpoint="https://example.com"
    ),
    "cloudwatch PutMetricAlarm": lambda: boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="a", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1
    ),
    "logs PutSubscriptionFilter": lambda: boto3.client("logs").put_subscription_filter(
        logGroupName="g", filterName="f", filterPattern="", destinationArn=FUNCTION
    ),
    "s3 PutBucketNotificationConfiguration": lambda: boto3.client("s3").put_bucket_notification_configuration(
        Bucket="b", NotificationConfiguration={}
    ),
    "iam PutRolePolicy": lambda: boto3.client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument="{}"),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_edge_42_a_client_gets_an_error_for_what_is_refused(deployed: AwsEndpoint, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[name]()
    error = refused.value.response["Error"]
    assert error["Code"] == "UnsupportedOperation"
    assert error["Message"].startswith(name)


def test_what_works_still_does(deployed: AwsEndpoint) -> None:
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.put_rule(Name="x", EventBusName="theirs", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="x", EventBusName="theirs", Targets=[{"Id": "1", "Arn": QUEUE}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}", "EventBusName": "theirs"}])
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    boto3.client("sns").subscribe(TopicArn="arn:aws:sns:us-east-1:123456789012:t", Protocol="sqs", Endpoint=QUEUE)
    assert events.list_rules()["Rules"][0]["Name"] == "ours"


def test_edge_42_queue_urls_are_where_the_endpoint_is_served() -> None:
    with AwsEndpoint(region="eu-west-1") as endpoint:
        sqs = boto3.client("sqs")
        assert sqs.create_queue(QueueName="a")["QueueUrl"] == "https://sqs.eu-west-1.amazonaws.com/123456789012/a"
        server = endpoint.serve_http(0)
        try:
            client = boto3.client("sqs", endpoint_url=server.url)
            url = client.get_queue_url(QueueName="a")["QueueUrl"]
            assert url == f"http://127.0.0.1:{server.port}/123456789012/a"
            assert client.list_queues()["QueueUrls"] == sqs.list_queues()["QueueUrls"] == [url]
            client.send_message(QueueUrl=url, MessageBody="text")
            assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "text"
        finally:
            server.stop()
    with AwsEndpoint(region="eu-west-1"):
        assert "amazonaws.com" in boto3.client("sqs").create_queue(QueueName="a")["QueueUrl"]
