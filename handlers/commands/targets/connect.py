"""Creates the adapter of a target on AWS."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from contract.targets import EVENTBRIDGE, LAMBDA, SNS, SQS
from handlers.commands.targets.eventbridge import EventBridgeTarget
from handlers.commands.targets.lambda_ import LambdaTarget
from handlers.commands.targets.sns import SnsTarget
from handlers.commands.targets.sqs import SqsTarget
from handlers.core.aws import clients as aws

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient

    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.port import RemoteTarget


class Clients(Protocol):
    """Creates clients for a region: ``handlers.core.aws.clients`` in a function, with other credentials elsewhere."""

    def lambda_calls(self, region: str) -> LambdaClient:
        """Lambda, for synchronous invocations."""
        ...

    def sqs(self, region: str) -> SQSClient:
        """Queues."""
        ...

    def sns(self, region: str) -> SNSClient:
        """Topics."""
        ...

    def events(self, region: str) -> EventBridgeClient:
        """Event buses."""
        ...


def connect(spec: TargetSpec, clients: Clients = aws) -> RemoteTarget:
    """The adapter; its client is created at the first delivery. Raises ValueError: unknown kind."""
    region = spec.region
    if spec.kind == LAMBDA:
        return LambdaTarget(partial(clients.lambda_calls, region), spec)
    if spec.kind == SQS:
        return SqsTarget(partial(clients.sqs, region), spec)
    if spec.kind == SNS:
        return SnsTarget(partial(clients.sns, region), spec)
    if spec.kind == EVENTBRIDGE:
        return EventBridgeTarget(partial(clients.events, region), spec)
    raise ValueError(f"sync target {spec.id!r}: unknown kind {spec.kind!r}")
