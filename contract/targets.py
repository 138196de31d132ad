"""Sync targets: the one that is built in, and the kinds of those in other projects."""

from __future__ import annotations

#: Id of the target that keeps the read model.
BUILT_IN = "data"

LAMBDA = "lambda"
SQS = "sqs"
SNS = "sns"
EVENTBRIDGE = "eventbridge"
#: Kind to the service in its ARN and its actions.
SERVICES = {LAMBDA: "lambda", SQS: "sqs", SNS: "sns", EVENTBRIDGE: "events"}
#: Of an entry of ``syncTargets``.
FIELDS = ("id", "types", "kind", "arn")
