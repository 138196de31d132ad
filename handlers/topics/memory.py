"""The topic port in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handlers.core.aws.message_batches import message_text, size_of
from handlers.topics.port import MAX_BYTES, Notice, too_large


class MemoryTopic:
    """Keeps published messages in order. ``refuse`` may return an error for a message."""

    def __init__(self, refuse: Callable[[Mapping[str, Any]], Exception | None] | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.attributes: list[dict[str, str]] = []
        self._refuse = refuse

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """See Topic."""
        reason = self._refuse(message) if self._refuse is not None else None
        if reason is not None:
            raise reason
        self.messages.append(dict(message))
        self.attributes.append(dict(attributes))

    def publish_many(self, notices: Sequence[Notice]) -> dict[int, Exception]:
        """See Topic."""
        unsent: dict[int, Exception] = {}
        for index, notice in enumerate(notices):
            size = size_of(message_text(notice.message), notice.attributes)
            try:
                if size > MAX_BYTES:
                    raise too_large(size)
                self.publish(notice.message, notice.attributes)
            except Exception as error:  # noqa: BLE001 - boundary: one message; the error is returned
                unsent[index] = error
        return unsent
