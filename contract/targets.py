"""Sync targets: the built-in one, and the kinds of targets in other projects."""

from __future__ import annotations

#: Id of the target that maintains the read model.
BUILT_IN = "data"

LAMBDA = "lambda"
SQS = "sqs"
SNS = "sns"
EVENTBRIDGE = "eventbridge"
#: Kind to the service prefix in its ARN and IAM actions.
SERVICES = {LAMBDA: "lambda", SQS: "sqs", SNS: "sns", EVENTBRIDGE: "events"}
#: Fields of an entry of ``syncTargets``.
FIELDS = ("id", "types", "kind", "arn")
