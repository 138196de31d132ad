"""Permissions of roles and AWS services on the KMS key that encrypts the stack."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from infra.naming.names import Account, Names

DECRYPT, GENERATE = "kms:Decrypt", "kms:GenerateDataKey"
#: Prefix of an action to the permissions on the key that it needs.
#: DynamoDB: the table's key is decrypted for readers and writers (Developer Guide, "DynamoDB encryption at rest: how it
#: works", the events of CloudTrail). SQS: Developer Guide, "Key management". SNS: Developer Guide, "Securing Amazon SNS
#: data with server-side encryption". S3: User Guide, "Using server-side encryption with KMS keys"; the parts of an
#: upload are decrypted to assemble them.
NEEDED_FOR: Mapping[str, tuple[str, ...]] = {
    "dynamodb:": (DECRYPT,),
    "s3:GetObject": (DECRYPT,),
    "s3:PutObject": (DECRYPT, GENERATE),
    "sns:Publish": (DECRYPT, GENERATE),
    "sqs:ReceiveMessage": (DECRYPT,),
    "sqs:SendMessage": (DECRYPT, GENERATE),
}


def key_actions(actions: Collection[str], *, reads_environment: bool = False) -> tuple[str, ...]:
    """A role's permissions on the key for ``actions``. A function's environment is decrypted with its role (Lambda
    Developer Guide, "Securing Lambda environment variables").
    """
    needed = {DECRYPT} if reads_environment else set()
    for beginning, needs in NEEDED_FOR.items():
        if any(action.startswith(beginning) for action in actions):
            needed.update(needs)
    return tuple(sorted(needed))


def key_policy(names: Names, account: Account, topic: str, rules: Sequence[str]) -> dict[str, object]:
    """The policy of a key that the stack creates. ``topic``: the topic with queues as subscribers.

    The account's IAM policies decide about its roles and users (KMS Developer Guide, "Default key policy"). Services
    get access for this stack's resources only (SQS Developer Guide, "Configuring KMS permissions for AWS services"; SNS
    Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics"; CloudWatch
    Logs User Guide, "Encrypt log data in CloudWatch Logs using KMS").
    """
    of_account = {"StringEquals": {"aws:SourceAccount": account.account_id}}
    groups = (names.log_group_of_function("*"), _machines(names), names.log_group_of_api("*"))
    logs = [account.arn("logs", f"log-group:{name}") for name in groups]

    def from_arn(*arns: str) -> dict[str, object]:
        return {**of_account, "ArnLike": {"aws:SourceArn": list(arns)}}

    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "Logs",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{account.region}.{account.dns_suffix}"},
                "Action": ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                "Resource": "*",
                "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
            },
            _service(
                "Alarms", "cloudwatch.amazonaws.com", from_arn(account.arn("cloudwatch", f"alarm:{names.of('*')}"))
            ),
            _service("TopicToQueues", "sns.amazonaws.com", from_arn(account.arn("sns", names.of(topic)))),
            _service(
                "Rules",
                "events.amazonaws.com",
                from_arn(*(account.arn("events", f"rule/{names.of(one)}") for one in rules)),
            ),
            # Lets teams add bucket notifications to the stack's queues and topics; the program declares none.
            _service(
                "BucketNotifications", "s3.amazonaws.com", from_arn(f"arn:{account.partition}:s3:::{names.bucket('*')}")
            ),
        ],
    }


def _machines(names: Names) -> str:
    return names.log_group_of_machine("*")


def _service(sid: str, principal: str, condition: Mapping[str, object]) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": dict(condition),
    }
