"""A role and the log group it may write to: every function and state machine has its own pair."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam

from infra.components.deployment import Deployment
from infra.permissions.policies import assume_role


@dataclass(frozen=True)
class RoleArgs:
    """``what``: name of the function or machine; ``service``: the principal that assumes the role; ``policy`` is called
    with the log group's ARN.
    """

    what: str
    service: str
    log_group_name: str
    policy: Callable[[pulumi.Output[str]], pulumi.Output[str]]


class LoggedRole:
    """``log_group``, ``role`` and ``policy``, all children of a component."""

    def __init__(self, parent: pulumi.ComponentResource, args: RoleArgs, deployment: Deployment) -> None:
        child = pulumi.ResourceOptions(parent=parent)
        names = deployment.names
        self.log_group = cloudwatch.LogGroup(
            f"{args.what}-logs",
            name=args.log_group_name,
            retention_in_days=deployment.config.log_retention_days,
            kms_key_id=deployment.key,
            tags=names.tags,
            opts=child,
        )
        self.role = iam.Role(
            f"{args.what}-role",
            name=names.of(args.what),
            assume_role_policy=json.dumps(assume_role(args.service, deployment.account), sort_keys=True),
            tags=names.tags,
            opts=child,
        )
        self.policy = iam.RolePolicy(
            f"{args.what}-policy", role=self.role.name, policy=args.policy(self.log_group.arn), opts=child
        )
