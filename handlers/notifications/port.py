"""The topic port: one bound topic, a JSON message and string attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Topic(Protocol):
    """One topic."""

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """Send a message. Raises ``TransientError`` when a later try may work."""
        ...
