"""What clients are spared while an endpoint runs, and that it is theirs alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import ClientCreator
from botocore.credentials import Credentials
from botocore.useragent import UserAgentString
from moto.core.utils import get_service_model

from local.aws.clients import NO_SIGNATURE, USER_AGENT
from local.aws.endpoint import AwsEndpoint
from local.aws.environment import ACCESS_KEY


@pytest.fixture
def endpoint() -> Iterator[AwsEndpoint]:
    with AwsEndpoint() as running:
        yield running


def sent_headers(client: Any) -> dict[str, str]:
    seen: list[dict[str, str]] = []

    def note(request: Any, **_: Any) -> None:
        seen.append({name: v.decode() if isinstance(v, bytes) else v for name, v in request.headers.items()})

    client.meta.events.register_first("before-send", note)
    client.list_tables()
    return seen[0]


def test_requests_name_their_scope_and_carry_no_signature(endpoint: AwsEndpoint) -> None:
    headers = sent_headers(boto3.client("dynamodb"))
    scheme, _, parts = headers["Authorization"].partition(" ")
    assert scheme == "AWS4-HMAC-SHA256"
    assert parts.startswith(f"Credential={ACCESS_KEY}/")
    assert parts.endswith(f"/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature={NO_SIGNATURE}")
    assert headers["User-Agent"].split()[0] == USER_AGENT  # Powertools adds itself wherever the api was loaded
    assert len(headers["X-Amz-Date"]) == len("20260101T000000Z")


def test_requests_of_other_credentials_are_signed(endpoint: AwsEndpoint) -> None:
    request = AWSRequest("POST", "https://dynamodb.us-east-1.amazonaws.com/", data=b"{}")
    SigV4Auth(Credentials("AKIAOTHER", "secret"), "dynamodb", "us-east-1").add_auth(request)
    assert NO_SIGNATURE not in request.headers["Authorization"]


def test_sessions_share_their_descriptions_but_not_with_moto(endpoint: AwsEndpoint) -> None:
    one, other = (
        botocore.session.get_session().get_component("data_loader").load_service_model("sqs", "service-2")
        for _ in range(2)
    )
    assert one is other
    assert get_service_model("sqs")._service_description is not one


def test_clients_share_their_class_if_they_have_the_same_hooks(endpoint: AwsEndpoint) -> None:
    plain = [botocore.session.get_session().create_client("s3") for _ in range(2)]
    assert type(plain[0]) is type(plain[1])
    assert not hasattr(plain[0], "upload_file")
    assert hasattr(boto3.client("s3"), "upload_file")
    assert type(botocore.session.get_session().create_client("s3")) is type(plain[0])
    assert type(botocore.session.get_session().create_client("sqs")).__name__ == "SQS"


def test_afterwards_all_is_botocores_again() -> None:
    def state() -> tuple[object, ...]:
        made = ClientCreator._create_client_class  # type: ignore[attr-defined]
        return botocore.session.create_loader, SigV4Auth.add_auth, UserAgentString.to_string, made

    before = state()
    with AwsEndpoint():
        assert all(one is not other for one, other in zip(state(), before, strict=True))
    assert state() == before


def test_a_notification_says_that_nothing_signed_it(endpoint: AwsEndpoint) -> None:
    sqs, sns = boto3.client("sqs"), boto3.client("sns")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    sns.publish(
        TopicArn=topic,
        Subject="s",
        Message="text",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}},
    )
    body = sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
    assert body.startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
    assert body.endswith("\n}")
    notification = json.loads(body)
    assert notification.pop("MessageId")
    assert notification.pop("Timestamp")
    assert notification == {
        "Type": "Notification",
        "TopicArn": topic,
        "Subject": "s",
        "Message": "text",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "x"}},
        "SignatureVersion": "2",
        "Signature": "dGhlIGxvY2FsIHJ1bnRpbWUgc2lnbnMgbm90aGluZw==",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-local.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn="
        + subscription["SubscriptionArn"],
    }
