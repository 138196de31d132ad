"""The optional KMS key that encrypts tables, queues, topics, bucket, logs and environments."""

from __future__ import annotations

import json

import pulumi
from pulumi_aws import kms

from contract.messages import MAIN_TOPIC
from infra.components.rules import RULES
from infra.configuration.kms_key import CREATE
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.naming.names import Account, Names
from infra.permissions.keys import key_policy

#: KMS's longest waiting period before it deletes a key, after which all encrypted data is lost (KMS API reference,
#: ScheduleKeyDeletion).
DELETION_DAYS = 30


def encryption_key(config: StackConfig, names: Names, account: Account) -> pulumi.Input[str] | None:
    """The key's ARN; None: AWS's own keys."""
    if config.kms_key == CREATE:
        created = EncryptionKey("encryption", names, account, protect=config.deletion_protection)
        arn: pulumi.Output[str] = created.key.arn
        return arn
    return config.kms_key_arn or None


def check_key(config: StackConfig, account: Account) -> None:
    """Raises ConfigError: a given key isn't in the stack's region."""
    expected = f"arn:{account.partition}:kms:{account.region}:"
    if config.kms_key_arn and not config.kms_key_arn.startswith(expected):
        raise ConfigError(
            [f"kmsKeyArn: {config.kms_key_arn!r} is not allowed; expected a key in the stack's region: {expected}..."]
        )


class EncryptionKey(pulumi.ComponentResource):
    """``key``, rotated yearly, with an alias named after the stack."""

    key: kms.Key

    def __init__(
        self, name: str, names: Names, account: Account, *, protect: bool, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cqrs:infra:EncryptionKey", name, None, opts)
        self.key = kms.Key(
            "key",
            description=f"{names.project} {names.stack}: tables, queues, topics, bucket, logs, environments",
            policy=json.dumps(key_policy(names, account, MAIN_TOPIC, RULES), sort_keys=True),
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_DAYS,
            tags=names.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        kms.Alias(
            "key-alias",
            name=f"alias/{names.project}-{names.stack}",
            target_key_id=self.key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"keyArn": self.key.arn})
