"""The roles of .github/workflows, once per account; their ARNs go into the variables that docs/deploy.md names."""

from __future__ import annotations

import json

import pulumi
import roles
from pulumi_aws import get_caller_identity, get_region, iam

config = pulumi.Config()
repository, project, bucket = config.require("repository"), config.require("project"), config.require("stateBucket")
account, region = get_caller_identity().account_id, get_region().region

provider = iam.OpenIdConnectProvider(
    "github",
    url=f"https://{roles.ISSUER}",
    client_id_lists=[roles.AUDIENCE],
)

#: Role to the jobs that may assume it, and the name prefix of the resources that it manages; None: read-only.
ROLES = {
    "preview": ([f"repo:{repository}:pull_request", f"repo:{repository}:ref:refs/heads/main"], None),
    "deploy-dev": ([f"repo:{repository}:environment:dev"], f"{project}-dev-"),
    "deploy-prod": ([f"repo:{repository}:environment:prod"], f"{project}-prod-"),
    "ephemeral": ([f"repo:{repository}:environment:ephemeral"], f"{project}-pr-"),
}

for name, (subjects, prefix) in ROLES.items():
    role = iam.Role(
        name,
        name=f"{project}-ci-{name}",
        assume_role_policy=provider.arn.apply(lambda arn, jobs=subjects: json.dumps(roles.trust(arn, jobs))),
        max_session_duration=3600,
    )
    documents = {"state": roles.state(bucket), "describing": roles.describing()}
    if prefix is not None:
        documents["managing"] = roles.managing(region, account, prefix)
    for what, document in documents.items():
        iam.RolePolicy(f"{name}-{what}", name=what, role=role.name, policy=json.dumps(document))
    pulumi.export(f"{name}RoleArn", role.arn)
