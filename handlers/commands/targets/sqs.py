"""A queue of another project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.commands.targets.calls import calling

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.port import Delivery


class SqsTarget:
    """See ``RemoteTarget``."""

    def __init__(self, client: Callable[[], SQSClient], spec: TargetSpec) -> None:
        """``client`` is called at the first delivery."""
        self._client = client
        self._spec = spec
        self._url = queue_url(spec.arn)

    def deliver(self, delivery: Delivery) -> None:
        """See RemoteTarget."""
        fifo: dict[str, Any] = {}
        if self._spec.is_fifo:
            fifo = {"MessageGroupId": delivery.group, "MessageDeduplicationId": delivery.deduplication}
        with calling(self._spec.arn):
            self._client().send_message(
                QueueUrl=self._url,
                MessageBody=delivery.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in (("action", delivery.action), ("type", delivery.type))
                },
                **fifo,
            )


def queue_url(arn: str) -> str:
    """A queue's URL (SQS Developer Guide, "Amazon SQS queue and message identifiers")."""
    _, partition, _, region, account, name = arn.split(":")
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{region}.{suffix}/{account}/{name}"
