"""An event bus of another project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from handlers.commands.targets.calls import calling
from handlers.commands.targets.port import Delivery, TargetRefused
from handlers.core.aws.errors import refusal
from handlers.event_bus.port import SOURCE

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

    from handlers.commands.targets.model import TargetSpec


class EventBridgeTarget:
    """See ``RemoteTarget``."""

    def __init__(self, client: Callable[[], EventBridgeClient], spec: TargetSpec) -> None:
        """``client`` is called at the first delivery."""
        self._client = client
        self._spec = spec

    def deliver(self, delivery: Delivery) -> None:
        """See RemoteTarget. PutEvents returns 200 even if it rejected the event; the entry shows the error."""
        with calling(self._spec.arn):
            answer = self._client().put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": delivery.action,
                        "Detail": delivery.text,
                        "EventBusName": self._spec.arn,
                    }
                ]
            )
        if answer["FailedEntryCount"]:
            entry = answer["Entries"][0]
            code, message = entry.get("ErrorCode", "Unknown"), entry.get("ErrorMessage", "")
            raise refusal(self._spec.arn, code, message, TargetRefused)
