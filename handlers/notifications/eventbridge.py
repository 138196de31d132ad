"""The event bus port on EventBridge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.aws import UNREACHABLE
from handlers.errors import TransientError, TransientThrottle
from handlers.notifications.batches import divide, message_text
from handlers.notifications.bus import MAX_BUS_BYTES, SOURCE, BusEvent
from handlers.notifications.port import MessageRefused, too_large

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

#: API reference, PutEvents: entries per call, and error codes of calls and of entries that pass.
MAX_ENTRIES = 10
PASSING = frozenset({"InternalException", "InternalFailure", "ThrottlingException", "ServiceUnavailable"})


class EventBridgeBus:
    """See ``EventBus``."""

    def __init__(self, client: Callable[[], EventBridgeClient], name: str) -> None:
        """``client`` is asked for when something is put: most starts of the function never do."""
        self._client = client
        self._name = name

    def put_many(self, events: Sequence[BusEvent]) -> dict[int, Exception]:
        """See EventBus. PutEvents answers 200 also for entries that it did not take."""
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
            except (ClientError, *UNREACHABLE) as error:
                unsent.update(dict.fromkeys(part, self._reason(error)))
                continue
            for index, entry in zip(part, answer["Entries"], strict=True):
                if "ErrorCode" in entry:
                    unsent[index] = self._refused(entry["ErrorCode"], entry.get("ErrorMessage", ""))
        return unsent

    def _refused(self, code: str, message: str) -> Exception:
        if code in PASSING:
            return TransientThrottle(f"{code} on {self._name}")
        return MessageRefused(f"{code} on {self._name}: {message}")

    def _reason(self, error: Exception) -> Exception:
        if not isinstance(error, ClientError):
            return TransientError(f"EventBridge could not be reached: {type(error).__name__}")
        code = error.response["Error"]["Code"]
        return TransientThrottle(f"{code} on {self._name}") if code in PASSING else error


def _size(text: str, event: BusEvent) -> int:
    """EventBridge User Guide, "Calculating event entry size"."""
    return len(text.encode()) + len(SOURCE) + len(event.kind.encode())
