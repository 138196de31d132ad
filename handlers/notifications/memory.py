"""The topic port in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MemoryTopic:
    """Keeps what was published, in order."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.attributes: list[dict[str, str]] = []

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """See Topic."""
        self.messages.append(dict(message))
        self.attributes.append(dict(attributes))
