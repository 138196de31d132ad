"""The event bus port on EventBridge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from handlers.core.aws.errors import CALL_ERRORS, reason_of, refusal
from handlers.core.aws.message_batches import divide, message_text
from handlers.event_bus.port import MAX_BUS_BYTES, SOURCE, BusEvent
from handlers.topics.port import MessageRefused, too_large

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

#: API reference, PutEvents: entries per call.
MAX_ENTRIES = 10


class EventBridgeBus:
    """See ``EventBus``."""

    def __init__(self, client: Callable[[], EventBridgeClient], name: str) -> None:
        """``client`` is called at the first put, which most instances of the function never make."""
        self._client = client
        self._name = name

    def put_many(self, events: Sequence[BusEvent]) -> dict[int, Exception]:
        """See EventBus. PutEvents returns 200 even if it rejected entries."""
        texts = [message_text(event.detail) for event in events]
        sizes = [_size(text, event) for text, event in zip(texts, events, strict=True)]
        unsent: dict[int, Exception] = {i: too_large(size) for i, size in enumerate(sizes) if size > MAX_BUS_BYTES}
        for part in divide(sizes, max_entries=MAX_ENTRIES, max_bytes=MAX_BUS_BYTES):
            try:
                answer = self._client().put_events(
                    Entries=[
                        {
                            "Source": SOURCE,
                            "DetailType": events[index].kind,
                            "Detail": texts[index],
                            "EventBusName": self._name,
                        }
                        for index in part
                    ]
                )
            except CALL_ERRORS as error:
                unsent.update(dict.fromkeys(part, reason_of(error, self._name, MessageRefused)))
                continue
            for index, entry in zip(part, answer["Entries"], strict=True):
                if "ErrorCode" in entry:
                    code, message = entry["ErrorCode"], entry.get("ErrorMessage", "")
                    unsent[index] = refusal(self._name, code, message, MessageRefused)
        return unsent


def _size(text: str, event: BusEvent) -> int:
    """EventBridge User Guide, "Calculating event entry size"."""
    return len(text.encode()) + len(SOURCE) + len(event.kind.encode())
