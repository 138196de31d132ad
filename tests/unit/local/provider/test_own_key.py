"""The whole program with a key of its own, through the provider's protocol: everything names the key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.deploy.program import evaluate
from local.deploy.project import load_stack
from local.provider import EngineRuntime
from local.scheduler import Scheduler
from tests.support.projects import shared_project
from tests.support.provider_client import ProtocolEngine

KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"
LOG_GROUP, TABLE = "aws:cloudwatch/logGroup:LogGroup", "aws:dynamodb/table:Table"


@pytest.fixture(scope="module")
def engine() -> Iterator[ProtocolEngine]:
    with EngineRuntime(project_dir=shared_project(), scheduler=Scheduler.virtual()) as runtime:
        port = int(runtime.environment["PULUMI_DEBUG_PROVIDERS"].removeprefix("aws:"))
        engine = ProtocolEngine(port)
        evaluate(shared_project(), load_stack(shared_project(), "dev", {"kmsKey": "create"}), engine)
        yield engine


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]


def test_the_services_say_so(engine: ProtocolEngine) -> None:
    arn = engine.get(KEY, "key").outputs["arn"]
    table = client("dynamodb").describe_table(TableName="cqrs-dev-commands")["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == arn
    queue = engine.get("aws:sqs/queue:Queue", "notification-queue")
    attributes = client("sqs").get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
    assert (attributes["KmsMasterKeyId"], attributes["KmsDataKeyReusePeriodSeconds"]) == (arn, "300")
    topic = engine.get("aws:sns/topic:Topic", "alarm-topic")
    assert client("sns").get_topic_attributes(TopicArn=topic.id)["Attributes"]["KmsMasterKeyId"] == arn
    bucket = engine.get("aws:s3/bucket:Bucket", "bucket")
    rules = client("s3").get_bucket_encryption(Bucket=bucket.id)["ServerSideEncryptionConfiguration"]["Rules"]
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    assert rules == [{"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}]
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/cqrs-dev-events")["logGroups"]
    assert group["kmsKeyId"] == arn
    function = client("lambda").get_function_configuration(FunctionName="cqrs-dev-events")
    assert function["KMSKeyArn"] == arn
    aliases = {one["AliasName"]: one["TargetKeyId"] for one in client("kms").list_aliases()["Aliases"]}
    assert aliases["alias/cqrs-dev"] == engine.get(KEY, "key").id


def test_a_second_update_and_a_refresh_find_nothing(engine: ProtocolEngine) -> None:
    assert [one.urn for one in engine.state if list(engine.diff(one, one.inputs).diffs)] == []
    assert [one.urn for one in engine.state if engine.read(one) != one.inputs] == []


def test_policy_and_rotation_can_be_changed_and_drift_is_seen(engine: ProtocolEngine) -> None:
    key = engine.get(KEY, "key")
    declared = dict(key.inputs)
    narrower = json.dumps({"Version": "2012-10-17", "Statement": json.loads(declared["policy"])["Statement"][:1]})
    engine.update(key, policy=narrower, enableKeyRotation=False)
    kms = client("kms")
    assert json.loads(kms.get_key_policy(KeyId=key.id, PolicyName="default")["Policy"]) == json.loads(narrower)
    kms.tag_resource(KeyId=key.id, Tags=[{"TagKey": "owner", "TagValue": "us"}])
    assert engine.read(key) == key.inputs
    engine.update(key, policy=declared["policy"], enableKeyRotation=True)
    assert engine.read(key) == declared


@pytest.mark.parametrize(
    ("type_", "name", "change"),
    [
        (LOG_GROUP, "events-logs", {"kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/other"}),
        (TABLE, "commands", {"serverSideEncryption": {"enabled": True}}),
    ],
)
def test_another_key_is_refused_where_the_endpoint_cannot_give_it(
    engine: ProtocolEngine, type_: str, name: str, change: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match=f"local runtime cannot change {next(iter(change))}"):
        engine.update(engine.get(type_, name), **change)


def test_nobody_else_changes_keys(engine: ProtocolEngine) -> None:
    kms = client("kms")
    with pytest.raises(kms.exceptions.ClientError, match="runs what the program declares"):
        kms.create_key()
    with pytest.raises(kms.exceptions.ClientError, match="nothing would come of it"):
        kms.encrypt(KeyId=engine.get(KEY, "key").id, Plaintext=b"x")


def test_a_deleted_key_is_gone_for_the_engine(engine: ProtocolEngine) -> None:
    """Last in this file."""
    key = engine.get(KEY, "key")
    engine.delete(engine.get(ALIAS, "key-alias"))
    engine.delete(key)
    assert engine.read(key) is None
    assert client("kms").describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "PendingDeletion"
