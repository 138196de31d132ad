"""A policy for the roles of programs that publish commands with this repository's code instead of the API."""

from __future__ import annotations

import pulumi
from pulumi_aws import iam

from contract.collaborators import PUBLISHER
from infra.capabilities.application import GRANTS
from infra.components.deployment import Deployment
from infra.permissions.policies import grants_policy

POLICY = "publisher"


def publisher_policy(deployment: Deployment) -> iam.Policy:
    """The same permissions as the application's classes get for a publisher, since the calls are the same."""
    document = grants_policy(GRANTS[PUBLISHER], deployment.resources)
    return iam.Policy(
        "publisher-policy",
        name=deployment.names.of(POLICY),
        description="Lets a role publish commands, with large attributes",
        policy=pulumi.Output.json_dumps(document, sort_keys=True),
        tags=deployment.names.tags,
    )
