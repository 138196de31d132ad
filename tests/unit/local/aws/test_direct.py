"""Calls without HTTP give what botocore makes of HTTP: results, errors, tries, and what is stored."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.aws.direct import calls
from local.aws.direct.shapes import Unfit, reader, writer
from local.aws.endpoint import AwsEndpoint
from local.aws.model import AwsCall
from local.scheduler import Scheduler

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3})
CLIENTS = ("dynamodb", "events", "iam", "logs", "sns", "sqs", "stepfunctions")


class Colour(StrEnum):
    RED = "red"


def key(sk: str) -> dict[str, Any]:
    return {"pk": {"S": "a"}, "sk": {"S": sk}}


EVERYTHING = {
    **key("all"),
    "binary": {"B": b"\x00\xff"},
    "set": {"SS": ["b", "a"]},
    "numbers": {"NS": ["2", "1"]},
    "binaries": {"BS": [b"1", b"2"]},
    "nothing": {"NULL": True},
    "truth": {"BOOL": False},
    "map": {"M": {"inner": {"L": [{"N": "1.50"}, {"M": {}}, {"S": "ü"}]}, "empty": {"S": ""}}},
    "enum": {"S": Colour.RED},
}
CREATE = {
    "TableName": "t",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "BillingMode": "PAY_PER_REQUEST",
}
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"
PUT_ONCE = {"Put": {"TableName": "t", "Item": key("2"), "ConditionExpression": "attribute_not_exists(pk)"}}

TOPIC = "arn:aws:sns:eu-west-1:123456789012:topic"
ATTRIBUTES = {"kind": {"DataType": "String", "StringValue": "x"}, "n": {"DataType": "Number", "StringValue": "1"}}

POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}
)

#: What is called, in this order.
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "create_table", CREATE),
    ("dynamodb", "describe_table", {"TableName": "t"}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": EVERYTHING}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": EVERYTHING, "ReturnValues": "ALL_OLD"}),
    ("dynamodb", "get_item", {"TableName": "t", "Key": key("all"), "ConsistentRead": True}),
    ("dynamodb", "get_item", {"TableName": "t", "Key": key("none")}),
    ("dynamodb", "query", {"TableName": "t", "KeyConditionExpression": "pk = :a", "ExpressionAttributeValues": {}}),
    (
        "dynamodb",
        "query",
        {
            "TableName": "t",
            "KeyConditionExpression": "pk = :a",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
            "Limit": 1,
        },
    ),
    ("dynamodb", "scan", {"TableName": "t", "Limit": 0}),
    ("dynamodb", "scan", {"TableName": "t"}),
    ("dynamodb", "transact_write_items", {"TransactItems": [PUT_ONCE]}),
    ("dynamodb", "transact_write_items", {"TransactItems": [PUT_ONCE]}),
    ("dynamodb", "transact_write_items", {"TransactItems": (PUT_ONCE,), "ClientRequestToken": "x" * 37}),
    ("dynamodb", "transact_get_items", {"TransactItems": [{"Get": {"TableName": "t", "Key": key("all")}}]}),
    (
        "dynamodb",
        "put_item",
        {
            "TableName": "t",
            "Item": key("2"),
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    ),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {"pk": "a"}}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {**key("3"), "n": {"N": 3}}}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {**key("4"), "b": {"B": "text"}}}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": {**key("5"), "b": {"B": bytearray(b"5")}}}),
    ("dynamodb", "put_item", {"TableName": "t", "Item": key("6"), "Colour": "red"}),
    ("dynamodb", "put_item", {"TableName": "t"}),
    ("dynamodb", "get_item", {"TableName": "", "Key": key("all")}),
    ("dynamodb", "get_item", {"TableName": "other", "Key": key("all")}),
    ("dynamodb", "get_item", {"TableName": None, "Key": key("all")}),
    ("dynamodb", "list_backups", {}),
    ("dynamodb", "scan", {"TableName": "t", "ConsistentRead": True}),
    ("sqs", "create_queue", {"QueueName": "q", "Attributes": {"VisibilityTimeout": "30"}}),
    (
        "sqs",
        "send_message",
        {
            "QueueUrl": URL,
            "MessageBody": "one",
            "MessageAttributes": {
                "kind": {"DataType": "String", "StringValue": "x"},
                "raw": {"DataType": "Binary", "BinaryValue": b"\x01"},
            },
        },
    ),
    ("sqs", "get_queue_url", {"QueueName": "q"}),
    ("sqs", "send_message_batch", {"QueueUrl": URL, "Entries": [{"Id": "1", "MessageBody": "two"}]}),
    ("sqs", "send_message", {"QueueUrl": URL + "2", "MessageBody": "none"}),
    (
        "sqs",
        "receive_message",
        {
            "QueueUrl": URL,
            "MaxNumberOfMessages": 10,
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
        },
    ),
    ("sqs", "receive_message", {"QueueUrl": URL}),
    ("sqs", "receive_message", {"QueueUrl": URL, "MaxNumberOfMessages": 11}),
    ("sqs", "delete_message_batch", {"QueueUrl": URL, "Entries": [{"Id": "1", "ReceiptHandle": "no"}]}),
    ("sqs", "get_queue_attributes", {"QueueUrl": URL, "AttributeNames": ["All"]}),
    ("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
    ("events", "put_events", {"Entries": []}),
    ("events", "list_rules", {}),
    ("events", "describe_rule", {"Name": "none"}),
    (
        "events",
        "put_events",
        {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{"}, {"Source": "s", "EventBusName": "none"}]},
    ),
    ("sns", "create_topic", {"Name": "topic"}),
    (
        "sns",
        "subscribe",
        {
            "TopicArn": TOPIC,
            "Protocol": "sqs",
            "Endpoint": "arn:aws:sqs:eu-west-1:123456789012:q",
            "Attributes": {"FilterPolicy": '{"kind": ["x"]}'},
        },
    ),
    ("sns", "publish", {"TopicArn": TOPIC, "Message": "m", "Subject": "s", "MessageAttributes": ATTRIBUTES}),
    ("sns", "publish", {"TopicArn": TOPIC, "Message": "not for the queue"}),
    (
        "sns",
        "publish_batch",
        {
            "TopicArn": TOPIC,
            "PublishBatchRequestEntries": [
                {"Id": "1", "Message": "one", "MessageAttributes": ATTRIBUTES},
                {"Id": "2", "Message": "two"},
            ],
        },
    ),
    ("sns", "publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "1", "Message": "m"}] * 2}),
    ("sns", "publish", {"TopicArn": TOPIC + "2", "Message": "m"}),
    ("sns", "publish", {"TopicArn": TOPIC, "Message": 3}),
    (
        "sns",
        "publish",
        {"TopicArn": TOPIC, "Message": "m", "MessageAttributes": {"a": {"DataType": "Wrong", "StringValue": "x"}}},
    ),
    (
        "sns",
        "publish",
        {"TopicArn": TOPIC, "Message": "m", "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": b"x"}}},
    ),
    ("sqs", "receive_message", {"QueueUrl": URL, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}),
    ("sqs", "delete_message", {"QueueUrl": URL, "ReceiptHandle": "none"}),
    ("logs", "create_log_group", {"logGroupName": "g", "tags": {"a": "b"}}),
    ("logs", "create_log_group", {"logGroupName": "g"}),
    ("logs", "put_retention_policy", {"logGroupName": "g", "retentionInDays": 7}),
    ("logs", "put_retention_policy", {"logGroupName": "none", "retentionInDays": 7}),
    ("logs", "put_retention_policy", {"logGroupName": "g", "retentionInDays": "7"}),
    ("logs", "describe_log_groups", {}),
    ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": POLICY}),
    ("iam", "put_role_policy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": POLICY}),
    ("iam", "put_role_policy", {"RoleName": "none", "PolicyName": "p", "PolicyDocument": POLICY}),
    ("iam", "put_role_policy", {"RoleName": "r", "PolicyName": "p", "PolicyDocument": "{"}),
    ("iam", "put_role_policy", {"RoleName": "r", "PolicyName": "p"}),
    ("iam", "get_role_policy", {"RoleName": "r", "PolicyName": "p"}),
    ("stepfunctions", "list_state_machines", {"maxResults": 0}),
    ("stepfunctions", "list_state_machines", {}),
]


@contextmanager
def running() -> Iterator[dict[str, BaseClient]]:
    with AwsEndpoint(Scheduler.virtual(1), region="eu-west-1"):
        yield {name: boto3.client(name, config=CONFIG) for name in CLIENTS}  # type: ignore[call-overload]


def by_http(client: BaseClient) -> BaseClient:
    """The same client, with a hook: its requests are written and read."""

    def look(**_: Any) -> None:
        return None

    client.meta.events.register("before-send", look)
    return client


def outcome(client: Any, method: str, arguments: dict[str, Any]) -> Any:
    try:
        return without_ids(getattr(client, method)(**arguments))
    except (ClientError, ParamValidationError) as error:
        return type(error).__name__, str(error), without_ids(getattr(error, "response", {}))


#: Random, as what follows from them, so that each way has others; and a second "Message" that moto's errors have.
IDS = {
    "RequestId",
    "HTTPHeaders",
    "MessageId",
    "ReceiptHandle",
    "EventId",
    "SubscriptionArn",
    "MD5OfBody",
    "RoleId",
    "message",
}


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(part) for part in value]
    if isinstance(value, str) and value.startswith("{") and '"Notification"' in value:
        return without_ids(json.loads(value))
    if not isinstance(value, dict):
        return value
    return {name: without_ids(part) for name, part in value.items() if name not in IDS and name != "UnsubscribeURL"}


def outcomes(change: Callable[[BaseClient], BaseClient]) -> list[Any]:
    with running() as clients:
        changed = {name: change(client) for name, client in clients.items()}
        return [outcome(changed[service], method, arguments) for service, method, arguments in CALLS]


def test_both_ways_have_the_same_outcomes() -> None:
    direct, http = outcomes(lambda client: client), outcomes(by_http)
    assert any("ParamValidationError" in one for one in http)
    assert any("TransactionCanceledException" in one for one in http)
    for call, one, other in zip(CALLS, direct, http, strict=True):
        assert one == other, call


def test_calls_go_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    botocores: list[str] = []

    def note(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        botocores.append(operation)
        return original(client, operation, parameters)

    original = calls._botocores
    with monkeypatch.context() as patch:
        patch.setattr(calls, "_botocores", note)
        with running() as clients:
            client: Any = clients["dynamodb"]
            client.create_table(**CREATE)
            client.put_item(TableName="t", Item=EVERYTHING)
            client.get_item(TableName="t", Key=key("all"))
            client.transact_write_items(TransactItems=[PUT_ONCE])
            assert not botocores
            with pytest.raises(client.exceptions.ResourceNotFoundException):
                client.get_item(TableName="other", Key=key("all"))
            with pytest.raises(client.exceptions.TransactionCanceledException, match=r"\[ConditionalCheckFailed\]"):
                client.transact_write_items(TransactItems=[PUT_ONCE])
    assert botocores == ["GetItem"]


class Throttle:
    """Refuses the first calls."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.tries = 0

    def before(self, call: AwsCall) -> str | None:
        self.tries += 1
        self.left -= 1
        return "ThrottlingException" if self.left >= 0 else None

    def after(self, call: AwsCall) -> None:
        pass


@pytest.mark.parametrize("change", [lambda client: client, by_http], ids=["direct", "http"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_refused_calls_are_tried_again_as_often(change: Callable[[BaseClient], BaseClient], times: int) -> None:
    faults = Throttle(times)
    with AwsEndpoint(Scheduler.virtual(1), faults=faults):
        client: Any = change(boto3.client("dynamodb", config=CONFIG))
        if times < 3:
            assert client.list_tables()["ResponseMetadata"]["RetryAttempts"] == times
        else:
            with pytest.raises(ClientError, match="ThrottlingException"):
                client.list_tables()
    assert faults.tries == min(times + 1, 3)


def test_what_is_stored_is_nobodys_to_change() -> None:
    with running() as clients:
        client: Any = clients["dynamodb"]
        client.create_table(**CREATE)
        sent = {**key("1"), "map": {"M": {"list": {"L": [{"S": "x"}]}}}}
        client.put_item(TableName="t", Item=sent)
        sent["map"]["M"]["list"]["L"].append({"S": "changed"})
        for _ in range(2):
            item = client.get_item(TableName="t", Key=key("1"))["Item"]
            assert item["map"] == {"M": {"list": {"L": [{"S": "x"}]}}}
            item["map"]["M"]["list"]["L"].append({"S": "changed"})


def test_resources_and_other_addresses_are_botocores() -> None:
    with AwsEndpoint(Scheduler.virtual(1)):
        client: Any = boto3.client("dynamodb")
        client.create_table(**CREATE)
        table = boto3.resource("dynamodb").Table("t")
        table.put_item(Item={"pk": "a", "sk": "b", "n": 3})
        assert table.get_item(Key={"pk": "a", "sk": "b"})["Item"] == {"pk": "a", "sk": "b", "n": 3}
        elsewhere = boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9")
        assert calls._way_of(elsewhere, "GetItem") is None


def test_afterwards_calls_are_botocores() -> None:
    before = BaseClient._make_api_call  # type: ignore[attr-defined]
    with AwsEndpoint():
        assert BaseClient._make_api_call is not before  # type: ignore[attr-defined]
    assert BaseClient._make_api_call is before  # type: ignore[attr-defined]


_SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text()),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda data: {"B": data}, st.binary()),
    st.builds(lambda truth: {"BOOL": truth}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda members: {"SS": members}, st.lists(st.text())),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda entries: {"L": entries}, st.lists(inner, max_size=3)),
        st.builds(lambda entries: {"M": entries}, st.dictionaries(st.text(string.ascii_letters), inner, max_size=3)),
    ),
    max_leaves=8,
)


DYNAMODB = get_session().get_service_model("dynamodb")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text(string.ascii_letters, min_size=1), _VALUES, max_size=4))
def test_values_come_back_as_they_were_written(item: dict[str, Any]) -> None:
    put, get = DYNAMODB.operation_model("PutItem"), DYNAMODB.operation_model("GetItem")
    written = writer(put.input_shape)({"TableName": "t", "Item": item})
    assert reader(get.output_shape)({"Item": written["Item"]}) == {"Item": item}


@pytest.mark.parametrize("wrong", [None, {"S": None}, {"S": b"x"}, {"BOOL": 1}, {"L": {"S": "x"}}, {"X": "x"}, [], "x"])
def test_what_may_be_wrong_is_not_written(wrong: Any) -> None:
    shape = DYNAMODB.operation_model("PutItem").input_shape
    with pytest.raises(Unfit):
        writer(shape)({"TableName": "t", "Item": {"a": wrong}})
