"""Tables that another server keeps: what it is sent, how its streams are read, what is refused.

The server here is scripted; a real one is met by ``tests/real/dynamodb``.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws.elsewhere.tables import TablesElsewhere
from local.aws.endpoint import AwsEndpoint
from local.aws.model import EndpointError
from local.aws.tables.streams import read_new_records, stream_end
from local.scheduler import VIRTUAL_EPOCH, Scheduler
from tests.unit.local.aws.conftest import create_table
from tests.unit.local.aws.helpers import item, key

STREAM = "arn:aws:dynamodb:local:0:table/orders/stream/x"
Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Script:
    """A server that answers an operation with what a function makes of the request, and notes the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "ListTables": lambda _: {"TableNames": []},
            "CreateTable": lambda _: {"TableDescription": {"LatestStreamArn": STREAM}},
            "DeleteTable": lambda _: {},
        }
        self.seen: list[tuple[str, dict[str, Any]]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                script.seen.append((operation, request))
                answer = script.answers[operation](request)
                body = json.dumps(answer).encode()
                self.send_response(400 if "__type" in answer else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.seen]


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def elsewhere(script: Script) -> Iterator[AwsEndpoint]:
    endpoint = AwsEndpoint(Scheduler.virtual(1))
    tables = TablesElsewhere(endpoint, script.url)
    with endpoint:
        yield endpoint
    tables.close()


def test_items_are_there_and_what_a_table_is_declared_with_is_here(script: Script, elsewhere: AwsEndpoint) -> None:
    dynamodb = boto3.client("dynamodb")
    create_table(dynamodb, "orders")
    dynamodb.update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    script.answers["PutItem"] = lambda _: {}
    script.answers["GetItem"] = lambda _: {"Item": item(n=7)}

    dynamodb.put_item(TableName="orders", Item=item(n=1))
    assert dynamodb.get_item(TableName="orders", Key=key())["Item"] == item(n=7)

    assert script.operations() == ["ListTables", "CreateTable", "PutItem", "GetItem"]
    created = script.seen[1][1]
    assert created["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert script.seen[2][1] == {"TableName": "orders", "Item": item(n=1)}
    assert elsewhere.tables["orders"].items == {}


def test_its_errors_are_the_callers(script: Script, elsewhere: AwsEndpoint) -> None:
    dynamodb = boto3.client("dynamodb")
    refusal = {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "no",
        "Item": item(),
    }
    script.answers["PutItem"] = lambda _: refusal

    with pytest.raises(ClientError) as failed:
        dynamodb.put_item(TableName="orders", Item=item(), ConditionExpression="attribute_not_exists(pk)")

    assert failed.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert failed.value.response["Item"] == item()  # type: ignore[typeddict-item]


def test_a_stream_s_shards_are_read_parents_first_each_record_once(script: Script, elsewhere: AwsEndpoint) -> None:
    create_table(boto3.client("dynamodb"), "orders")
    first = {"ShardId": "young", "ParentShardId": "old"}, {"ShardId": "old", "ParentShardId": "trimmed"}
    script.answers["DescribeStream"] = lambda request: {
        "StreamDescription": (
            {"Shards": [first[1]]}
            if "ExclusiveStartShardId" in request
            else {"Shards": [first[0]], "LastEvaluatedShardId": "young"}
        )
    }
    script.answers["GetShardIterator"] = lambda request: {"ShardIterator": f"{request['ShardId']} 0"}
    rows = {"old": ["a", "b", "c"], "young": ["d"]}

    def records(request: dict[str, Any]) -> dict[str, Any]:
        shard, position = request["ShardIterator"].split()
        found = rows[shard][int(position) : int(position) + 2]
        answer = {
            "Records": [{"eventName": "INSERT", "dynamodb": {"Keys": key(sk), "SequenceNumber": "1"}} for sk in found]
        }
        behind = int(position) + len(found)
        closed = shard == "old" and behind == len(rows["old"])
        return answer if closed else {**answer, "NextShardIterator": f"{shard} {behind}"}

    script.answers["GetRecords"] = records

    found, position = read_new_records(elsewhere, "orders", 0)

    assert [one["dynamodb"]["Keys"]["sk"]["S"] for one in found] == ["a", "b", "c", "d"]
    assert position == stream_end(elsewhere, "orders") == 4
    arn = boto3.client("dynamodb").describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    assert {one["eventSourceARN"] for one in found} == {arn}
    assert {one["dynamodb"]["ApproximateCreationDateTime"] for one in found} == {int(VIRTUAL_EPOCH)}
    rows["young"].append("e")
    (more,), _ = read_new_records(elsewhere, "orders", position)
    assert more["dynamodb"]["Keys"]["sk"]["S"] == "e"


def test_what_was_made_there_is_dropped(script: Script) -> None:
    endpoint = AwsEndpoint()
    tables = TablesElsewhere(endpoint, script.url)
    with endpoint:
        dynamodb = boto3.client("dynamodb")
        create_table(dynamodb, "one")
        create_table(dynamodb, "two")
        dynamodb.delete_table(TableName="one")
    tables.close()

    assert [request for operation, request in script.seen if operation == "DeleteTable"] == [
        {"TableName": "one"},
        {"TableName": "two"},
    ]


def test_a_table_that_is_there_already_is_reported(script: Script, elsewhere: AwsEndpoint) -> None:
    script.answers["CreateTable"] = lambda _: {"__type": "x#ResourceInUseException", "message": "in use"}

    with pytest.raises(EndpointError, match=f"the DynamoDB at {script.url} has a table 'orders' already; restart it"):
        create_table(boto3.client("dynamodb"), "orders")


def test_a_stream_or_an_index_is_not_changed_there(script: Script, elsewhere: AwsEndpoint) -> None:
    dynamodb = boto3.client("dynamodb")
    create_table(dynamodb, "orders")

    with pytest.raises(
        ClientError, match=f"UpdateTable of StreamSpecification: not while {script.url} keeps the tables"
    ):
        dynamodb.update_table(TableName="orders", StreamSpecification={"StreamEnabled": False})

    dynamodb.update_table(TableName="orders", DeletionProtectionEnabled=True)
    assert dynamodb.describe_table(TableName="orders")["Table"]["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "https://127.0.0.1:8000", "http://127.0.0.1", "http://10.0.0.1:8000",
            "http://dynamodb.eu-west-1.example:80", "http://127.0.0.1:8000/x", "http://127.0.0.1:x"]
)  # fmt: skip
def test_servers_of_other_machines_and_other_forms_are_refused(url: str) -> None:
    with pytest.raises(EndpointError, match=r"^CQRS_DYNAMODB_ENDPOINT: .*: allowed is http://HOST:PORT with one of"):
        TablesElsewhere(AwsEndpoint(), url)


def test_a_server_that_is_not_there_is_reported() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(EndpointError, match=f"CQRS_DYNAMODB_ENDPOINT: no answer from {url} to ListTables"):
        TablesElsewhere(AwsEndpoint(), url)


def test_a_server_of_something_else_is_reported(script: Script) -> None:
    script.answers["ListTables"] = lambda _: "hello"  # type: ignore[assignment, return-value]
    with pytest.raises(EndpointError, match="is no DynamoDB: ListTables gives HTTP 200"):
        TablesElsewhere(AwsEndpoint(), script.url)
