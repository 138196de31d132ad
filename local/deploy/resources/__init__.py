"""Creating resources on the endpoint: one small function per Pulumi type."""

from __future__ import annotations

from collections.abc import Mapping

from local.deploy.resources import apigateway, cloudwatch, dynamodb, events, iam, kms, lambda_, logs, s3, sfn, sns, sqs
from local.deploy.workspace import Creator

#: Pulumi type to its creator. Other types are refused by name.
CREATORS: Mapping[str, Creator] = {
    type_: creator
    for module in (apigateway, cloudwatch, dynamodb, events, iam, kms, lambda_, logs, s3, sfn, sns, sqs)
    for type_, creator in module.CREATORS.items()
}
