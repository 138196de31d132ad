"""Arguments and result of ``declare`` in ``infra/application.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import dynamodb

from infra.configuration.application_keys import WrongEntry, parse_environment
from infra.configuration.stack_config import ConfigError, StackConfig
from infra.naming.names import Account, Names


@dataclass(frozen=True)
class ApplicationArgs:
    """The stack that the resources belong to. ``key``: ARN of its KMS key, None for AWS's own keys (``kmsKey``)."""

    config: StackConfig
    names: Names
    account: Account
    key: pulumi.Input[str] | None = None

    def table(self, name: str, hash_key: str = "pk", range_key: str | None = None) -> dynamodb.Table:
        """A table that conforms to the rules of ``./cqrs check``, with string keys: encrypted like the stack's own
        tables, with recovery and deletion protection as configured. Rows expire at their ``ttl`` (seconds since 1970).
        """
        keys = [key for key in (hash_key, range_key) if key is not None]
        return dynamodb.Table(
            name,
            name=self.names.of(name),
            billing_mode="PAY_PER_REQUEST",
            hash_key=hash_key,
            range_key=range_key,
            attributes=[dynamodb.TableAttributeArgs(name=key, type="S") for key in keys],
            ttl=dynamodb.TableTtlArgs(attribute_name="ttl", enabled=True),
            server_side_encryption=dynamodb.TableServerSideEncryptionArgs(enabled=True, kms_key_arn=self.key),
            point_in_time_recovery=dynamodb.TablePointInTimeRecoveryArgs(enabled=self.config.point_in_time_recovery),
            deletion_protection_enabled=self.config.deletion_protection,
            tags=self.names.tags,
            opts=pulumi.ResourceOptions(protect=self.config.deletion_protection),
        )


@dataclass(frozen=True)
class Application:
    """``outputs`` are exported in addition to the stack's own; ``environment`` and ``grants`` (ARN and actions) apply
    to the functions that run the application's classes.

    Raises:
        ConfigError: a name of the environment is not allowed.
    """

    outputs: Mapping[str, pulumi.Input[object]] = field(default_factory=dict)
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    grants: Sequence[tuple[pulumi.Input[str], tuple[str, ...]]] = ()

    def __post_init__(self) -> None:
        try:
            parse_environment(dict.fromkeys(self.environment, ""))
        except WrongEntry as wrong:
            raise ConfigError([f"infra/application.py: environment: expected {wrong}"]) from None
