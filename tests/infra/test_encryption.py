"""``kmsKey``, ``kmsKeyArn``: what holds data is encrypted with the key, and those who need it may use it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.naming.names import Account, Names
from infra.permissions.keys import key_actions, key_policy
from local.deploy.errors import DeployError
from policy import RULES, Declared, violations
from tests.support.evaluation import ACCOUNT, REGION, TUNED, Evaluation, evaluate_into, evaluated

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
#: Type to where it names its key.
NAMED: dict[str, Any] = {
    "aws:cloudwatch/logGroup:LogGroup": lambda props: props.get("kmsKeyId"),
    "aws:dynamodb/table:Table": lambda props: props["serverSideEncryption"].get("kmsKeyArn"),
    "aws:lambda/function:Function": lambda props: props.get("kmsKeyArn"),
    "aws:sns/topic:Topic": lambda props: props.get("kmsMasterKeyId"),
    "aws:sqs/queue:Queue": lambda props: props.get("kmsMasterKeyId"),
    ENCRYPTION: lambda props: props["rules"][0]["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"),
}


@pytest.fixture(scope="module")
def created() -> Evaluation:
    return evaluated("prod", {"kmsKey": "create", "handlerModules": '["handlers.domain.approval"]'})


@pytest.fixture(scope="module")
def given() -> Evaluation:
    return evaluated("dev", {"kmsKeyArn": KEY})


def statements(evaluation: Evaluation, role_policy: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(evaluation.get("aws:iam/rolePolicy:RolePolicy", role_policy)["policy"])[
        "Statement"
    ]
    return found


def on_key(evaluation: Evaluation, role_policy: str) -> list[str]:
    return [
        action
        for one in statements(evaluation, role_policy)
        if isinstance(one["Resource"], str) and ":kms:" in one["Resource"]
        for action in one["Action"]
    ]


def keys_of(evaluation: Evaluation) -> dict[tuple[str, str], Any]:
    return {
        (type_, name): named(props)
        for type_, named in NAMED.items()
        for name, props in evaluation.of_type(type_).items()
    }


def test_everything_names_the_key(created: Evaluation, given: Evaluation) -> None:
    own = created.outputs["kmsKeyArn"]
    assert own.startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    for evaluation, key in ((created, own), (given, KEY)):
        found = keys_of(evaluation)
        assert len(found) >= 35
        assert {one for one, arn in found.items() if arn != key} == set()
        assert evaluation.outputs["kmsKeyArn"] == key
    assert given.of_type("aws:kms/key:Key") == {}
    for props in created.of_type("aws:sqs/queue:Queue").values():
        assert "sqsManagedSseEnabled" not in props  # one of the two (SQS API reference, SetQueueAttributes)


def test_without_a_key_nothing_names_one(dev: Evaluation) -> None:
    named = {arn for arn in keys_of(dev).values() if arn is not None}
    assert named == {"alias/aws/sns"}
    assert "kmsKeyArn" not in dev.outputs
    assert "kms:" not in json.dumps([one.props for one in dev.registrations if "olicy" in one.type])


def test_roles_may_use_it_as_far_as_they_call(created: Evaluation) -> None:
    both = ["kms:Decrypt", "kms:GenerateDataKey"]
    functions = {one["handler"].split(".")[-2] for one in created.of_type("aws:lambda/function:Function").values()}
    assert {one: on_key(created, f"{one}-policy") for one in functions} == dict.fromkeys(functions, both)
    assert on_key(created, "import-csv-policy") == both
    for machine in ("command-handler", "command-handler-express", "task-handler", "import-zip", "approval"):
        assert on_key(created, f"{machine}-policy") == []


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["dynamodb:PutItem"], ["kms:Decrypt"]),
        (["sqs:ReceiveMessage"], ["kms:Decrypt"]),
        (["s3:GetObjectVersion"], ["kms:Decrypt"]),
        (["sns:Publish"], ["kms:Decrypt", "kms:GenerateDataKey"]),
        (["sqs:SendMessage"], ["kms:Decrypt", "kms:GenerateDataKey"]),
        (["s3:PutObject"], ["kms:Decrypt", "kms:GenerateDataKey"]),
        (["states:StartExecution", "events:PutEvents"], []),
    ],
)
def test_what_calls_need(actions: list[str], expected: list[str]) -> None:
    assert list(key_actions(actions)) == expected
    assert list(key_actions(actions, reads_environment=True)) == (expected or ["kms:Decrypt"])


def test_services_come_in_for_this_stack_only(created: Evaluation) -> None:
    policy = json.loads(created.get("aws:kms/key:Key", "key")["policy"])
    by_sid = {one["Sid"]: one for one in policy["Statement"]}
    assert by_sid["Account"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    services = {sid: one["Principal"]["Service"] for sid, one in by_sid.items() if sid != "Account"}
    assert services == {
        "Logs": f"logs.{REGION}.amazonaws.com",
        "Alarms": "cloudwatch.amazonaws.com",
        "TopicToQueues": "sns.amazonaws.com",
        "Rules": "events.amazonaws.com",
        "BucketNotifications": "s3.amazonaws.com",
    }
    for sid in services:
        assert "cqrs-prod-" in json.dumps(by_sid[sid]["Condition"]), sid
        assert (sid == "Logs") != (ACCOUNT in json.dumps(by_sid[sid]["Condition"].get("StringEquals", {}))), sid
    groups = by_sid["Logs"]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    names = [one["name"] for one in created.of_type("aws:cloudwatch/logGroup:LogGroup").values()]
    beginnings = [arn.partition(":log-group:")[2].partition("*")[0] for arn in groups]
    assert all(name.startswith(tuple(beginnings)) for name in names)


def test_in_china_the_log_service_has_another_name() -> None:
    account = Account("aws-cn", "cn-north-1", ACCOUNT)
    text = json.dumps(key_policy(Names("cqrs", "dev"), account, "main-topic", ("sweep",)))
    assert '"logs.cn-north-1.amazonaws.com.cn"' in text
    assert "arn:aws:" not in text


def test_the_key_is_rotated_and_kept(created: Evaluation) -> None:
    props = created.get("aws:kms/key:Key", "key")
    assert (props["enableKeyRotation"], props["deletionWindowInDays"]) == (True, 30)
    assert created.get("aws:kms/alias:Alias", "key-alias")["name"] == "alias/cqrs-prod"


def test_the_guard_rails_hold(created: Evaluation, given: Evaluation) -> None:
    for evaluation in (created, given):
        declared = [
            Declared(one.type, one.name, {key: value for key, value in one.props.items() if key != "code"})
            for one in evaluation.registrations
            if one.custom
        ]
        assert [str(one) for one in violations(declared, RULES)] == []


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"kmsKey": "create", "kmsKeyArn": KEY}, "kmsKeyArn: not allowed with kmsKey create"),
        ({"kmsKeyArn": KEY.replace("us-east-1", "eu-west-1")}, "expected a key in the stack's region: arn:aws:kms:us-"),
        ({"kmsKeyArn": "alias/mine"}, "expected the ARN of a KMS key, not of an alias"),
    ],
)
def test_a_key_that_cannot_be_is_refused(config: dict[str, str], told: str) -> None:
    evaluation = Evaluation("dev")
    with pytest.raises(DeployError, match=told):
        evaluate_into(evaluation, config)
    assert evaluation.registrations == []


def test_the_access_log_goes_where_it_is_said(dev: Evaluation) -> None:
    logging = "aws:s3/bucketLogging:BucketLogging"
    assert dev.of_type(logging) == {}
    assert evaluated("dev", TUNED).get(logging, "bucket-logging") == {
        "bucket": f"cqrs-dev-store-{ACCOUNT}",
        "targetBucket": "logs-of-others",
        "targetPrefix": f"cqrs-dev-store-{ACCOUNT}/",
    }
