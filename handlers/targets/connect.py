"""The adapter of a target on AWS."""

from __future__ import annotations

from functools import partial

from handlers import aws
from handlers.targets.eventbridge import EventBridgeTarget
from handlers.targets.lambda_ import LambdaTarget
from handlers.targets.model import EVENTBRIDGE, LAMBDA, SNS, SQS, TargetSpec
from handlers.targets.port import RemoteTarget
from handlers.targets.sns import SnsTarget
from handlers.targets.sqs import SqsTarget


def connect(spec: TargetSpec) -> RemoteTarget:
    """The adapter; its client is made when the first command is delivered. Raises ValueError for an unknown kind."""
    region = spec.region
    if spec.kind == LAMBDA:
        return LambdaTarget(partial(aws.lambda_calls, region), spec)
    if spec.kind == SQS:
        return SqsTarget(partial(aws.sqs, region), spec)
    if spec.kind == SNS:
        return SnsTarget(partial(aws.sns, region), spec)
    if spec.kind == EVENTBRIDGE:
        return EventBridgeTarget(partial(aws.events, region), spec)
    raise ValueError(f"sync target {spec.id!r}: unknown kind {spec.kind!r}")
