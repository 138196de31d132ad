"""Reading, updating and deleting existing resources on the endpoint, by Pulumi type."""

from __future__ import annotations

from collections.abc import Mapping

from local.deploy.existing import apigateway, cloudwatch, dynamodb, events, iam, kms, lambda_, s3, sfn, sns, sqs
from local.deploy.existing.model import Existing, State

__all__ = ["EXISTING", "Existing", "State"]

#: Pulumi type to its functions, for the same types as ``local.deploy.resources.CREATORS``.
EXISTING: Mapping[str, Existing] = {
    type_: existing
    for module in (apigateway, cloudwatch, dynamodb, events, iam, kms, lambda_, s3, sfn, sns, sqs)
    for type_, existing in module.EXISTING.items()
}
