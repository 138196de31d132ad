"""A topic of another project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.commands.targets.calls import calling

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient

    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.port import Delivery


class SnsTarget:
    """See ``RemoteTarget``."""

    def __init__(self, client: Callable[[], SNSClient], spec: TargetSpec) -> None:
        """``client`` is called at the first delivery."""
        self._client = client
        self._spec = spec

    def deliver(self, delivery: Delivery) -> None:
        """See RemoteTarget."""
        fifo: dict[str, Any] = {}
        if self._spec.is_fifo:
            fifo = {"MessageGroupId": delivery.group, "MessageDeduplicationId": delivery.deduplication}
        with calling(self._spec.arn):
            self._client().publish(
                TopicArn=self._spec.arn,
                Message=delivery.text,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in (("action", delivery.action), ("type", delivery.type))
                },
                **fifo,
            )
