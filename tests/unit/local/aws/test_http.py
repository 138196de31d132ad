"""The endpoint over HTTP: same data, loopback only, clear errors, prompt stop."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws.endpoint import AwsEndpoint
from local.aws.http import HttpServer
from local.aws.model import EndpointError, PortInUse
from tests.unit.local.aws.helpers import item, read


@pytest.fixture
def server(endpoint: AwsEndpoint) -> Iterator[HttpServer]:
    running = endpoint.serve_http(0)
    yield running
    running.stop()


def client(server: HttpServer, service: Any) -> Any:
    return boto3.client(service, endpoint_url=server.url)


def test_http_clients_and_in_process_clients_see_the_same_data(
    dynamodb: Any, table: str, server: HttpServer, endpoint: AwsEndpoint
) -> None:
    remote = client(server, "dynamodb")
    remote.put_item(TableName=table, Item=item(n=1))
    assert read(dynamodb, table) == item(n=1)
    dynamodb.put_item(TableName=table, Item=item("2"))

    assert remote.scan(TableName=table)["Count"] == 2
    assert remote.list_tables()["TableNames"] == [table]
    assert endpoint.calls[(None, "dynamodb", "Scan")] == 1
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        remote.put_item(TableName=table, Item=item(), ConditionExpression="attribute_not_exists(pk)")


def test_json_query_and_rest_services_over_http(server: HttpServer) -> None:
    sqs, sns, s3, iam = (client(server, name) for name in ("sqs", "sns", "s3", "iam"))
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:q")
    sns.publish(TopicArn=topic, Message="hello")
    assert "hello" in sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]

    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a/b c.txt", Body=b"text" * 1000)
    assert s3.get_object(Bucket="bucket", Key="a/b c.txt")["Body"].read() == b"text" * 1000
    assert s3.head_object(Bucket="bucket", Key="a/b c.txt")["ContentLength"] == 4000
    assert [row["Key"] for row in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["a/b c.txt"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="bucket", Key="none")

    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    role = iam.get_role(RoleName="r")["Role"]["Arn"]
    assert role == "arn:aws:iam::123456789012:role/r"
    assert client(server, "lambda").list_functions()["Functions"] == []


def test_a_service_that_is_not_there_and_an_unsigned_request(server: HttpServer) -> None:
    with pytest.raises(ClientError, match="service 'kinesis' is not part of the local endpoint"):
        client(server, "kinesis").list_streams()
    with pytest.raises(OSError, match="400"):
        urlopen(server.url)


def test_a_port_in_use_gives_one_clear_line(endpoint: AwsEndpoint) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"^port {port} on 127.0.0.1 is in use by another program"):
            endpoint.serve_http(port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "example.com", "::"])
def test_only_loopback_addresses_are_served(endpoint: AwsEndpoint, host: str) -> None:
    with pytest.raises(EndpointError, match=f"host '{host}' is refused"):
        endpoint.serve_http(0, host)


def test_stop_is_prompt_even_with_an_open_connection(endpoint: AwsEndpoint) -> None:
    server = endpoint.serve_http(0)
    with socket.create_connection((server.host, server.port)):
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 1
    again = endpoint.serve_http(server.port)
    again.stop()
